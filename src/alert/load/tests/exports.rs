//! What people export from elsewhere: JSON however it is packed, and the logs and pages of further vendors.

use super::super::*;
use crate::time::Timestamp;

const DC: &str = "192.168.2.194";
const NAME: &str = "mi.kenal-cn.com";
const WHEN: &str = "2026-03-02T09:17:42";

fn zones() -> Zones {
    Zones { captured: Timestamp::from_rfc3339("2026-03-02T08:00:00Z"), ..Zones::default() }
}

fn read(text: &str) -> Alerts {
    Alerts::read("a.txt", text, None, &zones()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Line, time, host, destination and threat of each alert.
fn cells(alerts: &Alerts) -> Vec<(u32, String, &str, &str, &str)> {
    let cells = alerts.alerts.iter().map(|alert| {
        let time = alert.time.map_or(String::new(), |time| time.to_string()[..19].to_owned());
        let or = |text: &'_ Option<String>| text.as_deref().unwrap_or("").to_owned().leak() as &str;
        (alert.line, time, or(&alert.host), alert.destination.as_str(), or(&alert.threat))
    });
    cells.collect()
}

fn rows_said(alerts: &Alerts) -> Vec<(Option<u32>, &str)> {
    let rows = alerts.notices.iter().filter(|notice| notice.line.is_some());
    rows.map(|notice| (notice.line, notice.words.as_str())).collect()
}

/// Each text is one alert, of the same destination.
fn each_is_one(format: AlertFormat, texts: &[(&str, &str)]) {
    for (text, threat) in texts {
        let alerts = read(text);
        let found = cells(&alerts);
        assert_eq!(alerts.format, format, "{text}");
        let [(_, time, host, name, found_threat)] = found.as_slice() else {
            panic!("{text}: {found:?} {:?}", alerts.notices)
        };
        assert_eq!(
            (time.as_str(), *host, *name, *found_threat),
            (WHEN, DC, NAME, *threat),
            "{text}"
        );
        assert_eq!(rows_said(&alerts), [], "{text}");
    }
}

#[test]
fn objects_are_found_however_they_are_packed() {
    let plain = r#"{"time":"2026-03-02T09:17:42Z","src_ip":"192.168.2.194","query":"mi.kenal-cn.com","threat":"C2"}"#;
    let splunk = r#"{"_time":"2026-03-02 09:17:42.000 UTC","src":"192.168.2.194","query":"mi.kenal-cn.com","signature":"C2",
        "host":"fw1","source":"udp:514","sourcetype":"fw:dns","_raw":"short"}"#;
    let elastic = r#"{"@timestamp":"2026-03-02T09:17:42.000Z","source":{"ip":"192.168.2.194","port":53211},
        "destination":{"ip":"198.51.100.7","port":53},"dns":{"question":{"name":"mi.kenal-cn.com","type":"A"},
        "answers":[{"name":"mi.kenal-cn.com","data":"203.0.113.67"}]},"rule":{"name":"C2"},"host":{"name":"sensor.example.com"},
        "agent":{"hostname":"sensor.example.com"},"event":{"kind":"alert","category":["network"]}}"#;
    each_is_one(
        AlertFormat::Json,
        &[
            (plain, "C2"),
            (&format!("[{plain}]"), "C2"),
            (&format!("[\n  {plain},\n]"), "C2"),
            (&plain.replace(',', ",\n  ").replace('{', "{\n  "), "C2"),
            (&format!("{{\"count\":1,\"results\":[{plain}],\"next\":null}}"), "C2"),
            (&format!("{{\"value\":[{plain}]}}"), "C2"),
            (&format!("<134>Mar  2 09:17:43 fw1 export: {plain}\n"), "C2"),
            (
                &format!("{{\"preview\":false,\"offset\":0,\"lastrow\":true,\"result\":{splunk}}}"),
                "C2",
            ),
            (
                &format!(
                    "{{\"preview\":false,\"init_offset\":0,\"messages\":[{{\"type\":\"INFO\",\"text\":\"time range was changed\"}}],\
                     \"fields\":[{{\"name\":\"_time\"}},{{\"name\":\"src\"}}],\"results\":[{splunk}],\"highlighted\":{{}}}}"
                ),
                "C2",
            ),
            (
                &format!(
                    "{{\"_index\":\"logs\",\"_id\":\"a\",\"_source\":{elastic},\"sort\":[1]}}"
                ),
                "C2",
            ),
            (
                &format!(
                    "{{\"took\":5,\"_shards\":{{\"total\":1}},\"hits\":{{\"total\":{{\"value\":1}},\"hits\":[{{\"_index\":\"logs\",\
                     \"_source\":{elastic}}}]}}}}"
                ),
                "C2",
            ),
            // Kibana's `fields` hold lists of one.
            (
                r#"{"_id":"a","fields":{"@timestamp":["2026-03-02T09:17:42Z"],"source.ip":["192.168.2.194"],
                    "dns.question.name":["mi.kenal-cn.com"],"rule.name":["C2"]}}"#,
                "C2",
            ),
            // Suricata by way of Filebeat and of Wazuh.
            (
                r#"{"@timestamp":"2026-03-02T09:17:42Z","source":{"ip":"192.168.2.194"},"suricata":{"eve":{"event_type":"alert",
                    "alert":{"signature":"C2"},"dns":{"rrname":"mi.kenal-cn.com"}}}}"#,
                "C2",
            ),
            (
                r#"{"_source":{"timestamp":"2026-03-02T09:17:42.000+0000","agent":{"name":"wazuh","ip":"10.9.9.9"},"data":{"src_ip":"192.168.2.194",
                    "dest_ip":"198.51.100.7","alert":{"signature":"C2"},"dns":{"query":[{"rrname":"mi.kenal-cn.com","type":"query"}]}}}}"#,
                "C2",
            ),
            (
                r#"{"ts":1772443062.123456,"uid":"CHhA","id.orig_h":"192.168.2.194","id.orig_p":53211,"id.resp_h":"198.51.100.7",
                    "id.resp_p":53,"seen.indicator":"mi.kenal-cn.com","seen.where":"DNS::IN_REQUEST","sources":["abuse.ch"]}"#,
                "abuse.ch",
            ),
            (
                r#"{"T":"2026-03-02T10:17:42.1+01:00","QH":"mi.kenal-cn.com","QT":"A","QC":"IN","CP":"","Answer":"AAAA",
                    "IP":"192.168.2.194","Result":{"IsFiltered":true,"Reason":3,"Rules":[{"Text":"||kenal-cn.com^","FilterListID":1}]}}"#,
                "",
            ),
            (
                r#"{"data":[{"client":"192.168.2.194","question":{"class":"IN","name":"mi.kenal-cn.com","type":"A"},
                    "reason":"FilteredBlackList","rules":[{"filter_list_id":1,"text":"||x^"}],"time":"2026-03-02T09:17:42Z"}],
                    "oldest":"2026-03-02T09:17:42Z"}"#,
                "FilteredBlackList",
            ),
        ],
    );
}

