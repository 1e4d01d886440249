//! Each form's rows, good and broken, and what no file may do.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::collector::ALERTS_MAX;
use super::*;
use crate::time::Zone;

mod asked;
mod columns;
mod drawn;
mod exports;
mod logs;
mod packed;
mod pages;
mod pastes;
mod rivals;
mod spans;
mod times;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/alerts").join(name)
}

fn load(name: &str) -> Alerts {
    Alerts::load(&sample(name), None, &Zones::default())
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Host, threat, destination and events of each alert.
fn cells(alerts: &Alerts) -> Vec<(&str, &str, &str, u64)> {
    let cells = alerts.alerts.iter().map(|alert| {
        let or = |text: &'_ Option<String>| text.as_deref().unwrap_or("").to_owned().leak() as &str;
        (or(&alert.host), or(&alert.threat), alert.destination.as_str(), alert.events.unwrap_or(0))
    });
    cells.collect()
}

#[test]
fn a_pasted_table_is_read_with_its_furniture() {
    let headed = load("utm9-table-headed.txt");
    assert_eq!((headed.format, headed.notices.as_slice()), (AlertFormat::Table, &[][..]));
    let expected = [
        ("10.20.0.5", "C2/Generic-A", "203.0.113.243", 5),
        ("10.20.0.5", "C2/Generic-A", "203.0.113.243", 5),
        ("10.20.0.6", "C2/Generic-A", "up.bad-example.com", 1),
        ("10.20.0.6", "C2/Generic-A", "up.bad-example.com", 1),
        ("10.20.0.5", "C2/Generic-A", "up.bad-example.com", 2),
    ];
    assert_eq!(cells(&headed), expected);
    let places: Vec<_> = headed.alerts.iter().map(|alert| (alert.number, alert.line)).collect();
    assert_eq!(places, [(1, 6), (2, 7), (3, 8), (4, 9), (5, 10)]);
}

#[test]
fn columns_of_blanks_and_tabs_hold_names_and_counts_with_blanks_in_them() {
    let wide = load("utm9-table-wide.txt");
    assert_eq!(wide.format, AlertFormat::Table);
    let expected = [
        ("DNS_Server", "C2/Generic-A", "e100.tail.example-cdn.net", 142),
        ("DNS_Server", "C2/Generic-A", "e100.tail.example-cdn.net", 61),
        ("DNS Server 2", "C2/Generic-A", "e100.tail.example-cdn.net", 1_473),
        ("DC1 (10.20.0.5)", "Mal/Generic-S", "2001:db8:7::9", 1_024_000),
    ];
    assert_eq!(cells(&wide), expected);
}

#[test]
fn rows_that_are_not_understood_are_named_and_the_others_used() {
    let bare = load("utm9-table-bare.txt");
    let expected = [
        ("10.20.0.5", "C2/Generic-A", "up.bad-example.com", 2),
        ("10.20.0.6", "C2/Generic-A", "203.0.113.243", 0),
        ("10.20.0.7", "C2/Generic-B", "http://up.bad-example.com:8080/x", 12),
        ("10.20.0.7", "C2/Generic-B", "up..bad", 1),
    ];
    assert_eq!(cells(&bare), expected);
    let numbers: Vec<u32> = bare.alerts.iter().map(|alert| alert.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4], "without numbers of their own they are counted");
    let named: Vec<_> = bare.notices.iter().map(|notice| notice.line).collect();
    assert_eq!(named, [Some(7), None]);
    assert!(bare.notices[0].to_string().contains("expected number, host, threat"));
}

