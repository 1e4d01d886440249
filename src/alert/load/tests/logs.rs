//! Log lines of devices that say by their place what is what, and Microsoft's lists of entities.

use super::super::*;

fn read(text: &str) -> Alerts {
    let captured = crate::time::Timestamp::from_rfc3339("2026-03-02T08:00:00Z");
    let zones = Zones { captured, ..Zones::default() };
    Alerts::read("a.txt", text, None, &zones).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn is_refused(text: &str) -> bool {
    Alerts::read("a.txt", text, None, &Zones::default()).is_err()
}

/// Time, host and destination of the only alert.
fn one(text: &str) -> (String, String, String) {
    let alerts = read(text);
    let [alert] = alerts.alerts.as_slice() else { panic!("{text}: {alerts:?}") };
    let time = alert.time.map_or_else(String::new, |time| time.to_string()[..19].to_owned());
    (time, alert.host.clone().unwrap_or_default(), alert.destination.replace("[.]", "."))
}

fn expected(name: &str) -> (String, String, String) {
    ("2026-03-02T09:17:42".to_owned(), "192.168.2.194".to_owned(), name.to_owned())
}

const NAME: &str = "mi.kenal-cn.com";

#[test]
fn a_dns_servers_own_log_of_what_it_blocked_is_read() {
    for line in [
        "02-Mar-2026 09:17:42.123 client @0x7faf8e004a00 192.168.2.194#54175 (mi.kenal-cn.com): rpz QNAME NXDOMAIN rewrite mi.kenal-cn.com/A/IN via mi.kenal-cn.com.malware.rpz",
        "02-Mar-2026 09:17:42.564 rpz: info: client 192.168.2.194#40466 (mi.kenal-cn.com): view lan: disabled rpz QNAME NXDOMAIN rewrite mi.kenal-cn.com/A/IN via mi.kenal-cn.com.basic.rpz",
        "Mar  2 09:17:42 ns1 named[300]: client @0x7f 192.168.2.194#5 (mi.kenal-cn.com): rpz IP NODATA rewrite mi.kenal-cn.com/AAAA/IN via 32.67.113.0.203.rpz-ip.rpz",
    ] {
        assert_eq!(one(line), expected(NAME), "{line}");
    }
    for line in [
        "Mar 02 09:17:42 resolver unbound[200]: [200:0] info: rpz: applied [malware] mi.kenal-cn.com. rpz-nxdomain 192.168.2.194@40776 mi.kenal-cn.com. A IN",
        "[1772443062] unbound[1:0] info: rpz: applied [malware] *.kenal-cn.com. rpz-nxdomain 192.168.2.194@4242 mi.kenal-cn.com. A IN",
        "2026-03-02T09:17:42 fw unbound: [1:0] info: kenal-cn.com. always_nxdomain 192.168.2.194@5353 mi.kenal-cn.com. A IN",
    ] {
        assert_eq!(one(line), expected("mi.kenal-cn.com."), "{line}");
    }
    // What else such a log holds is passed over.
    let log = "02-Mar-2026 09:17:40.1 client @0x7f 192.168.2.42#5 (www.office.example): query: www.office.example IN A + (192.168.2.194)\n\
               02-Mar-2026 09:17:41.1 client @0x7f 192.168.2.42#6 (good.com): rpz QNAME PASSTHRU rewrite good.com/A/IN via good.com.rpz\n\
               02-Mar-2026 09:17:42.1 client @0x7f 192.168.2.194#7 (mi.kenal-cn.com): rpz QNAME NXDOMAIN rewrite mi.kenal-cn.com/A/IN via x.rpz\n";
    assert_eq!(one(log), expected(NAME));
    assert!(read(log).notices.iter().any(|notice| notice.words.contains("2 rows were ignored")));
    assert!(is_refused(
        "02-Mar-2026 09:17:40.1 client @0x7f 192.168.2.42#5 (a.example): query: a.example IN A + (192.168.2.194)\n"
    ));
}

#[test]
fn firewalls_that_say_it_by_place_are_read() {
    for (line, name) in [
        (
            "Mar 02 2026 09:17:42 asa : %ASA-4-338002: Dynamic Filter monitored blacklisted UDP traffic from inside:192.168.2.194/53211 (203.0.113.5/53211) to \
             outside:203.0.113.67/443 (203.0.113.67/443), destination 203.0.113.67 resolved from dynamic list: mi.kenal-cn.com, threat-level: very-high, category: bot",
            NAME,
        ),
        (
            "Mar 02 09:17:42: %ASA-4-338008: Dynamic Filter dropped blacklisted TCP traffic from inside:192.168.2.194/51638 (203.0.113.1/51638) to \
             outside:203.0.113.67/80 (203.0.113.67/80), destination 203.0.113.67 resolved from dynamic list: 203.0.113.67/255.255.255.255, threat-level: high, category: Bot",
            "203.0.113.67",
        ),
        (
            "Mar 02 09:17:42: %ASA-4-338001: Dynamic Filter monitored blacklisted TCP traffic from outside:203.0.113.67/80 (203.0.113.67/80) to \
             inside:192.168.2.194/51638 (203.0.113.1/51638), source 203.0.113.67 resolved from dynamic list: mi.kenal-cn.com, threat-level: high, category: Bot",
            NAME,
        ),
        (
            "mar/02/2026 09:17:42 firewall,info C2-block forward: in:bridge out:ether1, connection-state:new src-mac 00:1b:21:00:00:01, proto TCP (SYN), \
             192.168.2.194:50000->203.0.113.67:443, len 52",
            "203.0.113.67",
        ),
        (
            "2026-03-02 09:17:42 firewall,info C2-block forward: in:bridge out:ether1, connection-state:new src-mac 00:1b:21:00:00:01, proto UDP, \
             192.168.2.194:50000->203.0.113.67:443, len 52",
            "203.0.113.67",
        ),
        (
            "2026-03-02 09:17:42 Deny 192.168.2.194 9.9.9.9 dns/udp 53211 53 Trusted External ProxyDrop: DNS blocked by DNSWatch (DNS-Outgoing-00) DNS \
             proc_id=\"dns-proxy\" rc=\"594\" msg_id=\"1DFF-000F\" query_type=\"A\" question=\"mi.kenal-cn.com\" geo_dst=\"USA\"",
            NAME,
        ),
        (
            "Mar  2 09:17:42 2026 usgflex src=\"192.168.2.194\" dst=\"203.0.113.67:443\" msg=\"Malicious connection:Botnet\" note=\"ACCESS BLOCK\" user=\"\" \
             devID=\"f44d5c94f517\" cat=\"IP Reputation\" action=\"Block\"",
            "203.0.113.67",
        ),
    ] {
        assert_eq!(one(line), expected(name), "{line}");
    }
    // Of today MikroTik says the clock alone, and a rule may log what it lets through.
    let mikrotik = |rule: &str| {
        format!(
            "09:17:42 firewall,info {rule} forward: in:bridge out:ether1, connection-state:new src-mac 00:1b:21:00:00:01, proto UDP, \
             192.168.2.194:50000->203.0.113.67:443, len 52"
        )
    };
    let (host, destination) = ("192.168.2.194".to_owned(), "203.0.113.67".to_owned());
    assert_eq!(one(&mikrotik("C2-block")), (String::new(), host, destination));
    assert!(is_refused(&mikrotik("accept-web")));
    // What comes from outside is nobody's own doing.
    let inbound = "2026-03-02 09:17:41 firewall,info BAN input: in:ether1 out:(unknown 0), connection-state:new src-mac 00:1b:21:00:00:01, proto TCP (SYN), \
                   198.51.100.9:50264->192.168.2.1:80, len 40";
    assert!(is_refused(inbound));
    let other = "Mar 02 2026 09:17:42: %ASA-6-302013: Built outbound TCP connection 1 for outside:203.0.113.67/443 (203.0.113.67/443)";
    assert!(is_refused(other));
}

#[test]
fn an_alert_of_microsofts_is_about_its_entities() {
    let alert = |entities: &str| {
        format!(
            r#"[{{"TimeGenerated":"2026-03-02T09:17:42.1234567Z","AlertName":"C2 domain","Entities":{entities},"Severity":"High"}}]"#
        )
    };
    let text = r#""[{\"$id\":\"2\",\"HostName\":\"dc01\",\"Type\":\"host\"},{\"$id\":\"3\",\"Address\":\"192.168.2.194\",\"Type\":\"ip\"},{\"$id\":\"4\",\"DomainName\":\"mi.kenal-cn.com\",\"Type\":\"dns\"}]""#;
    assert_eq!(one(&alert(text)), expected(NAME));
    let list = r#"[{"Address":"192.168.2.194","Type":"ip"},{"Url":"http://mi.kenal-cn.com/a","Type":"url"}]"#;
    assert_eq!(one(&alert(list)), expected(NAME));
    let address =
        r#"[{"Address":"192.168.2.194","Type":"ip"},{"Address":"203.0.113.67","Type":"ip"}]"#;
    assert_eq!(one(&alert(address)), expected("203.0.113.67"));
    for several in [
        r#"[{"DomainName":"one.com","Type":"dns"},{"DomainName":"two.com","Type":"dns"}]"#,
        r#"[{"Address":"203.0.113.66","Type":"ip"},{"Address":"203.0.113.67","Type":"ip"}]"#,
        r#"[{"HostName":"dc01","Type":"host"}]"#,
        "[]",
    ] {
        assert!(is_refused(&alert(several)), "{several}");
    }
}

#[test]
fn a_sentence_is_not_taken_apart() {
    for text in [
        "At 09:17:42 on 2 March the firewall blocked C2 traffic to mi.kenal-cn.com from 192.168.2.194",
        "Our users can not get to www.microsoft.com, please unblock it. It was not malicious, a false alarm.",
    ] {
        assert!(is_refused(text), "{text}");
    }
}
