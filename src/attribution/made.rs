//! Clients and attributions made up for tests: each says what matters to it, and the rest is the same for all.

use super::{
    Attribution, ChainStep, Client, Outcome, Place, QuestionId, Sighting, State, Step, Verdict,
};
use crate::contact::Contact;
use crate::flow::Transport;
use crate::frame::FrameId;
use crate::indicator::IndicatorId;
use crate::resolution::{Leg, Role};
use crate::time::Timestamp;

/// A client that asked for the first name of a chain, and was led along the rest of it by aliases.
pub(crate) fn client(ip: &str, chain: &[&str], frame: FrameId, time: Timestamp) -> Client {
    let steps = chain.iter().enumerate().map(|(place, name)| ChainStep {
        name: (*name).to_owned(),
        step: if place == 0 { Step::Asked } else { Step::Alias },
        frame,
    });
    Client {
        question: QuestionId::new(frame, 0),
        address: ip.parse().unwrap(),
        port: 53_211,
        role: Role::Initiator,
        confidence_permille: 995,
        asked: chain[0].to_owned(),
        asked_type: "A".to_owned(),
        asked_frame: frame,
        asked_time: time,
        answer_frame: FrameId::NONE,
        rcode: None,
        chain: steps.collect(),
        hops: Vec::new(),
        mac: None,
        is_router_mac: false,
        vlan: None,
        hostname: None,
        contact: Contact::NotVisible,
    }
}

/// That a DNS server asked for a name, which is flagged, and who is behind it.
pub(crate) fn attribution(
    indicator: IndicatorId,
    name: &str,
    frame: FrameId,
    time: Timestamp,
    clients: Vec<Client>,
) -> Attribution {
    let id = format!("f{}", frame.number());
    Attribution {
        id: id.clone(),
        resolution_id: id,
        state: State::Final,
        untold_since: None,
        verdict: if clients.is_empty() { Verdict::NoClient } else { Verdict::Attributed },
        unexplained: None,
        reason: None,
        indicator,
        sighting: Sighting {
            leg: Leg::Upstream,
            place: Place::Qname,
            frame,
            time,
            resolver: "192.168.2.194".parse().unwrap(),
            server: "198.51.100.7".parse().unwrap(),
            transport: Transport::Udp,
            name: name.to_owned(),
            rtype: "A".to_owned(),
            response_frame: FrameId::NONE,
            rcode: None,
            outcome: Outcome::Answered,
        },
        clients,
        doubts: Vec::new(),
    }
}