#[test]
fn what_apis_answer_and_collectors_keep_is_read() {
    each_is_one(
        AlertFormat::Json,
        &[
            // Pi-hole 6.
            (
                r#"{"queries":[{"id":1,"time":1772443062.5,"type":"A","domain":"mi.kenal-cn.com","cname":null,"status":"GRAVITY",
                    "client":{"ip":"192.168.2.194","name":"dc1.lan"},"reply":{"type":"IP","time":0.1},"upstream":null}],"cursor":1}"#,
                "",
            ),
            // Umbrella, whose stamp says more than its day and clock.
            (
                r#"{"meta":{},"data":[{"externalip":"198.51.100.9","internalip":"192.168.2.194","timestamp":1772443062000,
                    "date":"2026-03-02","time":"09:17:42","domain":"mi.kenal-cn.com","verdict":"blocked",
                    "identities":[{"id":1,"label":"DC1"}],"threats":[{"label":"KenalRAT","type":"Command and Control"}]}]}"#,
                "",
            ),
            // OPNsense.
            (
                r#"{"total":1,"rowCount":1,"rows":[{"timestamp":"2026-03-02T10:17:42.1+0100","alert":"ET DNS Query for mi.kenal-cn.com",
                    "alert_sid":"2024897","src_ip":"192.168.2.194","src_port":53211,"dest_ip":"198.51.100.7","dest_port":53,"filepos":47}]}"#,
                "ET DNS Query for mi.kenal-cn.com",
            ),
            // Wazuh, which wrote it down a second later.
            (
                r#"{"timestamp":"2026-03-02T09:17:43.000+0000","rule":{"level":12,"description":"Suricata: Alert"},
                    "data":{"timestamp":"2026-03-02T09:17:42.5+0000","src_ip":"192.168.2.194","dest_ip":"198.51.100.7","dest_port":"53",
                    "alert":{"signature":"C2","signature_id":"7"},"dns":{"rrname":"mi.kenal-cn.com"}}}"#,
                "C2",
            ),
            // Defender packs what it has no column for.
            (
                r#"{"Schema":[{"Name":"Timestamp","Type":"DateTime"}],"Results":[{"Timestamp":"2026-03-02T09:17:42.1234567Z",
                    "RemoteIP":"198.51.100.7","RemotePort":53,"LocalIP":"192.168.2.194","AdditionalFields":"{\"query\":\"mi.kenal-cn.com\"}"}]}"#,
                "",
            ),
            // Graylog.
            (
                r#"{"messages":[{"highlight_ranges":{},"message":{"timestamp":"2026-03-02T09:17:43.000Z","source":"fw1",
                    "message":"date=2026-03-02 time=09:17:42 tz=UTC devname=\"FG\" logid=\"1\" type=\"utm\" subtype=\"dns\" srcip=192.168.2.194 dstip=198.51.100.7 qname=\"mi.kenal-cn.com\" attack=\"C2\""},"index":"graylog_0"}]}"#,
                "C2",
            ),
        ],
    );
    let splunk = "\"_raw\",\"_time\",host,source,sourcetype,index\n\
        \"2026:03:02-09:17:42 fw1 afcd[4711]: id=\"\"2022\"\" srcip=\"\"192.168.2.194\"\" dstip=\"\"203.0.113.66\"\" threatname=\"\"C2\"\" \
        host=\"\"mi.kenal-cn.com\"\"\",\"2026-03-02T09:17:42.000+0000\",fw1,udp:514,utm,main\n";
    let alerts = read(splunk);
    assert_eq!(cells(&alerts), [(2, WHEN.to_owned(), DC, NAME, "C2")]);
    assert_eq!(alerts.format, AlertFormat::Csv);
}

