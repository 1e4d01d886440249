//! Real-shaped inventories, good rows and broken ones; and whatever octets.

use std::fs;

use super::*;
use proptest::prelude::*;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/names").join(name)
}

fn load(name: &str) -> (Inventory, Vec<String>) {
    let (inventory, warnings) = Inventory::load(&[data(name)]).unwrap();
    let begin = format!("{}: ", data(name).display());
    let warnings = warnings.iter().map(|w| w.strip_prefix(&begin).unwrap().to_owned()).collect();
    (inventory, warnings)
}

fn name(inventory: &Inventory, address: &str, time: &str) -> Option<String> {
    let address = super::address(address).unwrap();
    inventory.name(address, None, Timestamp::from_rfc3339(time).unwrap()).map(str::to_owned)
}

const NOON: &str = "2026-03-02T12:00:00Z";

#[test]
fn a_table_with_a_header() {
    let (inventory, warnings) = load("assets.csv");
    let at = |address: &str| name(&inventory, address, NOON);
    assert_eq!(at("192.168.2.42").as_deref(), Some("büro-kevin"));
    assert_eq!(at("192.168.2.40").as_deref(), Some("judith-pc.corp.example"));
    assert_eq!(at("10.0.0.5").as_deref(), Some("server-1"));
    let by_mac =
        |text: &str| inventory.name(super::address("10.9.9.9").unwrap(), mac(text), Timestamp(0));
    assert_eq!(by_mac("00:1B:21:3C:00:99"), Some("laptop-9"));
    assert_eq!(by_mac("00:1b:21:3c:00:1c"), Some("büro-kevin"));
    assert_eq!(
        warnings,
        [
            "line 4: \"192.168.2.300\" is not an address; skipped",
            "1 row has no host name, the first in line 5; skipped",
        ]
    );
}

#[test]
fn a_hosts_file() {
    let (inventory, warnings) = load("hosts");
    assert_eq!(name(&inventory, "192.168.2.194", NOON).as_deref(), Some("dc1.corp.example"));
    assert_eq!(name(&inventory, "fd00::42", NOON).as_deref(), Some("kevin-pc"));
    assert_eq!(name(&inventory, "127.0.0.1", NOON), None);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("line 7: \"not-an-address  x\" is neither"));
    assert_eq!(warnings[1], "1 row has no host name, the first in line 6; skipped");
}

#[test]
fn leases_of_dnsmasq() {
    let (inventory, warnings) = load("dnsmasq.leases");
    assert_eq!(name(&inventory, "192.168.2.42", NOON).as_deref(), Some("KEVIN-PC"));
    assert_eq!(name(&inventory, "fd00::1c", NOON).as_deref(), Some("KEVIN-PC"));
    assert_eq!(name(&inventory, "192.168.2.43", NOON), None, "a host without a name");
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn leases_of_isc_dhcpd_tell_who_had_an_address_when() {
    let (inventory, warnings) = load("dhcpd.leases");
    let at = |time| name(&inventory, "192.168.2.42", time);
    assert_eq!(at("2026-03-02T09:59:59Z").as_deref(), Some("KEVIN-PC"));
    assert_eq!(at("2026-03-02T10:30:00Z"), None);
    assert_eq!(at("2027-01-01T00:00:00Z").as_deref(), Some("GUEST-7"));
    assert_eq!(name(&inventory, "192.168.2.45", NOON).as_deref(), Some("LENA-PC"));
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings[0].contains("\"192.168.2.999\" is not an address"));
    assert!(warnings[1].contains("\"yesterday\" is not a time"));
    assert!(warnings[2].contains("is not closed"));
}

#[test]
fn what_holds_no_name_is_an_error_that_says_what_is_wanted() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for content in [&b""[..], b"\x7fELF\x02\x01\0\0\xff\xfe", b"ip,hostname\n", b"a b c\n"] {
        fs::write(file.path(), content).unwrap();
        let error = Inventory::load(&[file.path().to_owned()]).unwrap_err().to_string();
        assert!(error.contains("no host name found") && error.contains("CSV"), "{error}");
    }
    let missing = Inventory::load(&[data("nothing-here")]).unwrap_err().to_string();
    assert!(missing.contains("cannot read the inventory"), "{missing}");
}