#[test]
fn a_row_with_its_time_first_and_the_host_behind_the_threat_is_read() {
    let read = |text: &str| Alerts::read("a.txt", text, None, &Zones::default()).unwrap();
    for (text, time) in [
        (
            "22/03/2026 09:17 C2/Generic-A 192.168.2.194 mi.kenal-cn.com",
            Some("2026-03-22T09:17:00"),
        ),
        (
            "2026-03-02 9:17:42 AM C2/Generic-A 192.168.2.194 mi.kenal-cn.com",
            Some("2026-03-02T09:17:42"),
        ),
        (
            "2026-03-02T09:17:42Z  C2/Generic-A  192.168.2.194  mi.kenal-cn.com",
            Some("2026-03-02T09:17:42"),
        ),
        (
            "02.03.2026 09:17\tC2/Generic-A\t192.168.2.194\tmi.kenal-cn.com",
            Some("2026-03-02T09:17:00"),
        ),
        (
            "02.03.2026 09:17 192.168.2.194 C2/Generic-A mi.kenal-cn.com",
            Some("2026-03-02T09:17:00"),
        ),
        ("C2/Generic-A 192.168.2.194 mi.kenal-cn.com", None),
        // It could be of March or of February, so it is left away, and that is said.
        ("02/03/2026 09:17 C2/Generic-A 192.168.2.194 mi.kenal-cn.com", None),
    ] {
        let alerts = read(text);
        assert_eq!(
            cells(&alerts),
            [("192.168.2.194", "C2/Generic-A", "mi.kenal-cn.com", 0)],
            "{text}"
        );
        let found = alerts.alerts[0].time.map(|time| time.to_string());
        assert_eq!(found.as_deref().map(|found| &found[..19]), time, "{text}");
        let is_said =
            alerts.notices.iter().any(|n| n.words.contains("could be two dates, and neither"));
        assert_eq!(is_said, text.starts_with("02/03"), "{text}: {:?}", alerts.notices);
    }
}

#[test]
fn the_text_around_a_row_makes_no_alerts() {
    let mail = "Hi Kevin,\n\nplease look at these, and see www.google.com or ask me for details.\n\
                Our ticket is at https://support.sophos.com/x if it helps you.\n\n\
                1 192.168.2.194 C2/Generic-A mi.kenal-cn.com 2 AFCd\n\n\
                see and/or www.google.com\nRegards\n";
    let alerts = Alerts::read("mail.txt", mail, None, &Zones::default()).unwrap();
    assert_eq!(cells(&alerts), [("192.168.2.194", "C2/Generic-A", "mi.kenal-cn.com", 2)]);
    let named: Vec<_> = alerts.notices.iter().filter_map(|notice| notice.line).collect();
    assert_eq!(named, [3, 4, 8], "{:?}", alerts.notices);
}

#[test]
fn a_host_that_is_a_mere_word_is_known_by_a_whole_row() {
    let rows = "1 Exchange C2/Generic-A one.com 2 AFCd\nExchange C2/Generic-B two.com\n\
                Exchange C2/Generic-A three.com 1 AFCd\nMailer C2/Generic-A four.com\nDC C2/A five.com\n";
    let alerts = Alerts::read("a.txt", rows, None, &Zones::default()).unwrap();
    let found: Vec<_> = alerts.alerts.iter().map(|alert| alert.destination.as_str()).collect();
    assert_eq!(found, ["one.com", "two.com", "three.com", "five.com"]);
}

#[test]
fn rows_that_lost_their_line_breaks_are_refused_and_not_cut() {
    let heading = "User/Host Threat Name Destination Events Origin";
    let one = "1 192.168.2.194 C2/Generic-A mi.kenal-cn.com 2 AFCd";
    let read = |text: &str| Alerts::read("a.txt", text, None, &Zones::default());
    for text in [
        &format!("{one} 2 192.168.2.194 C2/Generic-A x1.ad-sync.net 1 AFCd"),
        &format!("{one} 2 192.168.2.194 C2/Generic-A 203.0.113.66 1 AFCd"),
        &format!("{heading} {one} 2 DNS_Server C2/Generic-A x1.ad-sync.net 1 AFCd"),
        &format!("{one} x1.ad-sync.net"),
        "C2/Generic-A 10.0.0.5 one.com C2/Generic-A 10.0.0.5 two.com",
        "date=2026-03-02 srcip=10.0.0.5 qname=one.com threat=C2 date=2026-03-02 srcip=10.0.0.5 qname=two.com threat=C2",
        "CEF:0|a|b|1|i|C2|8|src=10.0.0.5 dhost=one.com CEF:0|a|b|1|i|C2|8|src=10.0.0.5 dhost=two.com",
    ] {
        let error = read(text).map(|alerts| alerts.alerts).unwrap_err().to_string();
        assert!(error.contains("each row on its own line"), "{text}: {error}");
    }
    for text in [&format!("{heading} {one}"), &format!("{one} seen again. was 192.168.2.42")] {
        assert_eq!(
            cells(&read(text).unwrap()),
            [("192.168.2.194", "C2/Generic-A", "mi.kenal-cn.com", 2)]
        );
    }
}

#[test]
fn rows_without_numbers_are_counted_by_numbers_that_no_other_has() {
    let rows = "10.0.0.5 C2/A one.com\n1 10.0.0.5 C2/A two.com\n10.0.0.5 C2/A three.com\n3 10.0.0.5 C2/A four.com\n";
    let alerts = Alerts::read("a.txt", rows, None, &Zones::default()).unwrap();
    let numbers: Vec<u32> = alerts.alerts.iter().map(|alert| alert.number).collect();
    assert_eq!(numbers, [2, 1, 4, 3]);
}

