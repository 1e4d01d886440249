//! The names of a scenario's world and who answers for them.
//!
//! An authoritative server answers from the zones at its address and refers below them; a forwarder
//! answers everything, with the whole chain of aliases.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::svcb::SvcParamValue;
use hickory_proto::rr::rdata::{A, AAAA, CNAME, HTTPS, NS, PTR, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use crate::scenario;

/// Every zone there is.
pub struct World {
    zones: Vec<Zone>,
    forwarders: BTreeMap<IpAddr, f64>,
}

struct Zone {
    name: Name,
    ns: Vec<(Name, Vec<IpAddr>)>,
    records: Vec<Record>,
    rtt_ms: f64,
    slow_ms: f64,
    included: bool,
}

/// An answer in the making, and how long its server thinks, in nanoseconds.
pub struct Reply {
    /// Everything but id and question.
    pub message: Message,
    /// Thinking time.
    pub thinking_ns: i64,
}

/// How long a zone's name-server records live, in seconds.
const NS_TTL: u32 = 172_800;
/// How long a denial lives, in seconds.
const NEGATIVE_TTL: u32 = 300;
/// No alias chain here is longer.
const CHAIN_MAX: usize = 16;

impl World {
    /// From the scenario's zones and forwarders.
    pub fn new(scenario: &scenario::Scenario) -> Result<World> {
        let mut zones = Vec::new();
        for zone in &scenario.zone {
            let records = zone.records.iter().map(|line| record(line));
            let ns = zone.ns.iter().map(|(host, at)| Ok((name(host)?, at.clone())));
            zones.push(Zone {
                name: name(&zone.name)?,
                ns: ns.collect::<Result<_>>()?,
                records: records.collect::<Result<_>>()?,
                rtt_ms: zone.rtt_ms,
                slow_ms: zone.slow_ms,
                included: zone.included,
            });
        }
        let mut forwarders = BTreeMap::new();
        for forwarder in &scenario.forwarder {
            forwarders.extend(forwarder.addresses.iter().map(|at| (*at, forwarder.rtt_ms)));
        }
        let mut world = World { zones, forwarders };
        world.add_server_addresses();
        Ok(world)
    }

    /// A name server's address stands in the zone that holds its name, unless the zone says otherwise.
    fn add_server_addresses(&mut self) {
        let hosts: Vec<_> = self.zones.iter().flat_map(|zone| zone.ns.clone()).collect();
        for (host, addresses) in hosts {
            let Some(home) = self.deepest(&host, |_| true) else { continue };
            let Some(zone) = self.zones.get_mut(home) else { continue };
            if !zone.records.iter().any(|record| record.name == host) {
                zone.records.extend(addresses.iter().map(|at| address_record(&host, *at)));
            }
        }
    }

    /// The round trip to a server outside, in milliseconds.
    pub fn rtt_ms(&self, server: IpAddr) -> Option<f64> {
        let zone = self.zones.iter().find(|zone| zone.is_at(server));
        self.forwarders.get(&server).copied().or(zone.map(|zone| zone.rtt_ms))
    }

    /// The root's servers, which every resolver knows.
    pub fn root_servers(&self) -> Vec<IpAddr> {
        self.servers_of(|zone| zone.name.is_root())
    }

    /// The servers of the zones right below the root.
    pub fn tld_servers(&self) -> Vec<IpAddr> {
        self.servers_of(|zone| zone.name.iter().len() == 1)
    }

    fn servers_of(&self, wanted: impl Fn(&Zone) -> bool) -> Vec<IpAddr> {
        let zones = self.zones.iter().filter(|zone| wanted(zone));
        zones.flat_map(|zone| zone.ns.iter().flat_map(|(_, at)| at.clone())).collect()
    }

    /// The names that people ask for: of included zones, no server's name and no alias's target, and
    /// leading to none of these names.
    pub fn harmless(&self, flagged: &[Name]) -> Vec<Name> {
        let servers = self.zones.iter().flat_map(|zone| zone.ns.iter().map(|(host, _)| host));
        let records = || self.zones.iter().flat_map(|zone| &zone.records);
        let targets = records().filter_map(alias_target);
        let not: Vec<&Name> = servers.chain(targets).collect();
        let mut hosts: Vec<Name> = Vec::new();
        for zone in self.zones.iter().filter(|zone| zone.included) {
            for record in &zone.records {
                let usable = matches!(record.data, RData::A(_) | RData::CNAME(_));
                let new = !not.contains(&&record.name) && !hosts.contains(&record.name);
                if usable && new && !self.leads_to(&record.name, flagged) {
                    hosts.push(record.name.clone());
                }
            }
        }
        hosts
    }

    fn leads_to(&self, name: &Name, flagged: &[Name]) -> bool {
        let mut current = Some(name.clone());
        for _ in 0..CHAIN_MAX {
            let Some(name) = current else { return false };
            if flagged.iter().any(|above| above.zone_of(&name)) {
                return true;
            }
            let home = self.deepest(&name, |_| true).and_then(|home| self.zones.get(home));
            let found = home.map(|zone| zone.lookup(&name, RecordType::A)).unwrap_or_default();
            current = found.iter().find_map(alias_target).cloned();
        }
        true
    }

    /// What the server at this address says; `None` when there is none.
    pub fn answer(&self, server: IpAddr, qname: &Name, qtype: RecordType) -> Option<Reply> {
        let forwards = self.forwarders.contains_key(&server);
        let serves = |zone: &Zone| forwards || zone.is_at(server);
        // A name server for parent and child answers DS from the parent (RFC 4035 section 3.1.4.1).
        let home = self.deepest(qname, |zone| {
            serves(zone) && (qtype != RecordType::DS || zone.name != *qname)
        })?;
        let mut message = empty();
        message.metadata.authoritative = !forwards;
        message.metadata.recursion_available = forwards;
        let mut thinking_ms = 0.0_f64;
        let mut current = qname.clone();
        let mut zone = self.zones.get(home)?;
        for _ in 0..CHAIN_MAX {
            thinking_ms += zone.slow_ms;
            if !forwards && let Some(cut) = self.cut_below(zone, &current, qtype) {
                if message.answers.is_empty() {
                    message.metadata.authoritative = false;
                    self.refer(&mut message, zone, cut);
                }
                break;
            }
            let found = zone.lookup(&current, qtype);
            let alias = found.iter().find_map(|record| match &record.data {
                RData::CNAME(target) if qtype != RecordType::CNAME => Some(target.0.clone()),
                _ => None,
            });
            if found.is_empty() {
                let exists = zone.holds(&current) || self.exists_below(&current);
                if !exists {
                    message.metadata.response_code = ResponseCode::NXDomain;
                }
                message.authorities.push(zone.soa());
            }
            message.answers.extend(found);
            let Some(target) = alias else { break };
            let Some(next) = self.deepest(&target, serves) else { break };
            let Some(next) = self.zones.get(next) else { break };
            (zone, current) = (next, target);
        }
        let thinking_ns = (thinking_ms * 1e6) as i64;
        Some(Reply { message, thinking_ns })
    }

    fn deepest(&self, name: &Name, wanted: impl Fn(&Zone) -> bool) -> Option<usize> {
        let above = self.zones.iter().enumerate();
        let above = above.filter(|(_, zone)| zone.name.zone_of(name) && wanted(zone));
        above.max_by_key(|(_, zone)| zone.name.iter().len()).map(|(place, _)| place)
    }

    /// The delegation that stands between a zone and a name below it.
    fn cut_below(&self, zone: &Zone, qname: &Name, qtype: RecordType) -> Option<&Zone> {
        let depth = zone.name.iter().len();
        let below = self.zones.iter().filter(|cut| {
            cut.name.iter().len() > depth
                && zone.name.zone_of(&cut.name)
                && cut.name.zone_of(qname)
                && (qtype != RecordType::DS || cut.name != *qname)
        });
        below.min_by_key(|cut| cut.name.iter().len())
    }

    fn refer(&self, message: &mut Message, parent: &Zone, cut: &Zone) {
        for (host, addresses) in &cut.ns {
            let data = RData::NS(NS(host.clone()));
            message.authorities.push(Record::from_rdata(cut.name.clone(), NS_TTL, data));
            // Glue: what lies below the parent and could not be found otherwise (RFC 9471).
            if parent.name.zone_of(host) {
                let glue = addresses.iter().map(|at| address_record(host, *at));
                message.additionals.extend(glue);
            }
        }
    }

    fn exists_below(&self, name: &Name) -> bool {
        self.zones.iter().any(|zone| name.zone_of(&zone.name))
    }
}

impl Zone {
    fn is_at(&self, server: IpAddr) -> bool {
        self.ns.iter().any(|(_, at)| at.contains(&server))
    }

    /// The records of a type, or the alias, at a name; wildcards expanded (RFC 4592).
    fn lookup(&self, qname: &Name, qtype: RecordType) -> Vec<Record> {
        if *qname == self.name && qtype == RecordType::NS {
            let ns = self.ns.iter().map(|(host, _)| RData::NS(NS(host.clone())));
            return ns.map(|data| Record::from_rdata(qname.clone(), NS_TTL, data)).collect();
        }
        let fits = |record: &&Record| {
            record.record_type() == qtype || record.record_type() == RecordType::CNAME
        };
        let own = self.records.iter().filter(|record| record.name == *qname);
        if self.holds(qname) {
            return own.filter(fits).cloned().collect();
        }
        let star = Name::from_ascii("*").and_then(|star| star.append_domain(&qname.base_name()));
        let Ok(star) = star else { return Vec::new() };
        let wild = self.records.iter().filter(|record| record.name == star).filter(fits);
        wild.map(|record| Record::from_rdata(qname.clone(), record.ttl, record.data.clone()))
            .collect()
    }

    fn holds(&self, name: &Name) -> bool {
        *name == self.name || self.records.iter().any(|record| name.zone_of(&record.name))
    }

    fn soa(&self) -> Record {
        let mname = self.ns.first().map_or_else(Name::root, |(host, _)| host.clone());
        let rname = Name::from_ascii("hostmaster.invalid.").unwrap_or_else(|_| Name::root());
        let soa = SOA::new(mname, rname, 2026030101, 7200, 3600, 1_209_600, NEGATIVE_TTL);
        Record::from_rdata(self.name.clone(), NEGATIVE_TTL, RData::SOA(soa))
    }
}

fn alias_target(record: &Record) -> Option<&Name> {
    match &record.data {
        RData::CNAME(target) => Some(&target.0),
        _ => None,
    }
}

/// An empty response.
pub fn empty() -> Message {
    Message::response(0, hickory_proto::op::OpCode::Query)
}

/// A full name from text with or without its last dot.
pub fn name(text: &str) -> Result<Name> {
    let text = text.trim_end_matches('.');
    Name::from_ascii(format!("{text}.")).with_context(|| format!("name {text:?}"))
}

/// As text without the last dot.
pub fn text(name: &Name) -> String {
    let text = name.to_ascii();
    if text == "." { text } else { text.trim_end_matches('.').to_owned() }
}

/// A record from `owner ttl type data`.
pub fn record(line: &str) -> Result<Record> {
    let mut rest = line;
    let mut word = || {
        let trimmed = rest.trim_start();
        let end = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
        let (word, after) = trimmed.split_at(end);
        rest = after;
        word
    };
    let (owner, ttl, kind) = (word(), word(), word());
    let data = rest.trim();
    if data.is_empty() {
        bail!("record {line:?}: want `owner ttl type data`");
    }
    let context = || format!("record {line:?}");
    let data = match RecordType::from_str(kind).with_context(context)? {
        RecordType::CNAME => RData::CNAME(CNAME(name(data)?)),
        RecordType::NS => RData::NS(NS(name(data)?)),
        RecordType::PTR => RData::PTR(PTR(name(data)?)),
        other => RData::try_from_str(other, data).with_context(context)?,
    };
    Ok(Record::from_rdata(name(owner)?, ttl.parse().with_context(context)?, data))
}

/// The addresses in a record: of a service, those that it hints at.
pub fn addresses(record: &Record) -> Vec<IpAddr> {
    match &record.data {
        RData::A(A(at)) => vec![IpAddr::V4(*at)],
        RData::AAAA(AAAA(at)) => vec![IpAddr::V6(*at)],
        RData::HTTPS(HTTPS(service)) => {
            let hints = service.svc_params.iter().map(|(_, value)| match value {
                SvcParamValue::Ipv4Hint(hint) => hint.0.iter().map(|at| at.0.into()).collect(),
                SvcParamValue::Ipv6Hint(hint) => hint.0.iter().map(|at| at.0.into()).collect(),
                _ => Vec::new(),
            });
            hints.flatten().collect()
        }
        _ => Vec::new(),
    }
}

/// Where a record says that a service is to be reached, if it says so.
pub fn service(record: &Record) -> Option<&Name> {
    match &record.data {
        RData::HTTPS(HTTPS(service)) if !service.target_name.is_root() => {
            Some(&service.target_name)
        }
        _ => None,
    }
}

fn address_record(host: &Name, at: IpAddr) -> Record {
    let data = match at {
        IpAddr::V4(at) => RData::A(A(at)),
        IpAddr::V6(at) => RData::AAAA(AAAA(at)),
    };
    Record::from_rdata(host.clone(), NS_TTL, data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    const SCENARIO: &str = r#"
        title = ""
        story = ""
        must_say = ""
        start = "2026-03-02T08:00:00Z"
        flagged = []
        resolver = []
        zone = [
          { name = "com", ns = { "a.gtld.net" = ["192.0.2.1"] } },
          { name = "evil.com", ns = { "ns1.evil.com" = ["192.0.2.2"], "ns.other.net" = ["192.0.2.3"] }, records = [
            "*.evil.com 60 A 192.0.2.9",
            "www.evil.com 60 CNAME a.b.evil.com",
            "a.b.evil.com 60 A 192.0.2.8",
          ] },
        ]
    "#;

    fn ask(server: &str, qname: &str, qtype: RecordType) -> Message {
        let scenario: Scenario = toml::from_str(SCENARIO).unwrap();
        let world = World::new(&scenario).unwrap();
        world.answer(server.parse().unwrap(), &name(qname).unwrap(), qtype).unwrap().message
    }

    #[test]
    fn a_parent_refers_with_glue_for_what_lies_below_it() {
        let message = ask("192.0.2.1", "www.evil.com", RecordType::A);
        assert!(message.answers.is_empty() && !message.metadata.authoritative);
        assert_eq!(message.authorities.len(), 2);
        let glue: Vec<_> = message.additionals.iter().map(|record| text(&record.name)).collect();
        assert_eq!(glue, ["ns1.evil.com"]);
    }

    #[test]
    fn a_parent_answers_for_ds_itself() {
        let message = ask("192.0.2.1", "evil.com", RecordType::DS);
        assert!(message.metadata.authoritative);
        assert_eq!(message.authorities[0].record_type(), RecordType::SOA);
        assert_eq!(message.metadata.response_code, ResponseCode::NoError);
    }

    #[test]
    fn a_chain_is_followed_within_the_server() {
        let message = ask("192.0.2.2", "www.evil.com", RecordType::A);
        let owners: Vec<_> = message.answers.iter().map(|record| text(&record.name)).collect();
        assert_eq!(owners, ["www.evil.com", "a.b.evil.com"]);
    }

    #[test]
    fn a_wildcard_stands_for_what_does_not_exist() {
        let message = ask("192.0.2.2", "x.evil.com", RecordType::A);
        assert_eq!(message.answers[0].name, name("x.evil.com").unwrap());
        // `b.evil.com` exists, if only because of what is below it (RFC 4592 section 2.2.2).
        let message = ask("192.0.2.2", "b.evil.com", RecordType::A);
        assert!(message.answers.is_empty());
        assert_eq!(message.metadata.response_code, ResponseCode::NoError);
    }
}
