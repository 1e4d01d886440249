//! The names that are asked for, where they lead, and which of them are listed.
//!
//! Each follows from a number alone, so that none has to be kept.

/// How many different flagged names there are: a list of fewer holds that many of the first ones.
pub const FLAGGED: u32 = 100;

/// What a question is for.
#[derive(Clone, Copy, Debug)]
pub enum Domain {
    /// One of those asked for again and again, the most popular first.
    Known(u32),
    /// One that leads to a listed name.
    Flagged(u32),
    /// One that is asked for once.
    Random(u64),
}

/// A name and where it leads.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The name asked for, then each alias's target.
    pub names: Vec<String>,
    /// Addresses at its end; with none the name does not exist.
    pub addresses: u8,
}

const HOSTS: [&str; 8] = ["www", "api", "login", "mail", "img", "static", "app", "update"];
const TOPS: [&str; 8] = ["com", "net", "org", "com", "de", "io", "com", "co.uk"];
const EDGES: [&str; 4] =
    ["edge.swift-cdn.net", "g.anycastlb.com", "fastedge.net", "lb.cloudhop.io"];
const SYLLABLES: [&str; 16] = [
    "ka", "lo", "mi", "ter", "va", "no", "su", "ri", "den", "po", "la", "che", "ma", "bi", "tor",
    "ne",
];

/// A number's well-mixed image (the finalizer of SplitMix64).
pub fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn pick<'a>(from: &[&'a str], by: u64) -> &'a str {
    from.get(by as usize % from.len().max(1)).copied().unwrap_or_default()
}

/// Two to four syllables.
fn word(by: u64) -> String {
    let count = 2 + by % 3;
    (1..=count).map(|place| pick(&SYLLABLES, by >> (4 * place))).collect()
}

/// A registered domain, of a kind told by `salt`.
fn registered(number: u64, salt: u64) -> String {
    let by = mix(number ^ salt << 48);
    format!("{}{number:x}.{}", word(by), pick(&TOPS, by >> 40))
}

/// A listed name: half of them domains that are asked for, half tails of aliases.
pub fn indicator(which: u32) -> String {
    let number = u64::from(which);
    match which % 2 {
        0 => registered(number, 7),
        _ => format!("n{which}.{}.{}", word(mix(number)), pick(&EDGES, mix(number) >> 40)),
    }
}

/// A listed name that nobody asks for.
pub fn filler(place: u32) -> String {
    let by = mix(u64::from(place) ^ 9 << 48);
    let domain = registered(u64::from(place), 8);
    if by.is_multiple_of(4) { format!("{}.{domain}", pick(&HOSTS, by >> 8)) } else { domain }
}

/// Where a name leads.
pub fn chain(domain: Domain) -> Chain {
    match domain {
        Domain::Known(rank) => known(rank),
        Domain::Flagged(which) => flagged(which),
        Domain::Random(number) => random(number),
    }
}

fn known(rank: u32) -> Chain {
    let number = u64::from(rank);
    let by = mix(number);
    let domain = registered(number, 1);
    let mut names = vec![format!("{}.{domain}", pick(&HOSTS, by))];
    // Chains of one to four aliases in two names of five.
    let aliases = match by >> 8 & 0xff {
        0..40 => 1,
        40..75 => 2,
        75..92 => 3,
        92..102 => 4,
        _ => 0,
    };
    for step in 1..=aliases {
        let edge = pick(&EDGES, (by >> 16) + step);
        names.push(match step {
            _ if step == aliases && step > 1 => format!("e{}.{edge}", rank / 3),
            1 if by >> 20 & 1 == 0 => format!("lb{}.{domain}", by >> 24 & 3),
            _ => format!("{}{rank:x}-c{step}.{edge}", word(by)),
        });
    }
    // One name of sixteen does not exist.
    let addresses = if by >> 32 & 15 == 0 { 0 } else { 1 + (by >> 36 & 3) as u8 };
    Chain { names, addresses }
}

fn flagged(which: u32) -> Chain {
    let number = u64::from(which);
    let listed = indicator(which);
    let names = match which % 2 {
        0 => vec![format!("{}.{listed}", pick(&HOSTS, mix(number)))],
        _ => {
            let domain = registered(number, 6);
            vec![format!("www.{domain}"), format!("{}.{}", word(number), domain), listed]
        }
    };
    Chain { names, addresses: 1 }
}

fn random(number: u64) -> Chain {
    let by = mix(number);
    let top = pick(&TOPS, by >> 40);
    // Half below a well-known domain, half as an algorithm of malware makes them.
    let mut names = vec![match by & 1 {
        0 => format!("{number:016x}.{}", registered(by >> 8 & 0xff, 1)),
        _ => format!("{}{number:x}.{top}", word(by)),
    }];
    if by & 6 == 0 {
        names.push(format!("{by:016x}.{}", pick(&EDGES, by >> 16)));
    }
    Chain { names, addresses: (by >> 3 & 1) as u8 }
}
