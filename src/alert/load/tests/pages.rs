//! What pages, mails and devices write otherwise than an export does.

use super::super::*;

fn read(text: &str) -> Alerts {
    let captured = crate::time::Timestamp::from_rfc3339("2026-03-02T08:00:00Z");
    let zones = Zones { captured, ..Zones::default() };
    Alerts::read("a.txt", text, None, &zones).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Who, and where to.
fn cells(alerts: &Alerts) -> Vec<(&str, &str)> {
    alerts
        .alerts
        .iter()
        .map(|alert| (alert.host.as_deref().unwrap_or_default(), alert.destination.as_str()))
        .collect()
}

const DC: &str = "192.168.2.194";
const NAME: &str = "mi.kenal-cn.com";

#[test]
fn a_header_whose_first_cell_is_empty_stands_above_its_columns() {
    for header in ["\tTime\tHost\tServer\tDomain\tThreat", "#\tTime\tHost\tServer\tDomain\tThreat"]
    {
        for first in ["", "1"] {
            let row = format!("{first}\t2026-03-02 09:17:42\t{DC}\t104.31.83.243\t{NAME}\tC2");
            let alerts = read(&format!("{header}\n{row}\n{row}\n"));
            assert_eq!(cells(&alerts), [(DC, NAME); 2], "{header:?} {first:?}");
            assert!(alerts.alerts.iter().all(|alert| alert.time.is_some()));
        }
    }
}

#[test]
fn a_name_in_the_words_comes_before_the_dns_server_that_was_asked() {
    for text in [
        // Meraki's table and log, with the ports behind the addresses.
        "Time\tType\tSource\tDestination\tAction\tDetails\n2026-03-02 09:17:42\tIDS Alert\t192.168.2.194:53211\t9.9.9.9:53\tBlocked\t\
         MALWARE-CNC DNS request for known malware domain mi.kenal-cn.com\n",
        "<134>1 1772438402.000 MX84 security_event ids_alerted signature=1:29708:4 timestamp=1772438402.0 protocol=udp/ip \
         src=192.168.2.194:53211 dst=9.9.9.9:53 message: INDICATOR-COMPROMISE Suspicious query mi.kenal-cn.com\n",
        // FortiGate, of an intrusion; and a row of its page, within the quotes of CSV.
        "date=2026-03-02 time=08:00:02 type=\"utm\" subtype=\"ips\" srcip=192.168.2.194 dstip=9.9.9.9 srcport=53211 dstport=53 \
         attack=\"Backdoor.DNS.Query\" msg=\"backdoor: mi.kenal-cn.com\"\n",
        "\"date=2026-03-02\",\"time=09:17:42\",\"type=\"\"utm\"\"\",\"srcip=192.168.2.194\",\"dstip=9.9.9.9\",\"qname=\"\"mi.kenal-cn.com\"\"\"\n",
        // Check Point says the service.
        "Time,Action,Source,Destination,Service,Description\n2026-03-02T09:17:42Z,Prevent,192.168.2.194,9.9.9.9,domain-udp,\
         DNS request to malicious domain mi.kenal-cn.com prevented\n",
        // UniFi.
        "Mar  2 08:00:02 fw CEF:0|Ubiquiti|UniFi Network|9.0|201|Threat Detected and Blocked|7|src=192.168.2.194 spt=53211 dst=9.9.9.9 \
         dpt=53 msg=From 192.168.2.194 to 9.9.9.9. UNIFIipsSignature=ET MALWARE DNS Query to mi.kenal-cn.com UNIFIrisk=high\n",
        // Palo Alto's page.
        "Receive Time\tThreat ID/Name\tSource address\tDestination address\n2026/03/02 09:17:43\tSuspicious DNS Query \
         (generic:mi.kenal-cn.com)\t192.168.2.194\t9.9.9.9\n",
    ] {
        let alerts = read(text);
        let [alert] = alerts.alerts.as_slice() else { panic!("{text}: {alerts:?}") };
        assert_eq!(alert.destination, NAME, "{text}");
        assert!(alert.host.as_deref().is_some_and(|host| host.starts_with(DC)), "{text}");
        assert!(alert.time.is_some(), "{text}");
    }
    // Of no DNS server, words may name anything.
    let alerts = read(
        "Time,Source,Destination,Service,Description\n2026-03-02T09:17:42Z,192.168.2.194,203.0.113.67,https,see blog.example.com\n",
    );
    assert_eq!(cells(&alerts), [(DC, "203.0.113.67")]);
}

#[test]
fn who_reports_is_not_what_was_asked_for() {
    let message = "Connection to mi.kenal-cn.com blocked (C2)";
    let header = "Time,Origin Node,Source,Message";
    let row = |name: &str, message: &str| format!("2026-03-02 09:04:01,{name},{DC},{message}");
    // The words of the row name something else.
    let one = format!("{header}\n{}\n", row("mail.example.com", message));
    let refused = Alerts::read("a.csv", &one, None, &Zones::default()).unwrap_err().to_string();
    assert!(refused.contains("mail.example.com and mi.kenal-cn.com"), "{refused}");
    assert!(refused.contains("`whoasked explain mail.example.com CAPTURE`"), "{refused}");
    // It says one name in all of many rows.
    let header = header.replace("Origin Node", "Foo");
    let rows = [
        row("mail.example.com", "C2"),
        row("mail.example.com", "C2"),
        row("mail.example.com", "C2"),
    ];
    let text = format!("{header}\n{}\n", rows.join("\n"));
    assert!(Alerts::read("a.csv", &text, None, &Zones::default()).is_err());
    let others = text.replacen("mail.example.com", NAME, 1);
    assert_eq!(read(&others).alerts.len(), 3);
}

#[test]
fn the_marks_of_quoted_mails_are_no_part_of_rows() {
    let alerts = read("see this:\n\n> > 1 192.168.2.194 C2/Generic-A mi.kenal-cn.com 2 AFCd\n");
    assert_eq!(cells(&alerts), [(DC, NAME)]);
    assert_eq!((alerts.alerts[0].number, alerts.alerts[0].line), (1, 3));
    let alerts = read(
        "> Time\tHost\tDestination\tThreat\n> 2026-03-02 09:17:42\t192.168.2.194\tmi.kenal-cn.com\tC2\n",
    );
    assert_eq!(cells(&alerts), [(DC, NAME)]);
    assert!(alerts.alerts[0].time.is_some());
}

#[test]
fn rows_that_cannot_be_read_are_said_though_they_stand_first() {
    let alerts = read(
        "Advanced Threat Protection\n1  192.168.2.194  C2/Generic-A  mi . kenal-cn . com  2  AFCd\n\
         2  192.168.2.194  C2/Generic-A  x1.ad-sync. net  1  AFCd\n3  192.168.2.194  C2/Generic-A  mi.kenal-cn.com  1  AFCd\n",
    );
    assert_eq!(cells(&alerts), [(DC, NAME)]);
    let lines: Vec<_> = alerts.notices.iter().filter_map(|notice| notice.line).collect();
    assert_eq!(lines, [2, 3]);
    // A labelled alert without a destination, too.
    let whole = "Threat Name: C2\nSource: 192.168.2.194\nDestination: mi.kenal-cn.com\n";
    let alerts = read(&format!("{whole}\nThreat Name: C2\nSource: 192.168.2.194\nSeen: yes\n"));
    assert_eq!(alerts.alerts.len(), 1);
    assert_eq!(alerts.notices.iter().filter_map(|notice| notice.line).collect::<Vec<_>>(), [5]);
}

#[test]
fn a_port_and_an_interface_behind_an_address_are_left_out() {
    let alerts = read(
        "id=firewall sn=1 time=\"2026-03-02 09:17:42\" fw=203.0.113.1 msg=\"Botnet\" src=192.168.2.194:53211:X0 \
         dst=203.0.113.67:443:X1\n",
    );
    assert_eq!(cells(&alerts), [("192.168.2.194", "203.0.113.67")]);
}

#[test]
fn colons_that_nobody_can_click_on_are_colons() {
    for link in [
        "hxxps[:]//mi[.]kenal-cn[.]com/a",
        "hxxp[://]mi.kenal-cn.com/a",
        "hxxp(:)//mi[dot]kenal-cn[dot]com",
    ] {
        let alerts = read(&format!(
            "Threat: C2\nSource: {DC}\nDestination: {link}\nTime: 2026-03-02 09:17:42\n"
        ));
        let [alert] = alerts.alerts.as_slice() else { panic!("{link}: {alerts:?}") };
        assert_eq!(super::super::row::value::host_of(&alert.destination), NAME, "{link}");
    }
}

#[test]
fn where_a_link_of_a_mail_gateway_leads_is_the_destination() {
    let link = "https://eur01.safelinks.protection.outlook.com/?url=http%3A%2F%2Fmi.kenal-cn.com%2F&data=05%7C02";
    let alerts = read(&format!("Time,Source,Destination\n2026-03-02 09:17:42,{DC},{link}\n"));
    assert_eq!(cells(&alerts), [(DC, "http://mi.kenal-cn.com/")]);
}

#[test]
fn lines_that_a_page_shows_as_written_stay_lines() {
    let rows = format!(
        "date=2026-03-02 time=09:17:42 srcip={DC} qname=\"{NAME}\" action=\"blocked\" catdesc=\"Botnet\"\n"
    );
    let alerts = read(&format!("<html><body><p>Alerts</p><pre>\n{rows}{rows}</pre></body></html>"));
    assert_eq!(cells(&alerts), [(DC, NAME); 2]);
    assert_eq!(alerts.alerts.iter().map(|alert| alert.line).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn a_second_table_has_the_order_of_its_own_header() {
    let alerts = read(&format!(
        "time,src_ip,domain\n2026-03-02 09:17:42,{DC},{NAME}\ndomain,time,src_ip\n{NAME},2026-03-02 11:17:42,192.168.2.12\n"
    ));
    assert_eq!(cells(&alerts), [(DC, NAME), ("192.168.2.12", NAME)]);
    assert!(alerts.alerts.iter().all(|alert| alert.time.is_some()), "{alerts:?}");
}