#[test]
fn the_order_that_one_date_shows_holds_for_all_of_the_file() {
    let read = |rows: [&str; 3]| {
        let rows = rows.map(|row| format!("{row} C2/Generic-A 192.168.2.194 mi.kenal-cn.com"));
        Alerts::read("a.txt", &rows.join("\n"), None, &Zones::default()).unwrap()
    };
    let times = |alerts: &Alerts| {
        let time = |alert: &Alert| alert.time.map(|time| time.to_string()[..10].to_owned());
        alerts.alerts.iter().filter_map(time).collect::<Vec<_>>()
    };
    let said = |alerts: &Alerts, words: &str| {
        alerts.notices.iter().filter(|notice| notice.words.contains(words)).count()
    };
    let day = read(["02/03/2026 09:17", "04/03/2026 10:05", "14/03/2026 10:45"]);
    assert_eq!(times(&day), ["2026-03-02", "2026-03-04", "2026-03-14"]);
    assert_eq!(said(&day, "the day first, as \"14/03/2026 10:45\" in line 3 shows"), 1);
    assert!(day.alerts.iter().all(|alert| !alert.is_time_unread), "{day:?}");
    let month = read(["03/14/2026 09:17", "03/02/2026 10:05", "03/03/2026 10:45"]);
    assert_eq!(times(&month), ["2026-03-14", "2026-03-02", "2026-03-03"]);
    // Where nothing is doubtful nothing is said, and two that contradict each other show nothing.
    assert_eq!(said(&read(["14/03/2026 09:17"; 3]), "comes first"), 0);
    let both = read(["14/03/2026 09:17", "03/14/2026 10:05", "02/03/2026 10:45"]);
    assert_eq!(times(&both), ["2026-03-14", "2026-03-14"]);
    assert_eq!(said(&both, "write the dates as in 2026-03-02"), 1);
}

#[test]
fn the_same_alerts_come_out_of_every_form() {
    let forms = [
        ("utm.log", AlertFormat::KeyValue),
        ("sfos.log", AlertFormat::KeyValue),
        ("fortigate.log", AlertFormat::FortiGate),
        ("palo-alto.csv", AlertFormat::PaloAlto),
        ("palo-alto-syslog.csv", AlertFormat::PaloAlto),
        ("eve.json", AlertFormat::Eve),
        ("cef.log", AlertFormat::Cef),
        ("fast.log", AlertFormat::FastLog),
        ("columns.csv", AlertFormat::Csv),
        ("columns-comma.csv", AlertFormat::Csv),
        ("splunk.json", AlertFormat::Json),
        ("elastic.json", AlertFormat::Json),
        ("zeek-intel.log", AlertFormat::Zeek),
        ("firepower.log", AlertFormat::KeyValue),
        ("snort-full.log", AlertFormat::FastLog),
    ];
    let dc = "192.168.2.194";
    let expected = [
        ("2026-03-02T09:17:42.000000000Z", dc, "mi.kenal-cn.com"),
        ("2026-03-02T10:05:20.000000000Z", dc, "x1.ad-sync.net"),
        ("2026-03-02T10:45:00.000000000Z", dc, "up.telemetry-sync.net"),
        ("2026-03-02T11:17:42.000000000Z", "192.168.2.12", "mi.kenal-cn.com"),
        ("2026-03-02T12:31:07.000000000Z", dc, "104.31.83.243"),
        ("2026-03-02T13:00:00.000000000Z", dc, "cdn.kenal-cn.com"),
        ("2026-03-02T14:20:31.000000000Z", dc, "e13678.dspb.akamaiedge.net"),
        ("2026-03-02T15:48:13.000000000Z", dc, "192.55.83.30"),
    ];
    for (name, format) in forms {
        let alerts = load(name);
        assert_eq!(alerts.format, format, "{name}");
        let found: Vec<_> = alerts
            .alerts
            .iter()
            .map(|alert| {
                let host = alert.host.as_deref().unwrap_or_default().replace("http://", "");
                let time = alert.time.map(|time| time.to_string()).unwrap_or_default();
                let destination = alert.destination.trim_start_matches("http://");
                (time, host, destination.split('/').next().unwrap().to_owned())
            })
            .collect();
        let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(found, expected, "{name}");
        assert!(alerts.alerts.iter().all(|alert| alert.threat.is_some()), "{name}");
        let rows = alerts.notices.iter().filter(|notice| notice.line.is_some());
        assert_eq!(rows.count(), 0, "{name}: {:?}", alerts.notices);
        // A form that is said is the form that would have been found.
        let said = Alerts::load(&sample(name), Some(format), &Zones::default()).unwrap();
        assert_eq!(said.alerts, alerts.alerts, "{name}");
    }
}