#[test]
fn events_of_suricata_are_read_as_such_however_they_are_packed() {
    let event = r#"{"timestamp":"2026-03-02T09:17:42.5+0000","flow_id":7,"event_type":"alert","src_ip":"192.168.2.194","src_port":53211,
        "dest_ip":"198.51.100.7","dest_port":53,"alert":{"signature":"C2"},"dns":{"query":[{"rrname":"mi.kenal-cn.com"}]}}"#;
    let one_line = event.replace('\n', " ");
    each_is_one(
        AlertFormat::Eve,
        &[
            (event, "C2"),
            (&format!("[{event}]"), "C2"),
            (&format!("Mar  2 09:17:42 fw suricata[1]: {one_line}"), "C2"),
            (&format!("{{\"hits\":{{\"hits\":[{{\"_source\":{event}}}]}}}}"), "C2"),
        ],
    );
}

#[test]
fn records_that_name_no_destination_are_read_by_the_lines_that_they_were_made_of() {
    let raw = |line: &str| {
        let line = serde_json::to_string(line).unwrap();
        format!(
            "{{\"preview\":false,\"result\":{{\"_time\":\"2026-03-02 09:17:42\",\"host\":\"fw1\",\"_raw\":{line}}}}}\n"
        )
    };
    let utm = "2026:03:02-09:17:42 utm afcd[4711]: id=\"2022\" name=\"Packet dropped (ATP)\" srcip=\"192.168.2.194\" \
               dstip=\"203.0.113.66\" threatname=\"C2\" host=\"mi.kenal-cn.com\" url=\"-\" action=\"drop\"";
    let fast = "03/02/2026-09:17:42.1  [**] [1:1:1] ET DNS Query for mi.kenal-cn.com [**] [Priority: 1] {UDP} \
                192.168.2.194:53211 -> 198.51.100.7:53";
    let alerts = read(&format!("{}{}", raw(utm), raw(utm)));
    let row = |line| (line, WHEN.to_owned(), DC, NAME, "C2");
    assert_eq!(cells(&alerts), [row(1), row(2)]);
    assert_eq!(alerts.format, AlertFormat::Json);
    assert!(
        alerts.notices[0].words.contains("original log lines, as key-value"),
        "{:?}",
        alerts.notices
    );
    let alerts = read(&raw(fast));
    assert_eq!(cells(&alerts)[0].3, NAME);
    let error = Alerts::read("a.txt", &raw(&"no alert, only words ".repeat(4)), None, &zones());
    assert!(error.unwrap_err().to_string().contains("is not known"));
}

