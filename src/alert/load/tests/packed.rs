//! JSON whose records are wrapped, keep others packed in a text, or are the rows of a table.

use super::super::*;
use crate::time::Timestamp;

const DC: &str = "192.168.2.194";
const NAME: &str = "mi.kenal-cn.com";
const WHEN: &str = "2026-03-02T09:17:42";

fn read(text: &str) -> Alerts {
    let captured = Timestamp::from_rfc3339("2026-03-02T08:00:00Z");
    let zones = Zones { captured, ..Zones::default() };
    Alerts::read("a.json", text, None, &zones).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Line, time, host and destination of each alert.
fn cells(alerts: &Alerts) -> Vec<(u32, String, &str, &str)> {
    let cells = alerts.alerts.iter().map(|alert| {
        let time = alert.time.map_or(String::new(), |time| time.to_string()[..19].to_owned());
        (alert.line, time, alert.host.as_deref().unwrap_or(""), alert.destination.as_str())
    });
    cells.collect()
}

fn rows_said(alerts: &Alerts) -> Vec<(Option<u32>, &str)> {
    let rows = alerts.notices.iter().filter(|notice| notice.line.is_some());
    rows.map(|notice| (notice.line, notice.text.as_str())).collect()
}

#[test]
fn whatever_is_put_around_an_event_is_taken_off() {
    let flat = format!("\"time\":\"{WHEN}Z\",\"src_ip\":\"{DC}\",\"domain\":\"{NAME}\"");
    let nested = format!(
        "\"time\":\"{WHEN}Z\",\"source\":{{\"ip\":\"{DC}\"}},\"destination\":{{\"domain\":\"{NAME}\"}}"
    );
    let apart = format!(
        "\"when\":{{\"time\":\"{WHEN}Z\"}},\"evidence\":{{\"src\":\"{DC}\",\"domain\":\"{NAME}\"}},\"title\":\"C2\""
    );
    for event in [&flat, &nested, &apart] {
        for text in [
            format!("{{\"alert\":{{{event}}}}}"),
            format!("{{\"event\":{{{event}}},\"id\":4}}"),
            format!(
                "{{\"incident\":{{{event}}},\"number\":7,\"url\":\"https://soc.example.com/4\"}}"
            ),
            format!("{{\"items\":[{{\"id\":1,\"finding\":{{{event}}}}}],\"total\":1}}"),
            format!("{{\"data\":{{\"page\":{{\"items\":[{{\"alert\":{{{event}}}}}]}}}}}}"),
        ] {
            let alerts = read(&text);
            assert_eq!(cells(&alerts), [(1, WHEN.to_owned(), DC, NAME)], "{text}");
            assert_eq!(rows_said(&alerts), [], "{text}");
        }
    }
    // What stands around it counts where it says nothing of that.
    let around = format!(
        "{{\"timestamp\":\"{WHEN}Z\",\"alert\":{{\"src_ip\":\"{DC}\",\"domain\":\"{NAME}\"}}}}"
    );
    assert_eq!(cells(&read(&around)), [(1, WHEN.to_owned(), DC, NAME)]);
    // A link to read more is no event: which of two fields nobody has a word for is meant cannot be told.
    let link = format!(
        "{{\"@timestamp\":\"{WHEN}Z\",\"client\":{{\"ip\":\"{DC}\"}},\"contacted_domain\":\"{NAME}\",\
         \"rule\":{{\"url\":\"https://vendor.example.com/1\",\"created\":\"2020-01-01T00:00:00Z\",\"name\":\"C2\"}}}}"
    );
    assert!(Alerts::read("a.json", &link, None, &Zones::default()).is_err());
}

#[test]
fn no_list_is_lost_for_an_object_beside_it_nor_taken_for_one_event() {
    let event =
        |time: &str| format!("{{\"time\":\"{time}Z\",\"src\":\"{DC}\",\"domain\":\"{NAME}\"}}");
    let (one, two) = (event(WHEN), event("2026-03-02T13:17:43"));
    for text in [
        format!("{{\"data\":[{one},{two}]}}"),
        format!("{{\"result\":{{\"records\":[{one},{two}]}}}}"),
        format!("{{\"alerts\":[{one},{two}],\"page\":{{\"n\":1}}}}"),
    ] {
        let times: Vec<_> = cells(&read(&text)).into_iter().map(|(_, time, ..)| time).collect();
        assert_eq!(times, [WHEN, "2026-03-02T13:17:43"], "{text}");
    }
    let noted = read(&format!("{{\"alerts\":[{one},{two}],\"note\":{one}}}"));
    assert_eq!(noted.alerts.len(), 3, "{noted:?}");
}

#[test]
fn what_a_search_was_for_and_when_a_report_was_written_is_no_alert_in_place_of_those_in_it() {
    let event =
        |time: &str| format!("{{\"time\":\"{time}Z\",\"src\":\"{DC}\",\"domain\":\"{NAME}\"}}");
    let events = format!("[{},{}]", event(WHEN), event("2026-03-02T13:17:43"));
    let times = [WHEN, "2026-03-02T13:17:43"];
    let read_times = |text: &str| -> (Vec<String>, usize) {
        let alerts = read(text);
        let all = cells(&alerts).into_iter().map(|(_, time, ..)| time).collect();
        let said = alerts.notices.iter().filter(|notice| notice.words.contains("contains others"));
        (all, said.count())
    };
    let found = |index: usize| format!("{{\"index\":\"a\",\"message\":{}}}", event(times[index]));
    for text in [
        format!("{{\"query\":\"{NAME}\",\"time\":5,\"messages\":{events}}}"),
        format!("{{\"query\":\"{NAME}\",\"time\":5,\"messages\":[{},{}]}}", found(0), found(1)),
    ] {
        assert_eq!(read_times(&text), (times.map(str::to_owned).to_vec(), 0), "{text}");
    }
    // One that could be an alert is one, too, and that is said.
    for host in ["\"host\":\"fw1\",", ""] {
        let both = format!(
            "{{{host}\"domain\":\"firma.de\",\"time\":\"2026-03-02T18:00:00Z\",\"alerts\":{events}}}"
        );
        let all = ["2026-03-02T18:00:00", times[0], times[1]].map(str::to_owned).to_vec();
        assert_eq!(read_times(&both), (all, 1), "{both}");
    }
    // What went before an alert is none, and that it was not read is said.
    for host in ["\"src\":\"192.168.2.194\",", ""] {
        let context = format!(
            "{{{host}\"domain\":\"{NAME}\",\"time\":\"2026-03-02T09:17:44Z\",\"context\":{events}}}"
        );
        let all = vec!["2026-03-02T09:17:44".to_owned()];
        assert_eq!(read_times(&context), (all, 1), "{context}");
    }
    // What an alert tells of what it saw is of it.
    let evidence = format!(
        "{{\"time\":\"{WHEN}Z\",\"src\":\"{DC}\",\"domain\":\"{NAME}\",\"evidence\":[{{\"url\":\"http://a.com/\",\
         \"createdAt\":\"{WHEN}Z\"}},{{\"device\":\"fw1\"}}],\"answers\":[{{\"name\":\"b.com\",\"ip\":\"192.0.2.1\"}}]}}"
    );
    assert_eq!(cells(&read(&evidence)), [(1, WHEN.to_owned(), DC, NAME)]);
}

#[test]
fn each_record_is_read_by_its_own_keys_in_what_it_was_made_of() {
    let raw = |line: &str| {
        format!(
            "{{\"result\":{{\"_time\":\"{WHEN}Z\",\"_raw\":\"{}\"}}}}\n",
            line.replace('"', "\\\"")
        )
    };
    let text = [
        raw(&format!("{{\"src_ip\":\"{DC}\",\"domain\":\"{NAME}\"}}")),
        raw(&format!("{{\"src_ip\":\"{DC}\",\"dest_ip\":\"203.0.113.7\"}}")),
        raw(&format!("{{\"client\":\"{DC}\",\"query\":\"bad.org\"}}")),
    ];
    let alerts = read(&text.concat());
    let found: Vec<_> = cells(&alerts).into_iter().map(|(_, _, host, name)| (host, name)).collect();
    assert_eq!(found, [(DC, NAME), (DC, "203.0.113.7"), (DC, "bad.org")]);
    assert_eq!(rows_said(&alerts), []);
}

#[test]
fn an_alert_of_kibana_is_of_when_its_event_was() {
    for key in ["kibana.alert.original_time", "original_time", "signal.original_time"] {
        let text = format!(
            "{{\"_source\":{{\"@timestamp\":\"2026-03-02T10:17:42Z\",\"{key}\":\"{WHEN}Z\",\"source.ip\":\"{DC}\",\
             \"dns.question.name\":\"{NAME}\"}}}}"
        );
        assert_eq!(cells(&read(&text)), [(1, WHEN.to_owned(), DC, NAME)], "{key}");
    }
}

#[test]
fn keys_that_stand_twice_and_items_that_are_no_records_are_said() {
    let event = format!("{{\"src\":\"{DC}\",\"domain\":\"{NAME}\"}}");
    let alerts = read(&format!("[{event}, null, 5, [], {event},\n \"x\"]"));
    assert_eq!(alerts.alerts.len(), 2);
    assert_eq!(rows_said(&alerts), [(Some(1), "null"), (Some(1), "5"), (Some(2), "\\\"x\\\"")]);
    let alerts = read(&format!("{{\"alerts\":[null,{event},null]}}"));
    assert_eq!(rows_said(&alerts), [(Some(1), "null"), (Some(1), "null")]);
    let twice =
        format!("{event}\n{{\"src\":\"{DC}\",\"domain\":\"{NAME}\",\"domain\":\"bad.org\"}}\n");
    let alerts = read(&twice);
    assert_eq!(cells(&alerts).len(), 1);
    let said: Vec<_> = alerts.notices.iter().map(ToString::to_string).collect();
    assert!(
        said.iter()
            .any(|text| text.contains("names several destinations (mi.kenal-cn.com, bad.org)")),
        "{said:?}"
    );
    assert!(said.iter().any(|text| text.contains("the first in line 2: \"domain\"")), "{said:?}");
    let same = format!("{{\"src\":\"{DC}\",\"domain\":\"{NAME}\",\"domain\":\"{NAME}\"}}");
    assert_eq!(read(&same).notices, []);
}

#[test]
fn tables_in_json_are_read_by_what_they_say_their_columns_are() {
    let rows = format!(
        "[\"{WHEN}Z\",\"{DC}\",\"{NAME}\"],\n[\"{WHEN}Z\",\"{DC}\",null],[\"{WHEN}Z\",\"{DC}\",[\"bad.org\"]],[\"{WHEN}Z\"]"
    );
    let words = "[\"_time\",\"src\",\"query\"]";
    let objects = "[{\"name\":\"TimeGenerated\",\"type\":\"datetime\"},{\"name\":\"SrcIpAddr\"},{\"name\":\"DnsQuery\"}]";
    for text in [
        format!("{{\"preview\":false,\"messages\":[],\"fields\":{words},\"rows\":[{rows}]}}"),
        format!("{{\"rows\":[{rows}],\"fields\":{words}}}"),
        format!(
            "{{\"tables\":[{{\"name\":\"PrimaryResult\",\"columns\":{objects},\"rows\":[{rows}]}}]}}"
        ),
        format!("{{\"results\":[{{\"series\":[{{\"columns\":{words},\"values\":[{rows}]}}]}}]}}"),
        format!("[{words},{rows}]"),
    ] {
        let alerts = read(&text);
        assert_eq!(alerts.format, AlertFormat::Json);
        let expected = [(1, WHEN.to_owned(), DC, NAME), (2, WHEN.to_owned(), DC, "bad.org")];
        assert_eq!(cells(&alerts), expected, "{text}: {:?}", alerts.notices);
        let lines: Vec<_> = rows_said(&alerts).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [Some(2), Some(2)], "{text}: {:?}", alerts.notices);
    }
}

