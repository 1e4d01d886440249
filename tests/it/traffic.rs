//! The generator of the benchmarks' traffic makes what its options say, the same each time.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::{make_traffic, whoasked};

/// The addresses that ask in the capture that the generator makes by `options`: of resolvers, which have the whole
/// of 10.10.0.0/16 and fd20:0:10::/64, and of clients.
fn resolvers_and_clients(options: &[&str]) -> [BTreeSet<String>; 2] {
    let directory = tempfile::tempdir().unwrap();
    let [path, again] = ["traffic.pcap", "again.pcap"].map(|name| {
        let path = directory.path().join(name);
        make_traffic(options, &path);
        path
    });
    assert!(
        fs::read(&path).unwrap() == fs::read(again).unwrap(),
        "{options:?}: not twice the same"
    );
    let messages = whoasked([Path::new("messages"), &path]).json();
    let queries = messages.iter().filter(|message| message["response"] == false);
    let askers = queries.map(|query| query["src"].as_str().unwrap().to_owned());
    let (resolvers, clients) = askers
        .partition(|address| ["10.10.", "fd20:0:10:"].iter().any(|of| address.starts_with(of)));
    [resolvers, clients]
}

#[test]
fn every_resolver_asks_and_every_client_too_if_so_wanted() {
    let options = ["--packets", "20000", "--clients", "3000", "--resolvers", "30"];
    let mut options = [&options[..], &["--random", "0.5", "--flagged", "0.1"]].concat();
    let [resolvers, clients] = resolvers_and_clients(&options);
    assert_eq!(resolvers.len(), 30);
    // Of 6,000 questions among 3,000 clients, chance gives one client in eight none.
    assert!((2_400..2_800).contains(&clients.len()), "{} clients", clients.len());
    options.push("--every-client");
    let [resolvers, clients] = resolvers_and_clients(&options);
    assert_eq!([resolvers.len(), clients.len()], [30, 3_000]);
}
