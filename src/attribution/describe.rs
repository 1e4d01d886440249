//! From a judged transaction to an [`Attribution`] that stands for itself: names, times, frames, words.

use std::borrow::Cow;

use super::sighting::{IndicatorHit, Joined, known_chain};
use super::{
    Attribution, ChainStep, Client, Doubt, Outcome, Place, QuestionId, Sighting, State, Step,
    Verdict,
};
use crate::bounded::Sequence;
use crate::contact::Contact;
use crate::flow::Address;
use crate::message::full::rcode_mnemonic;
use crate::name::Name;
use crate::number::count;
use crate::resolution::{Cause, Causes, Edge, ForOthers, History, Leg, NoClientReason, Role};
use crate::time::Span;
use crate::transaction::{HostId, Transaction};

/// The confidence in a client that asks outside, where no DNS server was recognised, in thousandths.
const UNRECOGNISED: u16 = 900;
/// How sure it is at most where no answer shows what a name led to, but what the resolver had learned before.
const PRESUMED: u16 = 960;
/// The same where the resolver was told of other ways, too, or the time of one of the aliases had run out.
const PRESUMED_IN_DOUBT: u16 = 800;
/// Of one that waited as for a lookup upstream, none of which is seen.
const WAITED_FOR: u16 = 900;
/// How sure it is at most, in thousandths, of a client that is named by clocks that are apart,
const CLOCKS_APART: u16 = 800;
/// of one that may ask for others,
const FOR_OTHERS_MAX: u16 = 900;
/// and of one whose queries a router sends on, if which of the two addresses is the router's cannot be told.
const EITHER: u16 = 800;
/// Less than this is no time at all to a reader.
const INSTANT: Span = Span::from_millis(1);

/// What is said of a flagged upstream query.
pub(super) fn upstream(
    history: History<'_>,
    (sequence, query): (Sequence, &Transaction),
    hit: &IndicatorHit,
    causes: &Causes,
) -> Attribution {
    let tail = tail(history, sequence, query, hit);
    let mut clients: Vec<Client> =
        causes.clients.iter().filter_map(|cause| client_of(history, cause, &tail)).collect();
    if hit.is_presumed {
        let most = presumed(history, query);
        let sure = clients.iter_mut().map(|client| &mut client.confidence_permille);
        sure.for_each(|sure| *sure = most.min(*sure));
    }
    clients.sort_by_key(|client| (client.role, client.asked_time, client.address));
    let clocks_apart = weigh_clocks(history.clocks_apart(query).is_some(), &mut clients);
    let first = history.transactions().get(causes.first_try).unwrap_or(*query);
    Attribution {
        id: id(query, hit),
        resolution_id: frame_id(&first),
        state: State::Final,
        untold_since: hit.untold_since(),
        verdict: verdict(causes.unexplained),
        unexplained: causes.unexplained,
        reason: causes.unexplained.map(|why| reason(history, query, why)),
        indicator: hit.indicator,
        sighting: sighting(history, query, Leg::Upstream, hit.place),
        doubts: doubts(history, query, &clients, hit).into_iter().chain(clocks_apart).collect(),
        clients,
    }
}

/// The causes of a query that bear out what was seen in it. What was presumed, for want of an answer, of where its name leads does
/// not hold of whose own answer led elsewhere; none if it holds of none.
pub(super) fn borne_out<'c>(
    history: History<'_>,
    causes: &'c Causes,
    hit: &IndicatorHit,
) -> Option<Cow<'c, Causes>> {
    if !hit.is_presumed {
        return Some(Cow::Borrowed(causes));
    }
    let stays = |cause: &&Cause| !is_refuted(history, cause, hit);
    let clients: Vec<Cause> = causes.clients.iter().filter(stays).cloned().collect();
    if clients.len() == causes.clients.len() {
        return Some(Cow::Borrowed(causes));
    }
    (!clients.is_empty()).then_some(Cow::Owned(Causes { clients, ..*causes }))
}

/// Whether a client's own answer shows that it was led elsewhere than a name was presumed to lead, for want of an answer.
fn is_refuted(history: History<'_>, cause: &Cause, hit: &IndicatorHit) -> bool {
    let Some(ask) = history.transactions().get(cause.ask) else { return false };
    let is_whole = ask.answered().is_some() && ask.rcode == 0 && ask.has_answers;
    let flagged = Name::from_wire(&hit.name);
    let edges = history.edges();
    let told = edges.of_answer(cause.ask);
    is_whole
        && !(ask.truncated || ask.is_partial)
        && told.iter().all(|edge| edges.has_names(edge) && edges.target_name(edge) != flagged)
}