#[test]
fn what_is_broken_or_names_nothing_in_json_is_refused_by_its_line() {
    let one = |name: &str| {
        format!("{{\"time\":1772443062,\"src_ip\":\"192.168.2.194\",\"query\":{name}}}")
    };
    let text = format!(
        "{}\n{}\nplain words\n{}\n{}\n{}\n",
        one("\"mi.kenal-cn.com\""),
        "{\"time\":1772443062,\"src_ip\":\"192.16",
        one("\"localhost\""),
        one("[\"one.com\",\"two.com\"]"),
        one("\"x1.ad-sync.net\"")
    );
    let alerts = read(&text);
    let found: Vec<_> = cells(&alerts).into_iter().map(|cells| (cells.0, cells.3)).collect();
    assert_eq!(found, [(1, NAME), (6, "x1.ad-sync.net")]);
    let said = rows_said(&alerts);
    let lines: Vec<_> = said.iter().map(|(line, _)| line.unwrap()).collect();
    assert_eq!(lines, [2, 3, 4, 5], "{said:?}");
    for (said, words) in said.iter().zip([
        "is not closed",
        "not a JSON object",
        "no destination",
        "one.com, two.com",
    ]) {
        assert!(said.1.contains(words), "{said:?}");
    }
    // A paste that lost its end, or its beginning, has the rest.
    let whole = format!("{{\"hits\":[{},{}]}}", one("\"one.com\""), one("\"two.com\""));
    assert_eq!(read(&whole).alerts.len(), 2);
    let cut = read(whole.get(..whole.len() - 5).unwrap());
    assert_eq!((cut.alerts.len(), rows_said(&cut).len()), (1, 1));
    let behind = read(whole.get(9..).unwrap());
    assert_eq!(behind.alerts.len(), 2);
    for list in [
        r#"{"type":"bundle","objects":[{"type":"indicator","spec_version":"2.1","pattern_type":"stix","name":"evil.com","created":"2026-03-02T09:17:42Z","pattern":"[domain-name:value = 'evil.com']"}]}"#,
        r#"{"response":{"Attribute":[{"type":"domain","category":"Network activity","to_ids":true,"timestamp":"1772443062","value":"evil.com"}]}}"#,
    ] {
        let error = Alerts::read("a.json", list, None, &zones()).map(|a| a.alerts).unwrap_err();
        assert!(error.to_string().contains("with --indicators"), "{error}");
    }
}

