//! Alerts as people have them in hand: one row pasted as an argument, a few names, a mail.

use std::fs;

use crate::support::{Run, project, whoasked};

fn explain(more: &[&str]) -> Run {
    let office = project("captures/office.pcap");
    let mut arguments = vec!["explain".into(), "--format".into(), "jsonl".into()];
    arguments.extend(more.iter().map(Into::into));
    arguments.push(office.into_os_string());
    whoasked(arguments)
}

/// The first client that is named for the first alert.
fn first_client(run: &Run) -> String {
    let answer = run.json().into_iter().find(|line| line["type"] == "answer");
    let answer = answer.unwrap_or_else(|| panic!("{run:?}"));
    answer["clients"][0]["ip"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn one_alert_stands_on_the_command_line_itself() {
    for alert in [
        "1 192.168.2.194 C2/Generic-A mi.kenal-cn.com 2 AFCd",
        " 1\t192.168.2.194\tC2/Generic-A\tmi.kenal-cn.com\t2\tAFCd\n",
        "date=2026-03-02 time=09:17:42 srcip=192.168.2.194 qname=mi.kenal-cn.com threat=C2",
        r#"{"event_type":"alert","src_ip":"192.168.2.194","dns":{"rrname":"mi.kenal-cn.com"}}"#,
        r#"[{"src_ip":"192.168.2.194","query":"mi.kenal-cn.com","threat":"C2"}]"#,
        r#"{"preview":false,"result":{"src":"192.168.2.194","query":"mi.kenal-cn.com","_time":"2026-03-02 09:17:42 UTC"}}"#,
        "<113>%FTD-1-430002: EventPriority: High, SrcIP: 192.168.2.194, DstIP: 9.9.9.9, DNSQuery: mi.kenal-cn.com",
        "[**] [1:1:1] C2 domain (mi .kenal-cn .com) [**]\n03/02-09:17:42.5 192.168.2.194:5 -> 9.9.9.9:53\nUDP TTL:64\n",
        "#fields\tts\tid.orig_h\tid.resp_h\tquery\n1772443062.5\t192.168.2.194\t9.9.9.9\tmi.kenal-cn.com\n",
        "CEF:0|Vendor|Product|1|id|C2/Generic-A|8|src=192.168.2.194",
        "time,host,destination\n,192.168.2.194,mi.kenal-cn.com",
        "2026-03-02 09:17:42 UTC,192.168.2.194,mi.kenal-cn.com",
        "192.168.2.194 mi.kenal-cn.com",
    ] {
        let alert = match alert.starts_with("CEF") {
            true => format!("{alert} dhost=mi.kenal-cn.com"),
            false => alert.to_owned(),
        };
        let run = explain(&[&alert]);
        assert_eq!(run.code, Some(1), "{alert}: {run:?}");
        assert_eq!(first_client(&run), "192.168.2.42", "{alert}: {run:?}");
    }
    // The order does not matter, as with a name.
    let office = project("captures/office.pcap");
    let run = whoasked([
        "explain",
        office.to_str().unwrap(),
        "192.168.2.194 C2/Generic-A mi.kenal-cn.com",
    ]);
    assert_eq!(run.code, Some(1), "{run:?}");
}

#[test]
fn a_name_on_the_command_line_may_have_quotes_or_its_label() {
    for name in ["\"mi.kenal-cn.com\"", "Destination: mi.kenal-cn.com", "“mi[.]kenal-cn[.]com”"]
    {
        let run = explain(&[name]);
        assert_eq!((run.code, first_client(&run).as_str()), (Some(1), "192.168.2.42"), "{run:?}");
    }
}

#[test]
fn what_is_no_alert_on_the_command_line_says_what_was_tried() {
    for (arguments, words) in [
        (
            vec!["dear colleague, look"],
            vec!["contains spaces", "tried were sophos-table, ", "fast-log"],
        ),
        (
            vec!["see and/or www.google.com"],
            vec!["contains spaces", "not an alert in a known format"],
        ),
        (
            vec!["5 hosts www.google.com 3"],
            vec!["contains spaces", "not an alert in a known format"],
        ),
        (
            vec![
                "1 192.168.2.194 C2/Generic-A mi.kenal-cn.com 2 AFCd 2 192.168.2.194 C2/Generic-A x1.ad-sync.net 1 AFCd",
            ],
            vec!["each row on its own line", "--alerts", "line breaks"],
        ),
        (
            vec!["a b.c", "--alerts-format", "csv"],
            vec!["no alert in the command line, read as csv"],
        ),
        (
            vec!["mi.kenal-cn.com", "--alerts-format", "csv"],
            vec!["give a file of them with --alerts"],
        ),
        (vec!["1 192.168.2.42 C2/Generic-A 192.168.2.194 2 AFCd"], vec!["what the alert blames"]),
        (vec!["1", "192.168.2.194", "C2/Generic-A", "mi.kenal-cn.com"], vec!["in quotes, as in"]),
    ] {
        let run = explain(&arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {run:?}");
        for word in words {
            assert!(run.stderr.contains(word), "{arguments:?}: {word:?}: {}", run.stderr);
        }
        assert_eq!(run.stderr.lines().count(), 1, "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn a_few_names_are_alerts_and_a_list_is_told_where_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("names.txt");
    let given = path.to_str().unwrap();
    fs::write(&path, "mi.kenal-cn.com\n104.31.83.243\n").unwrap();
    let run = explain(&["--alerts", given]);
    assert_eq!((run.code, first_client(&run).as_str()), (Some(1), "192.168.2.42"), "{run:?}");
    fs::write(&path, "mi.kenal-cn.com\n".repeat(50)).unwrap();
    let run = explain(&["--alerts", given]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("with --indicators"), "{}", run.stderr);
}

#[test]
fn a_mail_about_an_alert_is_told_what_it_lacks() {
    let mail = "Threat name....: C2/Generic-A\nSource IP address or host: 192.168.2.194\n";
    let run = explain(&[mail]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("but not the destination"), "{}", run.stderr);
}

#[test]
fn what_a_mail_labels_is_an_alert() {
    let labelled =
        "Threat Name: C2/Generic-A\nSource: 192.168.2.194\nDestination: mi.kenal-cn.com\n";
    let run = explain(&[labelled]);
    assert_eq!((run.code, first_client(&run).as_str()), (Some(1), "192.168.2.42"), "{run:?}");
}

#[test]
fn the_text_of_a_mail_makes_no_alerts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.txt");
    let mail = "please look at these, and see www.google.com or ask me\n\n\
                1 192.168.2.194 C2/Generic-A mi.kenal-cn.com 2 AFCd\n";
    fs::write(&path, mail).unwrap();
    let run = explain(&["--alerts", path.to_str().unwrap()]);
    let answers = run.json().into_iter().filter(|line| line["type"] == "answer").count();
    assert_eq!((answers, first_client(&run).as_str()), (1, "192.168.2.42"), "{run:?}");
    assert!(run.stderr.contains("line 1: \"please look"), "{}", run.stderr);
}

#[test]
fn a_zone_and_a_year_that_are_written_or_missing_lead_to_the_time_of_the_alert_or_are_refused_aloud()
 {
    let time = |run: &Run| {
        let answer = run.json().into_iter().find(|line| line["type"] == "answer");
        answer.map_or(serde_json::Value::Null, |answer| answer["alert"]["time"].clone())
    };
    let row = "192.168.2.194 C2/Generic-A mi.kenal-cn.com";
    for alert in [
        format!("2026-03-02 10:17:42 CET {row}"),
        format!("2026-03-02 04:17:42 AM (UTC-5) {row}"),
        // The year, and which is the month, are the capture's.
        format!("03/02/2026 09:17:42 UTC {row}"),
        "Mar  2 09:17:42 fw dns: src=192.168.2.194 dst=9.9.9.9 domain=mi.kenal-cn.com tz=UTC"
            .to_owned(),
    ] {
        let run = explain(&["--tz", "Asia/Tokyo", &alert]);
        assert_eq!(time(&run), "2026-03-02T09:17:42.000000000Z", "{alert}: {run:?}");
        assert_eq!(first_client(&run), "192.168.2.42", "{alert}: {run:?}");
    }
    let several = format!("2026-03-02 04:17:42 EST {row}");
    let run = explain(&["--tz", "Asia/Tokyo", &several]);
    assert!(time(&run).is_null() && run.stderr.contains("ambiguous time zone"), "{run:?}");
    assert!(run.stderr.contains("--tz America/New_York"), "{run:?}");
    let run = explain(&["--tz", "America/New_York", &several]);
    assert_eq!(time(&run), "2026-03-02T09:17:42.000000000Z", "{run:?}");
}