#[test]
fn what_netsh_shows_of_dhcp_clients_has_its_names_last() {
    let text = "Changed the current scope context to 192.168.2.0 scope.\n=====\n\
                IP Address      - Subnet Mask    - Unique ID           - Lease Expires        -Type -Name\n=====\n\
                192.168.2.42    - 255.255.255.0  -00-1b-21-3c-00-1c    -3/10/2026 5:00:00 PM  -D-  pc-buch.corp.local\n\
                192.168.2.43    - 255.255.255.0  - 00-1b-21-3c-00-1d   -NEVER EXPIRES         -U-  drucker-1\n\
                192.168.2.44    - 255.255.255.0  - 00-1b-21-3c-00-1e   -3/10/2026 5:00:00 PM  -D\n";
    let found = understand(text.as_bytes());
    let name = |address| name(&found.inventory, address, NOON);
    assert_eq!(name("192.168.2.42").as_deref(), Some("pc-buch.corp.local"));
    assert_eq!(name("192.168.2.43").as_deref(), Some("drucker-1"));
    assert_eq!(name("192.168.2.44"), None);
    let words = found.nameless_in_words().unwrap();
    assert_eq!(words, "1 row has no host name, the first in line 7; skipped");
}

#[test]
fn what_is_no_host_name_is_left_out_and_counted() {
    let text = "ip,hostname\n10.0.0.1,-\n10.0.0.2,00-1b-21-3c-00-1c\n10.0.0.3,pc-3\n10.0.0.4,n/a\n";
    let found = understand(text.as_bytes());
    assert_eq!((found.names, found.nameless), (1, 3));
    assert_eq!(
        found.nameless_in_words().unwrap(),
        "3 rows have no host name, as line 2: \"-\"; skipped"
    );
    // What Windows shows has none at all, and what Unix shows may have.
    let file = tempfile::NamedTempFile::new().unwrap();
    let arp = "Interface: 192.168.2.194 --- 0xb\n  Internet Address      Physical Address      Type\n  \
               192.168.2.42          00-1b-21-3c-00-1c     dynamic\n";
    fs::write(file.path(), arp).unwrap();
    let error = Inventory::load(&[file.path().to_owned()]).unwrap_err().to_string();
    assert!(error.contains("the output of `arp -a`, which has no names"), "{error}");
    let unix = "? (10.0.0.1) at 00:1b:21:3c:00:1c [ether] on eth0\npc.lan (10.0.0.2) at 00:1b:21:3c:00:1d on en0\n";
    let found = understand(unix.as_bytes());
    assert_eq!(name(&found.inventory, "10.0.0.2", NOON).as_deref(), Some("pc.lan"));
    assert_eq!((found.names, found.nameless), (1, 1));
}

#[test]
fn spreadsheets_write_utf_16() {
    let text = "hostname\tip\r\nPC-1\t10.0.0.1\r\n";
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let found = understand(&[&[0xff, 0xfe][..], &wide].concat());
    assert_eq!((found.names, found.warnings.len()), (1, 0));
}

proptest! {
    #[test]
    fn no_file_is_too_broken(bytes: Vec<u8>, lines in "(lease|ip,name|[0-9. ]{1,9}|[a-z{};\" ]{0,12}|\n){0,30}") {
        let _ = (understand(&bytes), understand(lines.as_bytes()));
    }

    #[test]
    fn many_lines_take_no_longer_each(count in 1000usize..1500) {
        let text: String = (0..count).map(|n| format!("10.0.{}.{} pc-{n}\n", n / 256, n % 256)).collect();
        prop_assert_eq!(understand(text.as_bytes()).names, count);
    }
}