#[test]
fn local_times_are_of_the_zone_given_and_else_said_to_be_of_the_readers() {
    let utc = load("utm.log");
    assert!(
        utc.notices.iter().any(|notice| notice.words.contains("read as UTC, this machine's")),
        "{:?}",
        utc.notices
    );
    let zone = Zones { alerts: Zone::parse("-05:00").unwrap(), is_said: true, ..Zones::default() };
    let local = Alerts::load(&sample("utm.log"), None, &zone).unwrap();
    assert!(!local.notices.iter().any(|notice| notice.words.contains("--tz")));
    let first = local.alerts[0].time.unwrap();
    assert_eq!(first - utc.alerts[0].time.unwrap(), crate::time::Span::from_secs(5 * 3600));
    let eve = Alerts::load(&sample("eve.json"), None, &zone).unwrap();
    assert_eq!(eve.alerts[0].time, load("eve.json").alerts[0].time, "its times name their zone");
    assert!(!load("eve.json").notices.iter().any(|notice| notice.words.contains("--tz")));
}

#[test]
fn broken_log_lines_are_named_and_the_rest_is_used() {
    let broken = load("broken.log");
    assert_eq!(broken.format, AlertFormat::KeyValue);
    let lines: Vec<_> = broken.alerts.iter().map(|alert| alert.line).collect();
    assert_eq!(lines, [3, 4], "an open quote ends with its line");
    assert_eq!(broken.alerts[1].threat.as_deref(), Some("C2/Gen \\\"A\\"));
    let named: Vec<_> = broken.notices.iter().filter_map(|notice| notice.line).collect();
    assert_eq!(named, [1, 2]);
    let times: Vec<_> = broken.alerts.iter().map(|alert| alert.time.is_some()).collect();
    assert_eq!(times, [true, false]);
    assert!(
        broken.notices.iter().any(|n| n.words.contains("could be two dates, and neither")),
        "{broken:?}"
    );
}

