//! What speaks for a false alarm.

use super::dealings::{Dealings, IndicatorTally, Way};
use super::names::registered_domain;
use super::words::{count, few};
use super::{Hint, HintContext, Leaning};
use crate::flow::Address;
use crate::indicator::Indicator;
use crate::indicator::shared::{ServerRole, cdn_of, server_of};
use crate::resolution::ForOthers;

/// So many clients that came by one name make it a popular one.
const POPULAR_CLIENTS: usize = 3;
/// So many clients are many, if they are also one in [`MANY_SHARE`] of all.
const MANY_CLIENTS: u64 = 8;
/// See [`MANY_CLIENTS`].
const MANY_SHARE: u64 = 5;

fn harmless(code: &'static str, words: String) -> Hint {
    Hint { code, leaning: Leaning::Harmless, words }
}

/// What speaks for a false alarm of one client.
pub(super) fn of_client(
    client: Address,
    indicator: Indicator<'_>,
    dealings: &Dealings,
) -> Option<Hint> {
    let value = indicator.value;
    let asked = few(&dealings.names, dealings.more_names);
    if dealings.only(&[Way::Alias]) {
        let words = format!(
            "{client} never asked for {value} itself, only for {asked}, whose alias chain ends there"
        );
        return Some(harmless("alias-tail", words));
    }
    if dealings.only(&[Way::SharedAddress]) {
        let words = format!(
            "{client} asked for {asked}; {value} is an address of a network that hosts many owners' sites"
        );
        return Some(harmless("shared-cdn", words));
    }
    if dealings.only(&[Way::Server]) {
        let words = format!(
            "{client} asked for {asked}; {value} was a name server on the way to the answer, which may \
             serve many other names"
        );
        return Some(harmless("name-server-address", words));
    }
    None
}

/// It may be somebody else who asked.
pub(super) fn for_others(client: Address, why: ForOthers) -> Hint {
    let asks = match why {
        ForOthers::ChecksAnswers => "for the records that validate answers, as DNS servers do",
        ForOthers::AsksAsServers => "as servers do, and almost nobody else here does",
        ForOthers::AsksFarMore => "far more than the others here",
        ForOthers::AsksNearlyAll => "nearly everything that is asked here",
        ForOthers::FollowsAliases => {
            "for the targets of aliases that it was given, as DNS servers do"
        }
        ForOthers::Translates => "what others asked just before, as a router with NAT does",
        ForOthers::MayTranslate => {
            "the same as another address at the same moments; one of the two belongs to a router with NAT"
        }
    };
    let words = format!(
        "{client} asks {asks}: if it is a DNS server, a mail server, a proxy or a router, it may have asked for \
         another host; its own log or a mirror of its port shows for which"
    );
    harmless(super::FOR_OTHERS, words)
}

/// What speaks for a false alarm of all that was seen of an indicator.
pub(super) fn of_indicator(
    indicator: Indicator<'_>,
    gathered: &IndicatorTally,
    context: &HintContext<'_>,
) -> Vec<Hint> {
    let mut hints: Vec<Hint> = alias_tail(indicator, gathered).into_iter().collect();
    hints.extend(shared_cdn(indicator, gathered));
    hints.extend(server(indicator, gathered, context));
    hints.extend(many_clients(gathered, context));
    hints.extend(resolver_only(gathered));
    hints
}

/// Only other owners' names lead there.
fn alias_tail(indicator: Indicator<'_>, gathered: &IndicatorTally) -> Option<Hint> {
    if !gathered.only(&[Way::Alias]) {
        return None;
    }
    let mut domains: Vec<String> =
        gathered.aliases.iter().map(|name| registered_domain(name)).collect();
    domains.sort_unstable();
    domains.dedup();
    let clients = gathered.clients.len();
    let is_popular = domains.len() >= 2 && clients >= 2 || clients >= POPULAR_CLIENTS;
    let owners = match domains.len() {
        0 | 1 => String::new(),
        many => {
            let least = if gathered.more_aliases { "at least " } else { "" };
            format!(", names in {least}{many} unrelated domains")
        }
    };
    let unknown = match gathered.verdicts.no_client + gathered.verdicts.undetermined {
        0 => String::new(),
        unknown => format!(
            "; for {}, what led there is not known",
            count(unknown, "further lookup", "further lookups")
        ),
    };
    let words = format!(
        "{} was only reached through {}{owners}, by {}; no client asked for it by name{unknown}",
        indicator.value,
        few(&gathered.aliases, gathered.more_aliases),
        count(clients as u64, "client", "clients"),
    );
    Some(harmless(if is_popular { "alias-tail-of-popular-name" } else { "alias-tail" }, words))
}

