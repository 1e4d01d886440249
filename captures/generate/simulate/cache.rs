//! What a resolver remembers.

use std::collections::BTreeMap;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RData, Record, RecordType};

/// One resolver's memory, by name and type.
#[derive(Default)]
pub struct Cache(BTreeMap<(Name, u16), Entry>);

struct Entry {
    records: Vec<Record>,
    rcode: ResponseCode,
    expires_ns: i64,
}

/// What was found for a question, TTLs counted down.
pub struct Found {
    /// The answer, or the alias; empty for a denial.
    pub records: Vec<Record>,
    /// NXDOMAIN, or NOERROR.
    pub rcode: ResponseCode,
    /// Seconds left; negative when it is stale.
    pub left_s: i64,
    /// The type under which it was found: the question's, or CNAME.
    pub kind: RecordType,
}

impl Found {
    /// Where the alias leads, when it is one and the question did not ask for it.
    pub fn alias(&self, qtype: RecordType) -> Option<Name> {
        self.records.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if qtype != RecordType::CNAME => Some(target.0.clone()),
            _ => None,
        })
    }
}

impl Cache {
    /// The answer to a question, or an alias; served up to `stale_s` seconds after its end.
    pub fn lookup(
        &self,
        name: &Name,
        qtype: RecordType,
        now_ns: i64,
        stale_s: i64,
    ) -> Option<Found> {
        [qtype, RecordType::CNAME].into_iter().find_map(|kind| {
            let entry = self.0.get(&(name.clone(), u16::from(kind)))?;
            let left_ns = entry.expires_ns - now_ns;
            if left_ns < -stale_s * 1_000_000_000 {
                return None;
            }
            let left_s = left_ns.div_euclid(1_000_000_000);
            let mut records = entry.records.clone();
            for record in &mut records {
                // RFC 8767 section 4: a stale record is given with 30 seconds.
                record.ttl = if left_ns < 0 { 30 } else { left_s as u32 };
            }
            Some(Found { records, rcode: entry.rcode, left_s, kind })
        })
    }

    /// Remembers sets of records of whatever names and types.
    pub fn store(&mut self, records: &[Record], now_ns: i64) {
        let mut sets: BTreeMap<(Name, u16), Vec<Record>> = BTreeMap::new();
        for record in records {
            let key = (record.name.clone(), u16::from(record.record_type()));
            sets.entry(key).or_default().push(record.clone());
        }
        for (key, records) in sets {
            let ttl_s = records.iter().map(|record| i64::from(record.ttl)).min().unwrap_or(0);
            let expires_ns = now_ns + ttl_s * 1_000_000_000;
            self.0.insert(key, Entry { records, rcode: ResponseCode::NoError, expires_ns });
        }
    }

    /// Remembers that there is nothing (RFC 2308).
    pub fn deny(&mut self, name: &Name, qtype: RecordType, rcode: ResponseCode, until_ns: i64) {
        let entry = Entry { records: Vec::new(), rcode, expires_ns: until_ns };
        self.0.insert((name.clone(), u16::from(qtype)), entry);
    }

    /// The deepest zone above (or, unless `strictly`, at) a name whose servers are known; the root if none.
    pub fn zone_above(&self, name: &Name, strictly: bool, now_ns: i64) -> Name {
        let mut zone = if strictly { name.base_name() } else { name.clone() };
        while !zone.is_root() && self.name_servers(&zone, now_ns).is_empty() {
            zone = zone.base_name();
        }
        zone
    }

    /// The names of a zone's servers, as known.
    pub fn name_servers(&self, zone: &Name, now_ns: i64) -> Vec<Name> {
        let found = self.lookup(zone, RecordType::NS, now_ns, 0);
        let records = found.map(|found| found.records).unwrap_or_default();
        let hosts = records.into_iter().filter_map(|record| match record.data {
            RData::NS(host) => Some(host.0),
            _ => None,
        });
        hosts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{name, record};

    const SECOND_NS: i64 = 1_000_000_000;

    #[test]
    fn ttls_are_counted_down_and_end() {
        let mut cache = Cache::default();
        cache.store(&[record("x.example 60 A 192.0.2.1").unwrap()], 0);
        let owner = name("X.example").unwrap();
        let found = cache.lookup(&owner, RecordType::A, 20 * SECOND_NS, 0).unwrap();
        assert_eq!((found.records[0].ttl, found.left_s), (40, 40));
        assert!(cache.lookup(&owner, RecordType::A, 61 * SECOND_NS, 0).is_none());
        let stale = cache.lookup(&owner, RecordType::A, 61 * SECOND_NS, 3600).unwrap();
        assert_eq!((stale.records[0].ttl, stale.left_s), (30, -1));
    }

    #[test]
    fn the_deepest_known_zone_is_found() {
        let mut cache = Cache::default();
        cache.store(&[record("com 60 NS ns.com").unwrap()], 0);
        cache.store(&[record("evil.com 60 NS ns.evil.com").unwrap()], 0);
        let qname = name("evil.com").unwrap();
        assert_eq!(cache.zone_above(&qname, false, 0), qname);
        assert_eq!(cache.zone_above(&qname, true, 0), name("com").unwrap());
        assert!(cache.zone_above(&qname, false, 100 * SECOND_NS).is_root());
    }
}