#[test]
fn what_holds_no_alerts_is_refused_in_one_line_that_says_why() {
    let refused = |text: &str| match Alerts::read("a.txt", text, None, &Zones::default()) {
        Ok(alerts) => panic!("{text:?}: {alerts:?}"),
        Err(error) => error.to_string(),
    };
    for (text, words) in [
        ("", "is empty"),
        (" \n\t\n", "is empty"),
        ("dear colleague,\nplease look at this\n", "not recognised"),
        (&"evil.com\n192.0.2.1\n".repeat(30), "give it to `read` or `live` with --indicators"),
        ("see and/or www.google.com\n", "not recognised"),
        ("5 hosts www.google.com 3\n", "not recognised"),
        ("See TCP/IP www.google.com 3 times\n", "not recognised"),
        ("please look at C2/Generic-A evil.com\n", "not recognised"),
        ("=evil.com\nbad.example\n", "not recognised"),
        ("{\"a\": 1}\n", "no known field names a destination"),
        ("{\"hits\":{\"hits\":[]}}\n", "no known field names"),
        ("[]\n", "not recognised"),
        ("{\"event_type\":\"flow\"}\n", "neither an alert nor a DNS question"),
        ("time,host,destination\n", "it has no rows"),
        ("time,host,destination\n1,2,3\n", "it names no destination"),
        ("CEF:0|a|b|c\n", "it is not a CEF event"),
    ] {
        let error = refused(text);
        assert!(error.contains(words), "{text:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let missing = Alerts::load(&sample("none.txt"), None, &Zones::default()).unwrap_err();
    assert!(missing.to_string().contains("none.txt"), "{missing}");
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/office.pcap");
    let capture = Alerts::load(&capture, None, &Zones::default()).unwrap_err().to_string();
    assert!(capture.contains("is a packet capture"), "{capture}");
    let forced =
        Alerts::read("a.txt", "evil.com\n", Some(AlertFormat::Csv), &Zones::default()).unwrap_err();
    assert!(forced.to_string().contains("expected a header"), "{forced}");
}

#[test]
fn a_header_names_its_columns_in_any_order_and_marks() {
    for (text, host, destination) in [
        ("Threat\tDestination\tUser/Host\nC2\tevil.com\tDC1\n", "DC1", "evil.com"),
        ("src|dst|domain|date\n10.0.0.5|192.0.2.1||2026-03-02 09:00\n", "10.0.0.5", "192.0.2.1"),
        (
            "\"Source\",\"URL\"\n\"10.0.0.5\",\"http://evil.com/a,b\"\n",
            "10.0.0.5",
            "http://evil.com/a,b",
        ),
        ("#time,client,query\n1772443062,10.0.0.5,evil.com\n", "10.0.0.5", "evil.com"),
    ] {
        let alerts = Alerts::read("a.csv", text, None, &Zones::default()).unwrap();
        assert_eq!(alerts.format, AlertFormat::Csv, "{text:?}");
        let alert = &alerts.alerts[0];
        assert_eq!((alert.host.as_deref(), alert.destination.as_str()), (Some(host), destination));
        assert_eq!(alert.line, 2);
    }
}

#[test]
fn the_headings_of_exports_are_known() {
    // Made up by what is public of these exports; no real one of Zscaler, Meraki or WatchGuard was at hand.
    let umbrella = "\"Timestamp\",\"Most Granular Identity\",\"Identities\",\"Internal IP\",\"External IP\",\
                    \"Action\",\"Query Type\",\"Response Code\",\"Domain\",\"Categories\",\"Identity Types\"";
    for (header, row, host, destination, threat) in [
        (
            umbrella,
            "2026-03-02 09:17:42,DC1,\"DC1,Berlin\",10.0.0.5,198.51.100.9,Blocked,1 (A),NOERROR,evil.com.,Malware,Networks",
            "10.0.0.5",
            "evil.com.",
            "Malware",
        ),
        // Without a virtual appliance it does not know the address.
        (
            umbrella,
            "2026-03-02 09:17:42,DC1,\"DC1,Berlin\",,198.51.100.9,Blocked,1 (A),NOERROR,evil.com.,Malware,Networks",
            "DC1",
            "evil.com.",
            "Malware",
        ),
        (
            "Date,Time,Identity,Internal Ip,External Ip,Destination,Action,Blocked Categories",
            "2026-03-02,09:17:42,Berlin,10.0.0.5,198.51.100.9,evil.com,Blocked,Command and Control",
            "10.0.0.5",
            "evil.com",
            "Command and Control",
        ),
        (
            "Logged Time,User,Client IP,Server IP,Server Port,Request Type,Requested Domain,Resolved IP,Domain Category",
            "2026-03-02 09:17:42,eve@example.com,10.0.0.5,198.51.100.53,53,A,evil.com,192.0.2.1,Botnet",
            "10.0.0.5",
            "evil.com",
            "",
        ),
        (
            "Event Time,User,Client Source IP,Client Destination IP,Client Destination Name,Threat Name",
            "2026-03-02 09:17:42,eve,10.0.0.5,192.0.2.1,,C2.Agent",
            "10.0.0.5",
            "192.0.2.1",
            "C2.Agent",
        ),
        (
            "Time,Blade,Action,Origin,Source,Source Machine Name,Destination,Protection Name,Malware Family,Resource",
            "2026-03-02T09:17:42Z,Anti-Bot,Prevent,gw1,10.0.0.5,dc1,192.0.2.1,Agent.TC.1,Agent,http://evil.com/a",
            "10.0.0.5",
            "http://evil.com/a",
            "Agent.TC.1",
        ),
        (
            "Receive Time,Type,Source address,Destination address,Source Host,URL,Threat Name",
            "2026/03/02 09:17:42,THREAT,10.0.0.5,192.0.2.1,dc1,evil.com,C2",
            "10.0.0.5",
            "evil.com",
            "C2",
        ),
        (
            "occurredAt,network,clientName,clientIp,srcIp,destIp,uri,disposition,message",
            "2026-03-02T09:17:42Z,HQ,dc1,10.0.0.5,10.0.0.5:53211,192.0.2.1:53,,Malicious,MALWARE-CNC Agent",
            "10.0.0.5",
            "192.0.2.1",
            "MALWARE-CNC Agent",
        ),
        (
            "Date-Time;Disposition;Policy;Src. Ip;Src. Port;Dst. Ip;Dst. Port;Dst. Domain;Message",
            "2026-03-02 09:17:42;Deny;DNS;10.0.0.5;53211;192.0.2.1;53;evil.com;blocked sites (botnet)",
            "10.0.0.5",
            "evil.com",
            "blocked sites (botnet)",
        ),
        (
            "Time,ID,Category,Group,Event,Src. MAC,Src. IP,Src. Port,Src. Name,Dst. IP,Dst. Port,Dst. Name,Notes,Message",
            "03/14/2026 09:17:42,1198,Security Services,Botnet,Botnet Blocked,00:00:5e:00:53:01,10.0.0.5,53211,,192.0.2.1,53,,,x",
            "10.0.0.5",
            "192.0.2.1",
            "Security Services",
        ),
    ] {
        let text = format!("{header}\n{row}\n");
        let alerts = Alerts::read("a.csv", &text, None, &Zones::default()).unwrap();
        assert_eq!(alerts.format, AlertFormat::Csv, "{header}");
        let row = (host, threat, destination, 0);
        assert_eq!(cells(&alerts), [row], "{header}");
        assert!(alerts.alerts[0].time.is_some(), "{header}");
    }
}

#[test]
fn the_name_of_ones_own_is_never_taken_for_the_destination() {
    for (header, row, host, destination) in [
        (
            "Hostname,User,Remote IP",
            "pc1.office.lan,kevin,203.0.113.66",
            "pc1.office.lan",
            "203.0.113.66",
        ),
        (
            "Device Name,Hostname,Destination IP",
            "FW1,pc1.office.lan,203.0.113.66",
            "pc1.office.lan",
            "203.0.113.66",
        ),
        (
            "User,Domain,Source IP,URL",
            "kevin,office.local,10.0.0.5,http://c2.evil.net/a",
            "10.0.0.5",
            "http://c2.evil.net/a",
        ),
        (
            "User,Domain,Source IP,Destination IP",
            "kevin,office.local,10.0.0.5,203.0.113.66",
            "10.0.0.5",
            "203.0.113.66",
        ),
        (
            "User,Domain,Source IP,Destination",
            "kevin,office.de,10.0.0.5,evil.com",
            "10.0.0.5",
            "evil.com",
        ),
        (
            "Source IP,Destination IP,Target",
            "10.0.0.5,203.0.113.66,pc1.office.lan",
            "10.0.0.5",
            "203.0.113.66",
        ),
        (
            "Source IP,Destination IP,Target",
            "10.0.0.5,203.0.113.66,pc1.office.de",
            "10.0.0.5",
            "203.0.113.66",
        ),
        (
            "Source IP,Hostname,Destination IP",
            "10.0.0.5,pc1.office.de,203.0.113.66",
            "10.0.0.5",
            "203.0.113.66",
        ),
        (
            "Source IP,Destination IP,Hostname",
            "10.0.0.5,203.0.113.66,pc1.office.de",
            "10.0.0.5",
            "203.0.113.66",
        ),
        ("Source IP,Destination,Query", "10.0.0.5,dc1.office.lan,evil.com", "10.0.0.5", "evil.com"),
        ("Source IP,Destination,Query", "10.0.0.5,192.0.2.1,evil.com", "10.0.0.5", "evil.com"),
        ("Src. IP,Dst. IP,URI", "10.0.0.5,203.0.113.66,update.php", "10.0.0.5", "203.0.113.66"),
        (
            "Src. IP,Dst. IP,URI",
            "10.0.0.5,203.0.113.66,http://evil.com/a",
            "10.0.0.5",
            "http://evil.com/a",
        ),
        ("Client IP,Server IP,URL", "10.0.0.5,10.0.0.2,203.0.113.66", "10.0.0.5", "203.0.113.66"),
        // Of a response the far end stands first.
        (
            "Src IP,Src Port,Dst IP,Dst Port,Dst Name",
            "203.0.113.66,53,10.0.0.5,5000,pc1.office.lan",
            "10.0.0.5",
            "203.0.113.66",
        ),
        // Where it is all that is said it is the destination; the host's own name only beside the host.
        ("Source IP,Target", "10.0.0.5,evil.com", "10.0.0.5", "evil.com"),
        ("Source IP,Hostname", "10.0.0.5,evil.com", "10.0.0.5", "evil.com"),
        ("Source IP,Domain", "10.0.0.5,evil.lan", "10.0.0.5", "evil.lan"),
    ] {
        let text = format!("Time,{header},Threat\n2026-03-02 10:01:36,{row},C2\n");
        let alerts = Alerts::read("a.csv", &text, None, &Zones::default()).unwrap();
        assert_eq!(cells(&alerts), [(host, "C2", destination, 0)], "{header}: {row}");
    }
    let alone = "Time,Hostname,User,Threat\n2026-03-02 10:01:36,pc1.office.lan,kevin,C2\n";
    assert!(Alerts::read("a.csv", alone, None, &Zones::default()).is_err());
}

#[test]
fn lines_are_counted_however_they_end() {
    let lines =
        ["# exported", "time,host,destination", "", "0,10.0.0.5,one.com", ",10.0.0.5,two.com"];
    for end in ["\n", "\r\n"] {
        let alerts = Alerts::read("a.csv", &lines.join(end), None, &Zones::default()).unwrap();
        let found: Vec<_> =
            alerts.alerts.iter().map(|alert| (alert.line, alert.destination.as_str())).collect();
        assert_eq!(found, [(4, "one.com"), (5, "two.com")], "{end:?}");
    }
}

#[test]
fn a_quote_that_does_not_end_costs_its_line_alone() {
    let rows = [
        "host,destination,threat",
        "10.0.0.5,one.com,\"over\ntwo lines\"",
        "10.0.0.5,\"two.com,C2",
        "10.0.0.5,three.com,a 5\" disk",
        "10.0.0.5,four.com,\"C2",
        "10.0.0.5,five.com,\"C2\"",
    ];
    let text = format!("{}\n{}", rows.join("\n"), "10.0.0.5,six.com,C2\n".repeat(40));
    let alerts = Alerts::read("a.csv", &text, None, &Zones::default()).unwrap();
    let found: Vec<_> =
        alerts.alerts.iter().map(|alert| (alert.line, alert.destination.as_str())).collect();
    let expected = [(2, "one.com"), (5, "three.com"), (6, "four.com"), (7, "five.com")];
    assert_eq!(found[..4], expected);
    assert_eq!(found.len(), 4 + 40);
    let said: Vec<String> = alerts.notices.iter().map(ToString::to_string).collect();
    assert!(said[0].contains("line 4") && said[0].contains("a quote"), "{said:?}");
}

#[test]
fn long_files_and_long_lines_take_no_more_than_their_length() {
    let one = fs::read_to_string(sample("utm.log")).unwrap();
    let row = one.lines().nth(1).unwrap();
    let many = format!("{row}\n").repeat(ALERTS_MAX + 10);
    let alerts = Alerts::read("many.log", &many, None, &Zones::default()).unwrap();
    assert_eq!(alerts.alerts.len(), ALERTS_MAX);
    assert!(alerts.notices.iter().any(|notice| notice.words.contains("10 are not")));
    for piece in [
        "a=b ", "a=\"b", "\\=", "|", "=", "\"", "{", "1 a.b ", "x/y ", "\t", "  ", "[1:2:3] ", "(",
        "[", ",", ":", "a:b ", "[{", "{\"", "{}", "a: b, ", " .a", "[**]",
    ] {
        let long = format!("{row} {}\n", piece.repeat(100_000));
        for format in AlertFormat::ALL {
            let _ = Alerts::read("long.log", &long, Some(format), &Zones::default());
        }
        let _ = Alerts::read("long.log", &long, None, &Zones::default());
    }
}

/// Lines such as forms are made of, and pieces of them.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{0,3}[ \t]{0,6}[a-zA-Z0-9_.]{0,12}[ \t]{1,3}C2/[a-zA-Z-]{0,8}[ \t]{1,4}[a-z.]{0,9} [0-9 ]{0,6}",
        "([a-z_]{1,9}=(\"[^\"]{0,8}\"?|[a-z0-9.]{0,9}) ){0,7}",
        "\\{\"event_type\":\"(alert|dns)\",\"src_ip\":\"[0-9.]{0,9}\"(,\"dns\":\\{\"rrname\":\"[a-z.]{0,8}\"\\})?\\}?",
        "\\[?\\{(\"(time|src|query|result|_raw|hits|x)\":(\"[a-z0-9. ]{0,9}\"|[0-9]{0,19}|\\[\\{|\\{\"[a-z]{1,3}\":),?){0,4}[\\]}]{0,4}",
        "(#fields|1772443062)(\t(ts|id\\.orig_h|query|[a-z0-9.]{0,9})){0,5}",
        "(%FTD-1-430002: )?((SrcIP|DstIP|DNSQuery|Message|[A-Z][a-z]{0,5}): ?[a-z0-9.]{0,9},? ?){0,5}",
        "CEF:0\\|a\\|b\\|c\\|d\\|[a-z|\\\\]{0,6}\\|8\\|([a-z0-9]{1,6}=[a-z.\\\\= ]{0,9} ?){0,5}",
        "(03/02|26/03/02|03/02/2026)-09:17:42 \\[\\*\\*\\] \\[1:2:3\\] [a-z(). ]{0,12} \\{(UDP|ICMP)\\} [0-9.:]{0,12} -> [0-9a-f.:]{0,12}",
        "(time|src|host|dst|domain|threat|[a-z]{1,4})(,[a-zA-Z0-9./:\" -]{0,12}){0,9}",
        "\\PC{0,40}",
    ]
}