/// What aliases lead to, or what has a listed address, belongs to a network whose names stand for its customers'.
fn shared_cdn(indicator: Indicator<'_>, gathered: &IndicatorTally) -> Option<Hint> {
    if !gathered.only(&[Way::Alias]) && !gathered.only(&[Way::SharedAddress]) {
        return None;
    }
    let cdn = gathered.tails.iter().find_map(|tail| cdn_of(tail))?;
    let all = gathered
        .tails
        .iter()
        .all(|tail| cdn_of(tail).is_some_and(|other| other.operator == cdn.operator));
    let words = format!(
        "names below {} belong to {}, which hosts many owners' sites: {} identifies the hosting network, not the \
         site",
        cdn.suffix, cdn.operator, indicator.value
    );
    all.then(|| harmless("shared-cdn", words))
}

/// The listed address is that of a name server.
fn server(
    indicator: Indicator<'_>,
    gathered: &IndicatorTally,
    context: &HintContext<'_>,
) -> Option<Hint> {
    let is_only_server = gathered.clients.values().all(|dealings| dealings.only(&[Way::Server]));
    let address = *gathered.servers.first()?;
    if !is_only_server || gathered.more_clients {
        return None;
    }
    let about = few(&gathered.asked_there, gathered.more_asked_there);
    let question = "the alert is about the question";
    if let Some(known) = server_of(address) {
        let code = match known.role {
            ServerRole::Root | ServerRole::TopLevel => "referral-server",
            ServerRole::Resolver => "shared-name-server",
        };
        let what = known.role.as_str();
        let words = format!(
            "{address} is {}, {what}: {question} ({about}), not about this server",
            known.name
        );
        return Some(harmless(code, words));
    }
    let asked = context.servers.get(&address)?;
    if !asked.is_shared() {
        let words = format!(
            "{} was only asked as a name server, about {about}: no answer gave it to a client",
            indicator.value
        );
        return Some(harmless("name-server-address", words));
    }
    let domains = few(&asked.domains, asked.more);
    let (code, does) = match asked.refers() {
        true => ("referral-server", "and named other servers to ask: it is a referral server"),
        false => {
            ("shared-name-server", "and answered for them: it is a name server for many owners")
        }
    };
    let words = format!(
        "{address} was asked about names of {}{} domains ({domains}) {does}; {question} ({about}), not \
         about this server",
        if asked.more { "more than " } else { "" },
        asked.domains.len(),
    );
    Some(harmless(code, words))
}

/// Many unrelated clients asked.
fn many_clients(gathered: &IndicatorTally, context: &HintContext<'_>) -> Option<Hint> {
    let clients = gathered.clients.len() as u64;
    if clients < MANY_CLIENTS || clients * MANY_SHARE < context.clients {
        return None;
    }
    let words = format!(
        "{}{clients} of the {} clients in this capture asked: usually this is a service they share; if not, they \
         are all affected",
        if gathered.more_clients { "more than " } else { "" },
        context.clients.max(clients),
    );
    Some(harmless("many-clients", words))
}

/// No client is behind it.
fn resolver_only(gathered: &IndicatorTally) -> Option<Hint> {
    let no_client = gathered.verdicts.no_client;
    if no_client == 0 || no_client < gathered.verdicts.total() {
        return None;
    }
    let queries = match no_client {
        1 => "the only query".to_owned(),
        many => format!("any of the {many} queries"),
    };
    let words = if gathered.priming == no_client {
        format!(
            "no client is behind {queries}: a DNS server asks for the root servers this way (priming)"
        )
    } else {
        format!(
            "no client is behind {queries}: the DNS server asked on its own, to refresh its cache or for a program \
             that runs on it; if you know no reason, check the programs on the server"
        )
    };
    Some(harmless("resolver-only", words))
}
