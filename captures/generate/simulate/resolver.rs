//! A caching resolver, as the scenario wants it to behave.
//!
//! An ask starts a job. The job walks the cache from the question along the aliases; where the cache
//! ends it waits for a fetch, then walks again from the start. A fetch finds out one name and type:
//! one query to a forwarder, or one to each server on the way from the deepest known zone.

use anyhow::Result;
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, Record, RecordType};

use super::{Event, Job, Purpose, Served, Simulation, Waiter};
use crate::world::{addresses, empty, service};

/// No job starts more fetches.
const FETCHES_MAX: u32 = 24;
/// What a walk through the cache came to.
enum Walk {
    /// The end: records, code, and what should be refreshed.
    Done(Vec<Record>, ResponseCode, Vec<(Name, RecordType)>),
    /// A name that must be found out first.
    Needs(Name, RecordType),
}

impl Simulation<'_> {
    /// A question reaches a resolver.
    pub(super) fn question(&mut self, now_ns: i64, ask: usize) -> Result<()> {
        // A repeated question joins itself.
        if self.jobs.iter().any(|job| job.ask == ask && job.purpose == Purpose::Answer) {
            return Ok(());
        }
        let (qname, qtype) = (self.asks[ask].qname.clone(), self.asks[ask].qtype);
        let purpose = Purpose::Answer;
        self.start(now_ns, Job { ask, purpose, qname, qtype, fetches: 0, done: false })
    }

    /// A job begins. A refresh asks before it looks.
    pub(super) fn start(&mut self, now_ns: i64, job: Job) -> Result<()> {
        self.jobs.push(job.clone());
        let number = self.jobs.len() - 1;
        let behaviour = &self.scenario.resolver[self.asks[job.ask].resolver];
        if let Some(wait_s) = behaviour.gives_up_s {
            self.schedule(now_ns + (wait_s * 1e9) as i64, Event::GiveUp { job: number });
        }
        match job.purpose {
            Purpose::Refresh => self.want(now_ns, number, job.qname, job.qtype),
            Purpose::Answer | Purpose::Servers => self.advance(now_ns, number),
        }
    }

    /// A job walks on, and either ends or waits for a fetch.
    pub(super) fn advance(&mut self, now_ns: i64, number: usize) -> Result<()> {
        if self.jobs[number].done {
            return Ok(());
        }
        match self.walk(now_ns, number) {
            Walk::Needs(qname, qtype) if self.jobs[number].fetches < FETCHES_MAX => {
                self.want(now_ns, number, qname, qtype)
            }
            Walk::Needs(..) => self.fail(now_ns, number),
            Walk::Done(records, rcode, refresh) => {
                self.jobs[number].done = true;
                let (ask, purpose) = (self.jobs[number].ask, self.jobs[number].purpose);
                if purpose != Purpose::Answer {
                    return Ok(());
                }
                self.asks[ask].addresses = records.iter().flat_map(addresses).collect();
                self.asks[ask].services = records.iter().filter_map(service).cloned().collect();
                let mut message = empty();
                message.metadata.recursion_desired = true;
                message.metadata.recursion_available = true;
                message.metadata.response_code = rcode;
                message.answers = records;
                let behaviour = &self.scenario.resolver[self.asks[ask].resolver];
                let early = behaviour.refresh_after_us < 0 && !refresh.is_empty();
                let mut at_ns = now_ns + self.random.between(40_000, 140_000);
                if early {
                    // No query takes longer than this to leave.
                    at_ns = now_ns + 300_000;
                }
                self.answer(at_ns, ask, message)?;
                at_ns = if early { now_ns } else { at_ns + behaviour.refresh_after_us * 1_000 };
                for (qname, qtype) in refresh {
                    let job = Job {
                        ask,
                        purpose: Purpose::Refresh,
                        qname,
                        qtype,
                        fetches: 0,
                        done: false,
                    };
                    self.schedule(at_ns, Event::Start { job });
                }
                Ok(())
            }
        }
    }

    /// Follows a job's question through the cache.
    fn walk(&mut self, now_ns: i64, number: usize) -> Walk {
        let job = self.jobs[number].clone();
        let resolver = self.asks[job.ask].resolver;
        let behaviour = &self.scenario.resolver[resolver];
        let cache = &self.boxes[resolver].cache;
        let (mut records, mut refresh, mut rcode) = (Vec::new(), Vec::new(), ResponseCode::NoError);
        let mut chain = vec![job.qname.clone()];
        let mut needs = None;
        while let Some(current) = chain.last().cloned() {
            let Some(found) = cache.lookup(&current, job.qtype, now_ns, behaviour.stale_s) else {
                needs = Some((current, job.qtype));
                break;
            };
            let old = found.left_s < behaviour.prefetch_s || found.left_s < 0;
            if old && job.fetches == 0 && !found.records.is_empty() {
                refresh.push((
                    current,
                    if found.kind == RecordType::CNAME { job.qtype } else { found.kind },
                ));
            }
            rcode = found.rcode;
            let alias = found.alias(job.qtype);
            records.extend(found.records);
            match alias {
                Some(target) if chain.len() < 16 => chain.push(target),
                _ => break,
            }
        }
        if needs.is_none() && behaviour.validate {
            let zones = chain.iter().map(|name| cache.zone_above(name, false, now_ns));
            let mut unproven = zones.filter(|zone| {
                zone.iter().len() > 1 && cache.lookup(zone, RecordType::DS, now_ns, 0).is_none()
            });
            needs = unproven.next().map(|zone| (zone, RecordType::DS));
        }
        if job.purpose == Purpose::Answer {
            self.asks[job.ask].chain = chain;
        }
        match needs {
            Some((qname, qtype)) => Walk::Needs(qname, qtype),
            None => Walk::Done(records, rcode, refresh),
        }
    }

    /// A job waits for a name: it joins a fetch under way or starts one.
    fn want(&mut self, now_ns: i64, number: usize, qname: Name, qtype: RecordType) -> Result<()> {
        self.jobs[number].fetches += 1;
        let job = self.jobs[number].clone();
        let resolver = self.asks[job.ask].resolver;
        let own = self.fetch(now_ns, resolver, qname, qtype, Waiter::Job(number), 0)?;
        if job.purpose == Purpose::Answer {
            let ask = &mut self.asks[job.ask];
            ask.served = match (own, ask.served) {
                (true, _) | (_, Served::Upstream) => Served::Upstream,
                (false, _) => Served::Joined,
            };
        }
        Ok(())
    }

    /// A job gives up: SERVFAIL, or silence.
    pub(super) fn fail(&mut self, now_ns: i64, number: usize) -> Result<()> {
        if self.jobs[number].done {
            return Ok(());
        }
        self.jobs[number].done = true;
        let job = self.jobs[number].clone();
        let resolver = self.asks[job.ask].resolver;
        if job.purpose != Purpose::Answer || !self.scenario.resolver[resolver].servfail {
            return Ok(());
        }
        let mut message = empty();
        message.metadata.recursion_desired = true;
        message.metadata.recursion_available = true;
        message.metadata.response_code = ResponseCode::ServFail;
        let at_ns = now_ns + self.random.between(40_000, 140_000);
        self.answer(at_ns, job.ask, message)
    }
}