/// What damage does to a file, at places in thousandths of it.
#[derive(Clone, Debug)]
enum Damage {
    Cut(usize),
    Without(usize, usize),
    Twice(usize, usize),
    Put(usize, String),
}

impl Damage {
    fn any() -> impl Strategy<Value = Damage> {
        let sign = prop::sample::select(vec![
            "\"", "'", "{", "[", "]}", "|", "\t", ",", ";", ":", "=", "\\", "<td>", "\n",
        ]);
        prop_oneof![
            (0..1_000usize).prop_map(Damage::Cut),
            (0..1_000usize, 1..80usize).prop_map(|(at, len)| Damage::Without(at, len)),
            (0..1_000usize, 1..400usize).prop_map(|(at, len)| Damage::Twice(at, len)),
            (0..1_000usize, sign).prop_map(|(at, sign)| Damage::Put(at, sign.to_owned())),
            (0..1_000usize, "\\PC{1,4}").prop_map(|(at, text)| Damage::Put(at, text)),
        ]
    }

    fn does(&self, text: &str) -> String {
        let place = |at: usize| text.floor_char_boundary(text.len() * at / 1_000);
        let range = |at: usize, len: usize| place(at)..text.floor_char_boundary(place(at) + len);
        match self {
            Damage::Cut(at) => text[..place(*at)].to_owned(),
            Damage::Without(at, len) => {
                let gone = range(*at, *len);
                [&text[..gone.start], &text[gone.end..]].concat()
            }
            Damage::Twice(at, len) => {
                let again = range(*at, *len);
                [&text[..again.end], &text[again.start..]].concat()
            }
            Damage::Put(at, put) => [&text[..place(*at)], put, &text[place(*at)..]].concat(),
        }
    }
}