/// What is said of a client's question that leads to an indicator without an upstream leg of its own.
pub(super) fn client(
    history: History<'_>,
    sequence: Sequence,
    ask: &Transaction,
    hit: &IndicatorHit,
    part: Option<Role>,
) -> Attribution {
    let resolver = history.roles().group_of(ask.server);
    let asks_upstream = resolver.is_some_and(|group| {
        let hosts = history.transactions().hosts();
        group.hosts.iter().any(|host| hosts.get(*host).is_some_and(|host| host.asks > 0))
    });
    let are_apart = history.has_clocks_apart(ask.server);
    let is_waited_for =
        part.is_none() && asks_upstream && history.may_be_looked_up_unseen(sequence, ask);
    let role = match part {
        Some(Role::Joiner) => Role::Joiner,
        // Without a response nothing came from the cache, and a server that was never seen asking
        // upstream may have asked out of sight, or by another clock; and so may one that took as long as that takes.
        _ if ask.answered().is_none() || !asks_upstream || are_apart || is_waited_for => {
            Role::Initiator
        }
        _ => Role::Cached,
    };
    let chain = match &hit.joined {
        Some(joined) => joined.chain.clone(),
        None => own_chain(history, sequence, ask, hit),
    };
    let confidence_permille = match (hit.place, ask.has_query()) {
        _ if let Some(joined) = &hit.joined => joined.confidence_permille,
        // A response alone may have been made up.
        (_, false) => 900,
        (Place::Alias, _) if !ask.has_answers => presumed(history, ask),
        // The answer itself shows it, or the question does.
        _ => 999,
    };
    // Who asks a server outside that nobody is known to ask may be a DNS server itself.
    let outside = resolver.is_none() && !address(history, ask.server).is_internal();
    let confidence_permille =
        if outside { confidence_permille.min(UNRECOGNISED) } else { confidence_permille };
    let confidence_permille =
        if is_waited_for { confidence_permille.min(WAITED_FOR) } else { confidence_permille };
    let confidence_permille = own_part(history, ask, confidence_permille);
    let client = Client { role, confidence_permille, chain, ..bare_client(history, ask) };
    let unexplained = if history.is_priming(ask) {
        Some(NoClientReason::Priming)
    } else if history.roles().may_be_resolver(ask, history.transactions()) {
        Some(NoClientReason::AskerMayBeResolver)
    } else {
        // The question that a router sent on would have been found.
        let translated = history.roles().translated();
        translated.is_all_of(ask.client).then_some(NoClientReason::SentOn(ask.client))
    };
    let mut clients = if unexplained.is_some() { Vec::new() } else { vec![client] };
    let clocks_apart = weigh_clocks(are_apart, &mut clients);
    Attribution {
        id: id(ask, hit),
        resolution_id: frame_id(ask),
        state: State::Final,
        untold_since: hit.untold_since(),
        verdict: verdict(unexplained),
        unexplained,
        reason: unexplained.map(|why| reason(history, ask, why)),
        indicator: hit.indicator,
        sighting: sighting(history, ask, Leg::Client, hit.place),
        doubts: doubts(history, ask, &clients, hit).into_iter().chain(clocks_apart).collect(),
        clients,
    }
}

/// Whether what upstream said for a question without a captured answer is another way than it was known to lead.
pub(super) fn was_led_elsewhere(history: History<'_>, ask: &Transaction) -> bool {
    history.was_led_elsewhere(ask, &known_chain(history, ask).edges)
}

/// How sure it is at most that a question without a chain of its own went the way that it was known to lead.
fn presumed(history: History<'_>, ask: &Transaction) -> u16 {
    let chain = known_chain(history, ask);
    let leads_elsewhere_too = |edge: &Edge| history.leads_elsewhere_too(edge, &edge.resolver);
    if chain.is_outdated() || chain.edges.iter().any(leads_elsewhere_too) {
        PRESUMED_IN_DOUBT
    } else {
        PRESUMED
    }
}

