//! Which column holds what was asked for, where an address stands beside it, and what nobody has a word for.

use super::super::*;

fn read(text: &str) -> Alerts {
    Alerts::read("a.csv", text, None, &Zones::default())
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn destinations(alerts: &Alerts) -> Vec<&str> {
    alerts.alerts.iter().map(|alert| alert.destination.as_str()).collect()
}

fn said(alerts: &Alerts) -> String {
    alerts.notices.iter().map(|notice| notice.words.as_str()).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_name_that_was_asked_for_comes_before_the_address_of_who_was_asked() {
    for heading in [
        "dns.question.name",
        "url.domain",
        "url_domain",
        "RequestURL",
        "RemoteUrl",
        "URL (custom)",
        "rrname",
        "dns.rrname",
        "ioc",
        "Blocked Domain",
        "Resource",
        "Destination DNS Domain",
        "Domäne",
    ] {
        let text = format!(
            "time,src_ip,dest_ip,{heading},threat\n2026-06-09T07:15:07Z,10.20.0.10,9.9.9.9,evil.com,C2\n"
        );
        let alerts = read(&text);
        assert_eq!(
            (destinations(&alerts), said(&alerts).as_str()),
            (vec!["evil.com"], ""),
            "{heading}"
        );
    }
}

#[test]
fn a_column_of_names_that_nobody_knows_is_used_where_it_is_surely_the_destination() {
    let rows = |header: &str, rows: &[&str]| read(&format!("{header}\n{}\n", rows.join("\n")));
    // Its heading tells of names.
    let alerts = rows(
        "time,src_ip,dest_ip,Flagged Domain Name,threat",
        &["0,10.20.0.10,9.9.9.9,evil.com,C2", "0,10.20.0.10,9.9.9.9,bad.example.net,C2"],
    );
    assert_eq!(destinations(&alerts), ["evil.com", "bad.example.net"]);
    assert!(said(&alerts).contains("taken from its column \"Flagged Domain Name\""));
    // The address is a DNS server's.
    let alerts = rows("src_ip,dest_ip,dest_port,Foo", &["10.20.0.10,9.9.9.9,53,evil.com"]);
    assert_eq!(destinations(&alerts), ["evil.com"]);
    let alerts = rows("src_ip,dest_ip,Foo", &["10.20.1.57,10.20.0.10,evil.com"]);
    assert_eq!(destinations(&alerts), ["evil.com"]);
    // Nothing else is said.
    let alerts = rows("src_ip,Foo,threat", &["10.20.0.10,http://evil.com/a,C2"]);
    assert_eq!(
        (destinations(&alerts), alerts.format),
        (vec!["http://evil.com/a"], AlertFormat::Csv)
    );
}

#[test]
fn names_that_may_be_anything_are_not_used_and_that_is_said() {
    let one = read("src_ip,dest_ip,dest_port,Foo\n10.20.0.10,203.0.113.66,443,evil.com\n");
    assert_eq!(destinations(&one), ["203.0.113.66"]);
    assert!(said(&one).contains("its column \"Foo\" holds names, which are not used"), "{one:?}");
    for heading in ["Source FQDN", "Reference URL", "User Domain Name", "Sensor Name", "Referrer"] {
        let text = format!("src_ip,dest_ip,dest_port,{heading}\n10.20.0.10,9.9.9.9,53,office.de\n");
        let alerts = read(&text);
        assert_eq!(destinations(&alerts), ["9.9.9.9"], "{heading}");
        assert!(said(&alerts).contains("are not used"), "{heading}: {alerts:?}");
    }
    // A column of something else, and one that is mostly empty.
    let text = "src_ip,dest_ip,Foo,Flagged Domain\n10.0.0.5,203.0.113.66,a@office.de,\n\
                10.0.0.5,203.0.113.66,b@office.de,\n10.0.0.5,203.0.113.66,c@office.de,evil.com\n";
    let alerts = read(text);
    assert_eq!(destinations(&alerts), ["203.0.113.66"; 3]);
    assert_eq!(said(&alerts), "");
}

#[test]
fn what_the_text_of_a_rule_names_comes_before_the_dns_server() {
    let fast = "03/02/2026-09:17:42.5  [**] [1:1:1] ET DNS Query for mail.badguy.biz [**] [Priority: 1] \
                {UDP} 10.20.0.10:50000 -> 9.9.9.9:53\n";
    assert_eq!(destinations(&read(fast)), ["mail.badguy.biz"]);
    let eve = |port: u16| {
        format!(
            "{{\"event_type\":\"alert\",\"src_ip\":\"10.20.0.10\",\"dest_ip\":\"9.9.9.9\",\"dest_port\":{port},\
             \"alert\":{{\"signature\":\"ET Query to mail.badguy.biz\"}}}}\n"
        )
    };
    assert_eq!(destinations(&read(&eve(53))), ["mail.badguy.biz"]);
    assert_eq!(destinations(&read(&eve(443))), ["9.9.9.9"]);
    let cef = "CEF:0|Infoblox|NIOS|8|RPZ-QNAME|NXDOMAIN|7|app=DNS dst=10.20.0.53 src=10.20.0.10 fqdn=evil.com\n";
    assert_eq!(destinations(&read(cef)), ["evil.com"]);
    let cef = "CEF:0|a|b|1|i|C2|8|src=10.20.0.10 dst=203.0.113.66 dvchost=fw.office.de\n";
    assert_eq!(destinations(&read(cef)), ["203.0.113.66"]);
}

#[test]
fn the_log_of_check_point_is_read_with_its_colons() {
    let line = "<134>1 2026-06-09T06:10:03Z gw1 CheckPoint 1234 - [action:\"Detect\"; flags:\"311552\"; \
                loguid:\"{0x5,0x1}\"; origin:\"10.20.0.1\"; time:\"1780989307\"; dst:\"9.9.9.9\"; \
                protection_name:\"C2.TC.abc\"; resource:\"mail.badguy.biz\"; service:\"53\"; src:\"10.20.0.10\"; ]\n";
    let alerts = read(line);
    let alert = &alerts.alerts[0];
    assert_eq!(
        (alerts.format, alert.destination.as_str()),
        (AlertFormat::KeyValue, "mail.badguy.biz")
    );
    assert_eq!(
        (alert.host.as_deref(), alert.threat.as_deref()),
        (Some("10.20.0.10"), Some("C2.TC.abc"))
    );
    assert!(alert.time.unwrap().to_string().starts_with("2026-06-09T07:15:07"));
}

#[test]
fn what_is_defanged_is_read_as_what_it_stands_for() {
    let alerts = read(
        "host,destination\n10[.]20[.]0[.]10,203[.]0[.]113[.]10\n10(.)20(.)0(.)10,*.winnsvc.top\n",
    );
    assert_eq!(destinations(&alerts), ["203[.]0[.]113[.]10", "*.winnsvc.top"]);
    assert!(alerts.alerts.iter().all(|alert| alert.host.as_deref() == Some("10.20.0.10")));
}

#[test]
fn a_header_may_stand_behind_a_title() {
    let alerts = read(
        "Report: threats, last 24 hours\nGenerated: 2026-06-10 08:00\n\n\
         Time,Source,Destination,Threat\n2026-06-09 09:15:07,10.20.0.10,evil.com,C2\n",
    );
    assert_eq!((destinations(&alerts), alerts.alerts[0].line), (vec!["evil.com"], 5));
    assert!(alerts.notices.iter().all(|notice| notice.line.is_none()), "{:?}", alerts.notices);
    assert!(alerts.alerts[0].time.is_some());
}

#[test]
fn beside_a_user_a_domain_is_the_users() {
    let one = |columns: &str, row: &str| {
        let text = format!(
            "Time,Source IP,{columns},Destination IP,Threat\n2026-03-02T09:17:42Z,10.0.0.10,{row},203.0.113.66,C2\n"
        );
        destinations(&read(&text)).concat()
    };
    assert_eq!(one("User,Domain", "SYSTEM,corp.contoso.com"), "203.0.113.66");
    assert_eq!(one("Domain", "evil.com"), "evil.com");
}