#[test]
fn of_several_names_for_one_end_that_outside_counts_and_what_is_in_no_list_is_missed_aloud() {
    let one = |destination: &str| {
        read(&format!(
            r#"{{"@timestamp":"2026-03-02T09:17:42Z","source":{{"address":"pc1.corp.lan","ip":"{DC}"}},"destination":{destination}}}"#
        ))
    };
    for (destination, expected) in [
        (r#"{"address":"mi.kenal-cn.com","ip":"203.0.113.66"}"#, NAME),
        (r#"{"address":"dc1.corp.lan","ip":"203.0.113.66"}"#, "203.0.113.66"),
        (r#"{"address":"203.0.113.66","ip":"203.0.113.66"}"#, "203.0.113.66"),
    ] {
        assert_eq!(cells(&one(destination))[0].3, expected, "{destination}");
        assert_eq!(cells(&one(destination))[0].2, DC, "{destination}");
    }
    // A result is not always all there is.
    let alerts = read(&format!(
        r#"{{"time":1772443062,"src_ip":"{DC}","query":"{NAME}","result":{{"code":0}}}}"#
    ));
    assert_eq!(cells(&alerts), [(1, WHEN.to_owned(), DC, NAME, "")]);
    let collector = format!(
        r#"{{"time":1772443062,"host":"fw1","sourcetype":"dns","event":{{"src_ip":"{DC}","query":"{NAME}"}}}}"#
    );
    assert_eq!(cells(&read(&collector)), [(1, WHEN.to_owned(), DC, NAME, "")]);
    let lacks = r#"{"time":1,"bad":"evil.com","answers":[{"name":"a.com","data":"192.0.2.1"}]}"#;
    let alerts = read(&format!("{collector}\n{lacks}\n"));
    assert_eq!((alerts.alerts.len(), rows_said(&alerts)[0].0), (1, Some(2)));
}

#[test]
#[allow(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
fn deep_and_long_json_is_read_in_its_length() {
    let deep = format!("{}{}", "{\"a\":[".repeat(60_000), "]}".repeat(60_000));
    let open = "{\"a\":".repeat(60_000);
    let keys: String = (0..40_000).map(|n| format!("\"k{n}\":\"v\",")).collect();
    let wide = format!("{{{keys}\"time\":1772443062,\"query\":\"evil.com\"}}");
    let values = format!("{{\"time\":1,\"query\":[{}\"a.com\"]}}", "\"evil.com\",".repeat(90_000));
    let long = format!("{{\"query\":\"{}\"}}", "a.".repeat(1 << 20));
    for text in [deep, open, wide, values, long, "[{".repeat(50_000), "{\"\n".repeat(50_000)] {
        let start = std::time::Instant::now();
        let _ = Alerts::read("a.json", &text, None, &zones());
        assert!(start.elapsed().as_secs() < 20, "{}", &text[..40]);
    }
}

#[test]
fn lines_of_firepower_are_read_with_their_commas() {
    let ends =
        "SrcIP: 192.168.2.194, DstIP: 198.51.100.7, SrcPort: 53211, DstPort: 53, Protocol: udp";
    let top = "EventPriority: High, DeviceUUID: b2433c5c-a6a1, InstanceID: 2, FirstPacketSecond: 2026-03-02T09:17:42Z, \
               ConnectionID: 4, AccessControlRuleAction: Block";
    let dns = format!(
        "<113>2026-03-02T09:17:43Z fw1 : %FTD-1-430002: {top}, AccessControlRuleReason: DNS Block, {ends}, \
         Prefilter Policy: Default, DNSQuery: mi.kenal-cn.com, DNSRecordType: a host address, DNSSICategory: DNS CnC"
    );
    let intrusion = format!(
        "Mar 02 2026 09:17:43: %FTD-1-430001: {top}, {ends}, Priority: 1, GID: 1, SID: 57123, Revision: 2, \
         Message: MALWARE-CNC DNS lookup for mi.kenal-cn.com, variant 2, Classification: A Network Trojan was Detected, User: "
    );
    let malware = format!(
        "%FTD-1-430005: {top}, {ends}, FileName: a.exe, ThreatName: Win.Agent, URI: /a.exe, URL: http://mi.kenal-cn.com/a.exe"
    );
    let old = "2026-03-02T09:17:42Z asa SFIMS: Protocol: UDP, SrcIP: 192.168.2.194, OriginalClientIP: ::, DstIP: 198.51.100.7, \
               DstPort: 53, DNSQuery: mi.kenal-cn.com, URLReputation: Risk unknown";
    for (line, name, threat) in [
        (dns.as_str(), NAME, "DNS CnC"),
        (&intrusion, NAME, "MALWARE-CNC DNS lookup for mi.kenal-cn.com, variant 2"),
        (&malware, "http://mi.kenal-cn.com/a.exe", "Win.Agent"),
        (old, NAME, ""),
    ] {
        let alerts = read(line);
        assert_eq!(alerts.format, AlertFormat::KeyValue);
        assert_eq!(cells(&alerts), [(1, WHEN.to_owned(), DC, name, threat)], "{line}");
    }
    // Of a log those that no list stopped are traffic.
    let traffic = format!("%FTD-6-430003: {top}, {ends}, DNSQuery: www.example.org");
    let alerts = read(&format!("{dns}\n{traffic}\n"));
    assert_eq!(alerts.alerts.len(), 1);
    assert!(alerts.notices.iter().any(|n| n.words.contains("1 row was ignored: no threat")));
}

#[test]
fn what_umbrella_writes_without_a_header_and_what_pages_and_boxes_export_is_read() {
    let umbrella = "\"2026-03-02 09:17:42\",\"DC1\",\"DC1,Berlin,Network\",\"192.168.2.194\",\"198.51.100.9\",\"Blocked\",\"1 (A)\",\
                    \"NOERROR\",\"mi.kenal-cn.com.\",\"Malware\",\"Networks\",\"Networks,Sites\",\"Malware\"\n";
    let alerts = read(umbrella);
    assert_eq!(cells(&alerts), [(1, WHEN.to_owned(), DC, "mi.kenal-cn.com.", "Malware")]);
    assert!(!alerts.alerts[0].is_local, "its times are of UTC");
    each_is_one(
        AlertFormat::Csv,
        &[
            // OPNsense's page: each end has a port.
            (
                "Timestamp\tSID\tAction\tInterface\tSource\tPort\tDestination\tPort\tAlert\tInfo\n\
                 2026-03-02T09:17:42.5+0000\t2024897\tallowed\tlan\t192.168.2.194\t53211\t198.51.100.7\t53\t\
                 ET MALWARE C2 Domain in DNS Lookup (mi .kenal-cn .com)\t\n",
                "ET MALWARE C2 Domain in DNS Lookup (mi .kenal-cn .com)",
            ),
            // pfSense's: a date and a clock, and an address and its icons, one below the other.
            (
                "Date\tAction\tPri\tProto\tClass\tSrc\tSPort\tDst\tDPort\tGID:SID\tDescription\n\
                 03/02/2026\n09:17:42\t\t1\tUDP\tA Network Trojan was detected\t192.168.2.194\n  \t53211\t198.51.100.7\n  \t53\t\
                 1:2024897\n  \tET DNS Query for mi.kenal-cn.com\n",
                "ET DNS Query for mi.kenal-cn.com",
            ),
            (
                "Time,Type,Domain,Client,Status\n2026-03-02 09:17:42,A,mi.kenal-cn.com,192.168.2.194,Blocked (gravity)\n",
                "",
            ),
            (
                "timestamp,domain,query_type,dnssec,protocol,client_ip,status,reasons,destination_country,root_domain,device_id,\
                 device_name,device_model,device_local_ip\n\
                 2026-03-02T09:17:42Z,mi.kenal-cn.com,A,false,UDP,198.51.100.9,blocked,threat-intelligence,,kenal-cn.com,A1,DC1,,\
                 192.168.2.194\n",
                "",
            ),
            (
                "\"_time\",host,source,sourcetype,src,query,signature\n\
                 \"2026-03-02T09:17:42.000+0000\",fw1,udp:514,fw:dns,192.168.2.194,mi.kenal-cn.com,C2\n",
                "C2",
            ),
        ],
    );
}

#[test]
fn rows_of_a_page_that_are_not_whole_are_refused_and_never_mixed() {
    let header = "Date\tAction\tPri\tProto\tClass\tSrc\tSPort\tDst\tDPort\tGID:SID\tDescription\n";
    let row = |src: &str, dst: &str| {
        format!(
            "03/02/2026\n09:17:42\t\t1\tUDP\tTrojan\t{src}\n  \t53211\t{dst}\n  \t80\t1:1\n  \tC2\n"
        )
    };
    let cut = "03/02/2026\n09:17:42\t\t1\tUDP\tTrojan\t192.168.2.12\n";
    let text =
        format!("{header}{}{cut}{}", row(DC, "203.0.113.66"), row("192.168.2.13", "203.0.113.67"));
    let alerts = read(&text);
    let found: Vec<_> =
        cells(&alerts).into_iter().map(|cells| (cells.0, cells.2, cells.3)).collect();
    assert_eq!(found, [(2, DC, "203.0.113.66"), (9, "192.168.2.13", "203.0.113.67")]);
    assert_eq!(rows_said(&alerts)[0].0, Some(7), "{:?}", alerts.notices);
}

#[test]
fn ones_own_domain_in_every_row_is_never_the_destination() {
    let rows = |header: &str, rows: &[&str]| {
        let alerts =
            Alerts::read("a.csv", &format!("{header}\n{}\n", rows.join("\n")), None, &zones());
        let said = |alerts: &Alerts| {
            alerts.notices.iter().map(|n| n.words.clone()).collect::<Vec<_>>().join("; ")
        };
        match alerts {
            Ok(alerts) => {
                let names: Vec<_> = alerts.alerts.iter().map(|a| a.destination.clone()).collect();
                (names.join(" "), said(&alerts))
            }
            Err(error) => (String::new(), error.to_string()),
        }
    };
    let of = |domain: &str, others: [&str; 3]| {
        others.map(|other| format!("0,10.20.0.10,{domain},{other},C2"))
    };
    let read = |heading: &str, domain: &str, others: [&str; 3]| {
        let lines = of(domain, others);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        rows(&format!("time,src_ip,{heading},threat"), &lines)
    };
    let names = ["evil.com", "bad.example.net", "evil.com"];
    let addresses = ["203.0.113.66", "203.0.113.67", "203.0.113.66"];
    for own in ["corp.local", "CORP"] {
        assert_eq!(read("Domain,Foo", own, names).0, names.join(" "), "{own}");
        assert_eq!(read("Domain,Foo", own, addresses).0, addresses.join(" "), "{own}");
        assert_eq!(read("Domain,dest_ip", own, addresses).0, addresses.join(" "), "{own}");
        assert_eq!(read("Hostname,Foo", own, names).0, names.join(" "), "{own}");
    }
    assert_eq!(read("Hostname,Foo", "dc1.contoso.com", names).0, names.join(" "));
    assert_eq!(read("Hostname,Foo", "dc1.contoso.com", addresses).0, addresses.join(" "));
    let (_, said) = read("Domain,Foo", "corp.local", names);
    assert!(
        said.contains("\"Domain\" says corp.local in every row and is taken for your own"),
        "{said}"
    );
    // It may be either: what was asked for, or where they work.
    let (found, said) = read("Domain,Foo", "contoso.com", names);
    assert_eq!(found, "");
    assert!(said.contains("not recognised") || said.contains("it is unclear which"), "{said}");
    let (found, said) = read("Domain,dest_ip", "contoso.com", addresses);
    assert_eq!(found, "contoso.com contoso.com contoso.com");
    assert!(said.contains("if it is your own domain"), "{said}");
    let (found, said) = read("Domain,CNAME", "evil.com", names);
    assert_eq!((found.as_str(), said.as_str()), ("evil.com evil.com evil.com", ""));
    let (found, _) = read("Domain,dest_ip", "contoso.com", [addresses[0]; 3]);
    assert_eq!(found, "contoso.com contoso.com contoso.com");
    let (found, said) =
        rows("time,src_ip,Domain,threat", &["0,10.20.0.10,evil.com,C2", "0,10.20.0.10,two.com,C2"]);
    assert_eq!((found.as_str(), said.as_str()), ("evil.com two.com", ""));
}

#[test]
fn a_number_is_a_time_of_this_century_or_refused_aloud() {
    let read = |time: &str| read(&format!("time,host,destination\n{time},{DC},{NAME}\n"));
    for time in [
        "20260302091742",
        "134169166620000000",
        "639080398620000000",
        "1772443062",
        "1772443062000",
    ] {
        assert_eq!(cells(&read(time))[0].1, WHEN, "{time}");
    }
    assert!(read("639080398620000000").alerts[0].is_local, "it names no zone");
    for time in ["260302091742", "5000000000", "86400000000"] {
        let alerts = read(time);
        assert!(alerts.alerts[0].time.is_none() && alerts.alerts[0].is_time_unread, "{time}");
        let words = "did not give a time from 2001 to 2100";
        assert!(alerts.notices.iter().any(|n| n.words.contains(words)), "{:?}", alerts.notices);
    }
}

#[test]
fn a_day_and_a_clock_in_columns_of_their_own_may_hold_more() {
    for (day, clock) in [
        ("Mon 2026-03-02", "09:17:42 UTC"),
        ("2026-03-02T00:00:00", "9:17:42 a.m."),
        ("2026-03-02 00:00:00", "1899-12-30 09:17:42"),
        ("2026-03-02", "2026-03-02 09:17:42 +0000 UTC"),
        ("2026-03-02 09:17:42", ""),
        ("2026-03-02 09:17:42", "09:17:42"),
    ] {
        let alerts = read(&format!("Date,Time,host,destination\n{day},{clock},{DC},{NAME}\n"));
        assert_eq!(cells(&alerts)[0].1, WHEN, "{day} / {clock}: {:?}", alerts.notices);
    }
    for (day, clock) in [
        ("2026-03-02", "2026-03-03 09:17:42"),
        ("", "09:17:42"),
        ("2026-03-02 08:00:00", "09:17:42"),
    ] {
        let alerts = read(&format!("Date,Time,host,destination\n{day},{clock},{DC},{NAME}\n"));
        assert!(alerts.alerts[0].is_time_unread, "{day} / {clock}: {:?}", alerts.notices);
    }
}

#[test]
fn beside_users_a_domain_that_differs_from_row_to_row_is_what_was_asked_for() {
    let destinations = |domains: [&str; 3]| {
        let rows = domains.map(|domain| format!("{WHEN}Z,{DC},kevin,{domain},198.41.0.4,C2\n"));
        let text = format!("Time,Source IP,User,Domain,Destination IP,Threat\n{}", rows.concat());
        let alerts = read(&text);
        alerts.alerts.iter().map(|alert| alert.destination.clone()).collect::<Vec<_>>()
    };
    assert_eq!(destinations([NAME, "evil.com", NAME]), [NAME, "evil.com", NAME]);
    // Of two domains of one company, and of one, the users are.
    let by_address = ["198.41.0.4"; 3];
    assert_eq!(destinations(["emea.firm.com", "us.firm.com", "us.firm.com"]), by_address);
    assert_eq!(destinations(["firm.com"; 3]), by_address);
}

#[test]
fn an_address_that_is_called_the_indicator_comes_before_that_of_the_server() {
    let text =
        format!("time,srcip,dstip,indicator,threat\n{WHEN}Z,{DC},198.41.0.4,104.31.83.243,C2\n");
    let found = read(&text);
    assert_eq!(found.alerts.first().map(|alert| alert.destination.as_str()), Some("104.31.83.243"));
    let of_its_own = text.replace("104.31.83.243", DC);
    let found = read(&of_its_own);
    assert_eq!(found.alerts.first().map(|alert| alert.destination.as_str()), Some("198.41.0.4"));
}

#[test]
fn a_row_that_says_there_was_no_threat_is_no_alert() {
    let header = "time,host,destination,threat\n2026-03-02 09:17:42,192.168.2.194,mi.kenal-cn.com,C2/Generic-A\n";
    for none in ["none", "No threat", "Keine", "(clean)"] {
        let alerts = read(&format!("{header}2026-03-02 09:18:00,DC,www.microsoft.com,{none}\n"));
        assert_eq!(cells(&alerts).len(), 1, "{none}");
        let said = alerts.notices.first().map(|notice| notice.words.as_str());
        assert_eq!(said, Some("1 row was ignored: no threat was found there"), "{none}");
    }
    // A dash, or nothing: the threat stands elsewhere, or is not told.
    for unsaid in ["-", "", "Nonesuch.A"] {
        let alerts = read(&format!("{header}2026-03-02 09:18:00,DC,www.microsoft.com,{unsaid}\n"));
        assert_eq!(cells(&alerts).len(), 2, "{unsaid}");
    }
}