/// Where the two sides of a resolver were stamped by two clocks, who asked is not who seems to have, and nobody is named
/// for sure. That is said.
fn weigh_clocks(are_apart: bool, clients: &mut [Client]) -> Option<Doubt> {
    if !are_apart {
        return None;
    }
    let sure = clients.iter_mut().map(|client| &mut client.confidence_permille);
    sure.for_each(|sure| *sure = CLOCKS_APART.min(*sure));
    Some(Doubt::ClocksApart)
}

/// How a question that is a cause of a flagged upstream query, and waited for its answer with others, led
/// there.
pub(super) fn joined(
    history: History<'_>,
    (sequence, query): (Sequence, &Transaction),
    hit: &IndicatorHit,
    cause: &Cause,
) -> Option<Joined> {
    let client = client_of(history, cause, &tail(history, sequence, query, hit))?;
    let most = if hit.is_presumed { presumed(history, query) } else { u16::MAX };
    Some(Joined { chain: client.chain, confidence_permille: client.confidence_permille.min(most) })
}

/// How a question led to what its own answer holds, or was known to lead to.
fn own_chain(
    history: History<'_>,
    sequence: Sequence,
    ask: &Transaction,
    hit: &IndicatorHit,
) -> Vec<ChainStep> {
    let name = history.transactions().name(ask).to_string();
    let asked = ChainStep { name, step: Step::Asked, frame: ask.first_frame() };
    [asked].into_iter().chain(tail(history, sequence, ask, hit)).collect()
}

fn verdict(unexplained: Option<NoClientReason>) -> Verdict {
    match unexplained {
        None => Verdict::Attributed,
        Some(why) if why.is_open() => Verdict::Undetermined,
        Some(_) => Verdict::NoClient,
    }
}

fn frame_id(transaction: &Transaction) -> String {
    let frame = transaction.first_frame();
    let file = if frame.file() == 0 { String::new() } else { format!("{}.", frame.file()) };
    let message = match transaction.place_in_frame {
        0 => String::new(),
        before => format!("m{}", u16::from(before) + 1),
    };
    format!("f{file}{}{message}", frame.number())
}

fn id(transaction: &Transaction, hit: &IndicatorHit) -> String {
    format!("{}-{}", frame_id(transaction), hit.entry)
}

fn address(history: History<'_>, host: HostId) -> Address {
    history.transactions().hosts().get(host).map_or(Address::UNSPECIFIED, |host| host.address)
}

fn sighting(history: History<'_>, transaction: &Transaction, leg: Leg, place: Place) -> Sighting {
    let (client, server) =
        (address(history, transaction.client), address(history, transaction.server));
    Sighting {
        leg,
        place,
        frame: transaction.query,
        time: transaction.asked,
        resolver: if leg == Leg::Upstream { client } else { server },
        server,
        transport: transaction.transport,
        name: history.transactions().name(transaction).to_string(),
        rtype: transaction.qtype.to_string(),
        response_frame: transaction.response,
        rcode: transaction.answered().map(|_| rcode_mnemonic(transaction.rcode)),
        outcome: match transaction.answered() {
            None => Outcome::Unanswered,
            Some(_) if transaction.truncated => Outcome::Truncated,
            Some(_) => Outcome::Answered,
        },
    }
}

/// How sure it is that a client asked for itself, given how sure its question is.
fn own_part(history: History<'_>, ask: &Transaction, permille: u16) -> u16 {
    match history.roles().may_ask_for_others(ask.client) {
        Some(ForOthers::MayTranslate) => permille.min(EITHER),
        Some(_) => permille.min(FOR_OTHERS_MAX),
        None => permille,
    }
}

fn bare_client(history: History<'_>, ask: &Transaction) -> Client {
    Client {
        question: QuestionId::new(ask.first_frame(), ask.place_in_frame),
        address: address(history, ask.client),
        port: ask.client_port,
        role: Role::Initiator,
        confidence_permille: 0,
        asked: history.transactions().name(ask).to_string(),
        asked_type: ask.qtype.to_string(),
        asked_frame: ask.query,
        asked_time: ask.asked,
        answer_frame: ask.response,
        rcode: ask.answered().map(|_| rcode_mnemonic(ask.rcode)),
        chain: Vec::new(),
        hops: Vec::new(),
        mac: Some(history.transactions().client_mac(ask)).filter(|mac| mac.is_some()),
        is_router_mac: false,
        vlan: None,
        hostname: None,
        contact: Contact::default(),
    }
}