#[test]
fn what_pi_hole_was_asked_is_read_without_what_its_fields_are_called() {
    let row = |name: &str| {
        format!(
            "[\"1772443062\",\"AAAA\",\"{name}\",\"{DC}\",\"1\",\"0\",\"3\",\"7\",\"N/A\",\"-1\",\"\",\"\"]"
        )
    };
    let alerts = read(&format!("{{\"data\":[{},{}]}}", row(NAME), row("bad.org")));
    let expected = [(1, WHEN.to_owned(), DC, NAME), (1, WHEN.to_owned(), DC, "bad.org")];
    assert_eq!(cells(&alerts), expected);
    // Arrays of anything else are no table.
    let text = "{\"data\":[[1,2,3],[4,5,6]]}";
    assert!(Alerts::read("a.json", text, None, &Zones::default()).is_err());
}

#[test]
fn what_a_search_engine_is_told_to_do_with_a_record_is_no_row_that_was_not_read() {
    let event = format!("{{\"src\":\"{DC}\",\"domain\":\"{NAME}\"}}");
    let alerts = read(&format!(
        "{{\"index\":{{\"_index\":\"fw\"}}}}\n{event}\n{{\"create\":{{}}}}\n{event}\n"
    ));
    assert_eq!((alerts.alerts.len(), rows_said(&alerts).len()), (2, 0));
    assert!(alerts.notices.iter().all(|notice| notice.unread.is_none()), "{:?}", alerts.notices);
}