/// What firewalls wrote, as far as it is here.
fn samples() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(root.join("tests/data/alerts")).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.push(root.join("captures/office-alerts.txt"));
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

proptest! {
    #[test]
    fn damaged_files_of_every_sort_are_read_without_a_panic(
        text in prop::sample::select(samples()),
        damage in prop::collection::vec(Damage::any(), 1..6),
        format in prop::option::weighted(0.2, prop::sample::select(AlertFormat::ALL.to_vec())),
    ) {
        let text = damage.iter().fold(text, |text, damage| damage.does(&text));
        match Alerts::read("x", &text, format, &Zones::default()) {
            Ok(alerts) => prop_assert!(alerts.alerts.iter().all(|alert| !alert.destination.is_empty())),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn any_octets_are_read_without_a_panic(octets: Vec<u8>) {
        if let Ok(Some(text)) = Text::new(Box::new(octets.as_slice())).and_then(file_text::whole) {
            let _ = Alerts::read("x", &text, None, &Zones::default());
        }
    }

    #[test]
    fn any_lines_are_read_in_any_form_and_give_alerts_that_can_be_found_again(
        lines in prop::collection::vec(line(), 0..8),
        format in prop::sample::select(AlertFormat::ALL.to_vec()),
        is_said: bool,
    ) {
        let text = lines.join("\n");
        let found = Alerts::read("x", &text, is_said.then_some(format), &Zones::default());
        if let Ok(alerts) = found {
            prop_assert!(!alerts.alerts.is_empty());
            for alert in &alerts.alerts {
                prop_assert!(alert.line >= 1 && !alert.destination.is_empty());
                prop_assert!(alert.line as usize <= text.lines().count());
            }
        }
    }
}

#[test]
fn a_table_of_what_to_look_for_is_no_table_of_alerts() {
    for name in ["threatfox.csv", "urlhaus.csv", "feodo.csv"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/indicators").join(name);
        let refused = Alerts::load(&path, None, &Zones::default());
        assert!(matches!(refused, Err(LoadError::Feed(_))), "{name}");
    }
}