fn client_of(history: History<'_>, cause: &Cause, tail: &[ChainStep]) -> Option<Client> {
    let ask = history.transactions().get(cause.ask)?;
    let steps = cause.chain.iter().map(|step| ChainStep {
        name: Name::from_wire(&step.name).to_string(),
        step: step.kind.into(),
        frame: step.frame,
    });
    Some(Client {
        role: cause.role,
        confidence_permille: own_part(history, &ask, cause.confidence_permille),
        chain: steps.chain(tail.iter().cloned()).collect(),
        hops: cause.hops.iter().map(|host| address(history, *host)).collect(),
        ..bare_client(history, &ask)
    })
}

/// The steps from a transaction's own name to what was flagged in it.
fn tail(
    history: History<'_>,
    sequence: Sequence,
    transaction: &Transaction,
    hit: &IndicatorHit,
) -> Vec<ChainStep> {
    let mut edges: Vec<Edge> = history.edges().of_answer(sequence);
    let from_own_answer = !edges.is_empty() || transaction.has_answers;
    if !from_own_answer && hit.place == Place::Alias {
        edges = known_chain(history, transaction).edges;
    }
    let alias = |edge: &Edge| ChainStep {
        name: history.edges().target_name(edge).to_string(),
        step: Step::Alias,
        frame: if from_own_answer {
            transaction.response
        } else {
            edge.learned_before(transaction.answered().unwrap_or(transaction.asked_last)).frame
        },
    };
    let own = |name: &[u8], step, frame| ChainStep {
        name: String::from_utf8_lossy(name).into_owned(),
        step,
        frame,
    };
    let named = |step| ChainStep {
        name: Name::from_wire(&hit.name).to_string(),
        step,
        frame: transaction.response,
    };
    match hit.place {
        Place::Qname => Vec::new(),
        Place::Alias => {
            let flagged = Name::from_wire(&hit.name);
            let up_to = edges.iter().position(|e| history.edges().target_name(e) == flagged);
            edges.iter().take(up_to.map_or(edges.len(), |place| place + 1)).map(alias).collect()
        }
        Place::Address => {
            let mut steps: Vec<ChainStep> = edges.iter().map(alias).collect();
            steps.push(own(&hit.name, Step::Address, transaction.response));
            steps
        }
        Place::Target => edges.iter().map(alias).chain([named(Step::Service)]).collect(),
        Place::Server => vec![own(&hit.name, Step::Server, transaction.first_frame())],
        Place::Nameserver => vec![named(Step::Nameserver)],
    }
}

