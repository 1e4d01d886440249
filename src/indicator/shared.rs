//! What many unrelated people share: suffixes of content delivery networks and hosters, public
//! resolvers, the servers of the root and of top-level domains. To list one of them flags half the
//! internet, and a sighting of one says little. The list is `shared.txt`, with its sources.

use std::net::IpAddr;
use std::sync::LazyLock;

use crate::flow::Address;

/// A suffix below which the names of very many customers of one operator stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cdn {
    /// `akamaiedge.net`.
    pub suffix: &'static str,
    /// `Akamai`.
    pub operator: &'static str,
    /// The word for where that is known from; `shared.txt` says what each stands for.
    pub source: &'static str,
}

/// The address of a server that very many resolvers ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its address.
    pub address: Address,
    /// What it is.
    pub role: ServerRole,
    /// Its name, or that of the service.
    pub name: &'static str,
}

/// What a widely used server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerRole {
    /// A public DNS resolver.
    Resolver,
    /// A name server of the root.
    Root,
    /// A name server of a top-level domain.
    TopLevel,
}

impl ServerRole {
    /// In words, with its article.
    pub fn as_str(self) -> &'static str {
        match self {
            ServerRole::Resolver => "a public DNS resolver",
            ServerRole::Root => "a name server of the root",
            ServerRole::TopLevel => "a name server of a top-level domain",
        }
    }
}

/// The suffix that the name stands at or below, of several the longest. The name is as DNS shows it, in
/// any letter case, with or without its trailing dot.
pub fn cdn_of(name: &str) -> Option<&'static Cdn> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let below = name.match_indices('.').map(|(at, _)| name.get(at + 1..).unwrap_or_default());
    // No listed suffix has more labels than this, and a name may be as long as its sender likes.
    let labels = name.bytes().filter(|&octet| octet == b'.').count() + 1;
    let skip = labels.saturating_sub(LABELS_MAX);
    std::iter::once(name).chain(below).skip(skip).find_map(|suffix| {
        let place = LISTED.cdns.binary_search_by(|cdn| compare_folded(cdn.suffix, suffix));
        LISTED.cdns.get(place.ok()?)
    })
}

/// The widely used server that has this address.
pub fn server_of(address: Address) -> Option<&'static Server> {
    let place = LISTED.servers.binary_search_by(|server| server.address.cmp(&address));
    LISTED.servers.get(place.ok()?)
}

/// All suffixes, in the order of their text.
pub fn cdns() -> &'static [Cdn] {
    &LISTED.cdns
}

/// All servers, in the order of their addresses.
pub fn servers() -> &'static [Server] {
    &LISTED.servers
}

/// The most labels that a listed suffix has; a test holds the list to it.
const LABELS_MAX: usize = 4;

struct Listed {
    cdns: Vec<Cdn>,
    servers: Vec<Server>,
}

static LISTED: LazyLock<Listed> = LazyLock::new(|| read(include_str!("shared.txt")));

/// The listed text against one in any letter case.
fn compare_folded(listed: &str, other: &str) -> std::cmp::Ordering {
    listed.bytes().cmp(other.bytes().map(|octet| octet.to_ascii_lowercase()))
}

fn read(text: &'static str) -> Listed {
    let mut listed = Listed { cdns: Vec::new(), servers: Vec::new() };
    for line in text.lines() {
        let mut fields = line.split('\t');
        let (Some(kind), Some(entry), Some(name), Some(source)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let role = match kind {
            "cdn" => {
                listed.cdns.push(Cdn { suffix: entry, operator: name, source });
                continue;
            }
            "resolver" => ServerRole::Resolver,
            "root" => ServerRole::Root,
            _ => ServerRole::TopLevel,
        };
        if let Ok(ip) = entry.parse::<IpAddr>() {
            listed.servers.push(Server { address: ip.into(), role, name });
        }
    }
    listed.cdns.sort_unstable_by_key(|cdn| cdn.suffix);
    listed.servers.sort_unstable_by_key(|server| server.address);
    listed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_at_or_below_a_shared_suffix_is_told_its_operator() {
        let operator = |name| cdn_of(name).map(|cdn| (cdn.suffix, cdn.operator));
        for name in ["e13678.dspb.akamaiedge.net", "AkamaiEdge.NET.", "a.b.c.d.e.f.akamaiedge.net"]
        {
            assert_eq!(operator(name), Some(("akamaiedge.net", "Akamai")), "{name}");
        }
        assert_eq!(operator("x.s3.amazonaws.com").unwrap().0, "s3.amazonaws.com");
        for name in ["", ".", "net", "akamai", "notakamaiedge.net", "akamaiedge.net.evil.com"] {
            assert_eq!(operator(name), None, "{name}");
        }
    }

    #[test]
    fn a_server_is_known_by_its_address() {
        let server = |text: &str| server_of(text.parse::<IpAddr>().unwrap().into());
        assert_eq!(server("192.55.83.30").unwrap().name, "m.gtld-servers.net");
        assert_eq!(server("8.8.8.8").unwrap().role, ServerRole::Resolver);
        assert_eq!(server("2001:503:ba3e:0::2:30").unwrap().role, ServerRole::Root);
        assert_eq!(server("192.0.2.1"), None);
    }

    #[test]
    fn each_line_of_the_list_is_understood_and_has_a_source() {
        let text = include_str!("shared.txt");
        let is_entry = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let (head, _) = text.split_once("\n\n").unwrap();
        for line in text.lines().filter(is_entry) {
            let fields: Vec<_> = line.split('\t').collect();
            let &[kind, entry, _, source] = fields.as_slice() else { panic!("{line}") };
            assert!(["cdn", "resolver", "root", "tld"].contains(&kind), "{line}");
            assert!(head.contains(&format!("#   {source} ")), "{line}: no such source");
            assert!(kind == "cdn" || entry.parse::<IpAddr>().is_ok(), "{line}");
            assert!(entry.split('.').count() <= LABELS_MAX, "{line}");
            assert_eq!(entry, entry.to_lowercase());
        }
        let entries = text.lines().filter(is_entry).count();
        assert_eq!(entries, cdns().len() + servers().len());
        assert!(cdns().windows(2).all(|pair| pair[0].suffix < pair[1].suffix), "none twice");
        assert!(servers().windows(2).all(|pair| pair[0].address < pair[1].address), "none twice");
    }

    proptest! {
        #[test]
        fn any_text_can_be_asked_for(name: String) {
            let _ = cdn_of(&name);
        }
    }
}
