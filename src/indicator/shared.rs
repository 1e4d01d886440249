//! What many unrelated people share: suffixes of content delivery networks and hosters, public
//! resolvers, the servers of the root and of top-level domains. To list one of them flags half the
//! internet, and a sighting of one says little. By the names and addresses of public resolvers it is known who asks them by
//! DNS over HTTPS, too. The list is `shared.txt`, with its sources.

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
    /// Whether it is known to answer DNS over HTTPS.
    pub is_doh: bool,
}

/// A name by which a public resolver is asked over HTTPS, as is all below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Doh {
    name: &'static str,
    called: &'static str,
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
    listed_above(&LISTED.cdns, |cdn| cdn.suffix, name)
}

/// What the public resolver is called that is asked over HTTPS by this name.
pub fn doh_of(name: &str) -> Option<&'static str> {
    listed_above(&LISTED.doh, |doh| doh.name, name).map(|doh| doh.called)
}

/// What the public resolver is called that is asked over HTTPS at this address.
pub fn doh_at(address: Address) -> Option<&'static str> {
    server_of(address).filter(|server| server.is_doh).map(|server| server.name)
}

/// The entry that a name stands at or below, of several the longest.
fn listed_above<'l, T>(
    listed: &'l [T],
    suffix_of: fn(&T) -> &'static str,
    name: &str,
) -> Option<&'l T> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let below = name.match_indices('.').map(|(at, _)| name.get(at + 1..).unwrap_or_default());
    // No listed suffix has more labels than this, and a name may be as long as its sender likes.
    let labels = name.bytes().filter(|&octet| octet == b'.').count() + 1;
    let skip = labels.saturating_sub(LABELS_MAX);
    std::iter::once(name).chain(below).skip(skip).find_map(|suffix| {
        let place = listed.binary_search_by(|entry| compare_folded(suffix_of(entry), suffix));
        listed.get(place.ok()?)
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
    doh: Vec<Doh>,
    servers: Vec<Server>,
}

static LISTED: LazyLock<Listed> = LazyLock::new(|| read(include_str!("shared.txt")));

/// The listed text against one in any letter case.
fn compare_folded(listed: &str, other: &str) -> std::cmp::Ordering {
    listed.bytes().cmp(other.bytes().map(|octet| octet.to_ascii_lowercase()))
}

fn read(text: &'static str) -> Listed {
    let mut listed = Listed { cdns: Vec::new(), doh: Vec::new(), servers: Vec::new() };
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
            "doh" | "resolver" => ServerRole::Resolver,
            "root" => ServerRole::Root,
            _ => ServerRole::TopLevel,
        };
        let is_doh = kind == "doh";
        match entry.parse::<IpAddr>() {
            Ok(ip) => listed.servers.push(Server { address: ip.into(), role, name, is_doh }),
            Err(_) if is_doh => listed.doh.push(Doh { name: entry, called: name }),
            Err(_) => {}
        }
    }
    listed.doh.sort_unstable_by_key(|doh| doh.name);
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
        let server = |text: &str| server_of(text.parse().unwrap());
        assert_eq!(server("192.55.83.30").unwrap().name, "m.gtld-servers.net");
        assert_eq!(server("8.8.8.8").unwrap().role, ServerRole::Resolver);
        assert_eq!(server("2001:503:ba3e:0::2:30").unwrap().role, ServerRole::Root);
        assert_eq!(server("192.0.2.1"), None);
    }

    #[test]
    fn a_resolver_is_asked_over_https_by_its_names_and_all_below_them_and_at_its_addresses() {
        assert_eq!(doh_of("DNS.Google"), Some("Google"));
        assert_eq!(doh_of("ab12cd.dns.nextdns.io"), Some("NextDNS"));
        for name in ["notdns.google", "google", ""] {
            assert_eq!(doh_of(name), None, "{name}");
        }
        let at = |text: &str| doh_at(text.parse().unwrap());
        assert_eq!(at("2606:4700:4700::1111"), Some("Cloudflare"));
        assert_eq!([at("4.2.2.1"), at("192.55.83.30")], [None; 2], "others");
    }

    #[test]
    fn each_line_of_the_list_is_understood_and_has_a_source() {
        let text = include_str!("shared.txt");
        let is_entry = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let (head, _) = text.split_once("\n\n").unwrap();
        for line in text.lines().filter(is_entry) {
            let fields: Vec<_> = line.split('\t').collect();
            let &[kind, entry, _, source] = fields.as_slice() else { panic!("{line}") };
            assert!(["cdn", "doh", "resolver", "root", "tld"].contains(&kind), "{line}");
            assert!(head.contains(&format!("#   {source} ")), "{line}: no such source");
            let may_be_name = ["cdn", "doh"].contains(&kind);
            assert!(may_be_name || entry.parse::<IpAddr>().is_ok(), "{line}");
            assert!(entry.split('.').count() <= LABELS_MAX, "{line}");
            assert_eq!(entry, entry.to_lowercase());
        }
        let entries = text.lines().filter(is_entry).count();
        assert_eq!(entries, cdns().len() + LISTED.doh.len() + servers().len());
        assert!(LISTED.doh.windows(2).all(|pair| pair[0].name < pair[1].name), "none twice");
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