/// Why no client is named, for a person.
fn reason(history: History<'_>, query: &Transaction, why: NoClientReason) -> String {
    let resolver = address(history, query.client);
    match why {
        NoClientReason::Priming => format!(
            "{resolver} asked for the root servers (priming), which no client's question causes"
        ),
        NoClientReason::NobodyWaiting => format!(
            "no client was waiting for {resolver} or had just been answered with a name that leads here: this is \
             its own lookup, or a refresh that no question in this capture set off"
        ),
        NoClientReason::ServedOtherwise(count) => format!(
            "no client was waiting for it, but {} just received an older answer from {resolver} for a name that \
             now leads here: refreshing that answer may have caused this query",
            if count == 1 { "one client had".to_owned() } else { format!("{count} clients had") },
        ),
        NoClientReason::OthersWaiting(count) => format!(
            "{} waiting for {resolver}, but for {} not known to lead here: {resolver} asked for itself, or what \
             led here was cached before the capture began or is missing from it",
            if count == 1 { "one client was".to_owned() } else { format!("{count} clients were") },
            if count == 1 { "a name that is" } else { "names that are" },
        ),
        NoClientReason::ClientLegMissing => format!(
            "no question to {resolver} is in this capture: also mirror the port that its clients use"
        ),
        NoClientReason::ClientsUnseen { domains, alone, queries } => format!(
            "no client was waiting for it, but {resolver} recently asked about {} that no client in this capture \
             was asking it about ({alone} of its last {queries} queries): if it is a DNS server, also mirror the \
             port that its other clients use; if not, it asked for itself",
            count(u64::from(domains), "domain", "domains"),
        ),
        NoClientReason::BeganMidWay(after) if after < INSTANT => {
            "the capture begins with it, so the question that led here may have come earlier"
                .to_owned()
        }
        NoClientReason::BeganMidWay(after) => format!(
            "the capture began, or resumed after a gap, only {after} before what led here was first asked for, so \
             the question may have come earlier"
        ),
        NoClientReason::TriedBefore(since) => format!(
            "{resolver} had sent the same query {since} earlier without an answer, for the clients named there: it \
             cannot be told whether this retry is still for one of them"
        ),
        NoClientReason::AskedUnanswered(client, since) => format!(
            "{} asked {resolver} for this, or for a name that leads here, {since} earlier, and no answer to it is in \
             this capture: {resolver} may still be trying to answer it, which cannot be told",
            address(history, client)
        ),
        NoClientReason::AskedFailed(client, since) => format!(
            "{} asked {resolver} for this, or for a name that leads here, {since} earlier, and was told that it \
             failed: {resolver} may be trying again by itself, which cannot be told",
            address(history, client)
        ),
        NoClientReason::AskedServed(client, since) => format!(
            "{} asked {resolver} for this, or for a name that leads here, {since} earlier, and was answered; nobody \
             waiting now is known to need it: {resolver} may be refreshing that answer, which cannot be told",
            address(history, client)
        ),
        NoClientReason::PacketsLost => {
            "packets, or parts of them, are missing from the capture around here: perhaps the client's question, or \
             the answer that led to this name"
                .to_owned()
        }
        NoClientReason::TooMany(count) => {
            format!("{count} clients may have caused it, none more likely than the others")
        }
        NoClientReason::Crowded => format!(
            "too much was asked of {resolver} at that time, or too many names lead to this one, to check every \
             possible cause"
        ),
        NoClientReason::BehindResolver(host) => format!(
            "it was asked by {}, which is itself a resolver, and it cannot be told which of its clients is behind \
             that",
            address(history, host)
        ),
        NoClientReason::AskedAt { client, server } => {
            let (client, server) = (address(history, client), address(history, server));
            format!(
                "{client} was waiting for exactly this, but from {server}: if {server} is another address of \
                 {resolver}, use --resolver {resolver},{server}"
            )
        }
        NoClientReason::AskedEncrypted(client) => format!(
            "no client was seen waiting for it, but {resolver} is also asked over TLS or QUIC (port 853), last by \
             {client}: what for cannot be hit"
        ),
        NoClientReason::AskedJustAfter(after) => format!(
            "a client asked for something that needs this query, but {after} after it: its question did not cause \
             it, unless the mirror port reordered packets or two clocks differ by that much"
        ),
        NoClientReason::AskerMayBeResolver => format!(
            "{resolver} asks like a DNS server, or as much as one, and nobody asks {resolver} in this capture: if \
             it is a DNS server, also capture its client side (and name it with --resolver); if not, it is the \
             client"
        ),
        NoClientReason::SentOn(router) => format!(
            "a router forwarded it from {}, an address from which it sends other hosts' queries: the original \
             question is not in this capture",
            address(history, router)
        ),
        NoClientReason::ClocksApart(offset) => format!(
            "the clock that stamped it is {} {} the one that stamped the clients' questions: what led here cannot \
             be told until that is corrected",
            offset.abs(),
            if offset.0 < 0 { "behind" } else { "ahead of" }
        ),
        NoClientReason::Forgotten => {
            "the history is full, and the questions that led here are no longer in memory".to_owned()
        }
    }
}

fn doubts(
    history: History<'_>,
    flagged: &Transaction,
    clients: &[Client],
    hit: &IndicatorHit,
) -> Vec<Doubt> {
    let name = Name::from_wire(&hit.name).to_string();
    let is_name = matches!(hit.place, Place::Qname | Place::Alias | Place::Target);
    let is_only_tail = is_name
        && !clients.is_empty()
        && clients.iter().all(|client| {
            client.chain.len() > 1
                && client.chain.iter().skip(1).any(|step| step.step.is_pointed_at())
                && !client.asked.eq_ignore_ascii_case(&name)
        });
    let is_outdated =
        hit.is_presumed && !clients.is_empty() && known_chain(history, flagged).is_outdated();
    let doubts = [
        (is_only_tail, Doubt::AliasTail),
        (is_outdated, Doubt::OutdatedAlias),
        (hit.place == Place::Server, Doubt::NameServerAddress),
    ];
    doubts.into_iter().filter(|(applies, _)| *applies).map(|(_, doubt)| doubt).collect()
}
