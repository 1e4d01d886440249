//! Entries that flag far more than anybody can have meant: a top-level domain, a suffix under which
//! strangers' names stand, an address that every resolver asks.

use std::net::IpAddr;

use super::network::{IPV4, Network, SINGLE};
use super::{Entry, IndicatorKind, Indicators, Warning, shared};
use crate::flow::Address;

/// Up to how many entries each name is held against the public suffix list, which takes some 100 ns a
/// name. In longer lists only names of one label are looked at, and what is in `shared.txt`.
const SUFFIXES_MAX: usize = 200_000;
/// How many warnings are given for each kind of breadth; a list of top-level domains is meant as one.
const WARNINGS_MAX: usize = 50;

impl Indicators {
    /// What flags more than names of one owner or one address, and why, up to a limit: `com (it is a whole top-level domain)`.
    pub fn too_broad(&self) -> &[String] {
        &self.too_broad
    }

    /// A warning for each entry that is too broad, of what is flagged and of what is allowed. The former are remembered.
    pub(super) fn broad(&mut self) -> Vec<Warning> {
        let mut warnings =
            self.broad_entries("expect false alarms; to ignore it, use --allow FILE");
        let is_one_address = |entry: &&Warning| entry.text.parse::<IpAddr>().is_ok();
        let several = warnings.iter().filter(|entry| !is_one_address(entry));
        self.too_broad = several.map(|entry| format!("{} ({})", entry.text, entry.why)).collect();
        if let Some(allowed) = &self.allowed {
            warnings.extend(allowed.broad_entries("allowed as given"));
        }
        warnings
    }

    fn broad_entries(&self, done: &'static str) -> Vec<Warning> {
        let looks_at_suffixes = self.entries.len() <= SUFFIXES_MAX;
        let mut broad: Vec<(u32, String)> = Vec::new();
        for cdn in shared::cdns() {
            for id in self.listed_text(cdn.suffix) {
                let why = format!("very many customers of {} have names below it", cdn.operator);
                broad.push((id, why));
            }
        }
        if looks_at_suffixes || self.label_counts & 0b11 != 0 || !self.prefixes.is_empty() {
            let entries = self.entries.iter();
            broad
                .extend(entries.filter_map(|(id, entry)| {
                    Some((id, self.breadth(&entry, looks_at_suffixes)?))
                }));
        }
        // Of several reasons the first stays.
        broad.sort_by_key(|(id, _)| *id);
        broad.dedup_by_key(|(id, _)| *id);
        broad.truncate(WARNINGS_MAX);
        let warning = |(id, why)| {
            let indicator = self.get(super::IndicatorId(id))?;
            let list = self.lists.get(usize::from(indicator.list.0))?;
            Some(Warning {
                file: list.file.clone(),
                line: indicator.line,
                text: indicator.value.to_owned(),
                why,
                done,
            })
        };
        broad.into_iter().filter_map(warning).collect()
    }

    /// The entries that flag what is below a suffix.
    fn listed_text(&self, suffix: &str) -> Vec<u32> {
        let hash = self.hash_of_text(suffix.as_bytes());
        let head = self
            .table
            .find(hash.0, |id| self.entry(id).is_some_and(|e| self.bare(&e) == suffix.as_bytes()));
        let chain = head.into_iter().flat_map(|head| self.chain(head));
        chain.filter(|(_, entry)| entry.kind.flags(false)).map(|(id, _)| id).collect()
    }

    fn breadth(&self, entry: &Entry, looks_at_suffixes: bool) -> Option<String> {
        let bare = self.bare(entry);
        match entry.kind {
            IndicatorKind::Exact => None,
            IndicatorKind::Below | IndicatorKind::Domain => match bare {
                b"." => Some("it is the root, and every name is below it".into()),
                _ if !bare.contains(&b'.') => Some("it is a whole top-level domain".into()),
                _ if looks_at_suffixes && is_public_suffix(bare) => {
                    Some("it is a public suffix: anybody can have a name below it".into())
                }
                _ => None,
            },
            IndicatorKind::Address | IndicatorKind::Network => {
                let text = std::str::from_utf8(bare).ok()?;
                let (network, _) = Network::parse(text).ok()??;
                breadth_of_network(network)
            }
        }
    }
}

/// Whether the public suffix list names the name itself.
fn is_public_suffix(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let is_suffix =
        |parsed: addr::dns::Name<'_>| parsed.has_known_suffix() && parsed.suffix() == Some(name);
    addr::parse_dns_name(name).is_ok_and(is_suffix)
}

fn breadth_of_network(network: Network) -> Option<String> {
    if network.is_whole_family() {
        return Some("it covers every address".into());
    }
    let first = network.first();
    if network.prefix == SINGLE {
        return match shared::server_of(first) {
            Some(server) => Some(format!("it is {}: {}", server.role.as_str(), server.name)),
            None if first.is_internal() => Some("it is an address of a private network".into()),
            None => None,
        };
    }
    let given =
        if first.is_v4() { network.prefix - IPV4.min(network.prefix) } else { network.prefix };
    let is_wide = if first.is_v4() { given < 12 } else { given < 28 };
    let holds =
        |server: &&shared::Server| Network::around(server.address, network.prefix) == network;
    if is_private(first, network.prefix) {
        Some("it is a private network".into())
    } else if let Some(server) = shared::servers().iter().find(holds) {
        Some(format!("it contains {}, {}", server.name, server.role.as_str()))
    } else if is_wide {
        Some("it is very wide".into())
    } else {
        None
    }
}

/// Whether both ends of a network are private.
fn is_private(first: Address, prefix: u8) -> bool {
    let host = u128::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
    let last = Address::v6((first.number() | host).to_be_bytes());
    first.is_internal() && last.is_internal()
}

#[cfg(test)]
mod tests {
    use crate::indicator::Indicators;
    use crate::name::NameHasher;

    /// The reason for each entry that is too broad.
    fn broad(list: &str) -> Vec<(String, String)> {
        let (_, warnings) =
            Indicators::read("list.txt", list.into(), NameHasher::random()).unwrap();
        warnings.into_iter().map(|warning| (warning.text, warning.why)).collect()
    }

    #[test]
    fn what_would_flag_half_the_internet_is_warned_of() {
        for (entry, why) in [
            (".", "root"),
            ("com", "top-level domain"),
            ("*.com", "top-level domain"),
            ("co.uk", "public suffix"),
            ("akamaiedge.net", "customers of Akamai"),
            ("*.github.io", "customers of GitHub Pages"),
            ("8.8.8.8", "public DNS resolver: Google"),
            ("198.41.0.4", "name server of the root"),
            ("192.55.83.30", "m.gtld-servers.net"),
            ("192.168.2.1", "private network"),
            ("10.0.0.0/8", "private network"),
            ("fd00::/8", "private network"),
            ("8.8.8.0/24", "contains Google, a public DNS resolver"),
            ("0.0.0.0/0", "every address"),
            ("::/0", "every address"),
            ("52.0.0.0/8", "very wide"),
        ] {
            let found = broad(entry);
            assert_eq!(found.len(), 1, "{entry}: {found:?}");
            assert!(found[0].1.contains(why), "{entry}: {found:?}");
        }
    }

    #[test]
    fn what_is_not_broad_is_not_warned_of() {
        let list = "evil.com\n=com\n=co.uk\n=akamaiedge.net\nx.akamaiedge.net\nevil.co.uk\n192.0.2.1\n\
                    198.51.100.0/24\n2001:db8::/32\nx.github.io\n";
        assert_eq!(broad(list), []);
    }
}
