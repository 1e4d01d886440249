//! Tables that are drawn with signs, tables of Microsoft's alerts, mails of Sophos Central, and documents.

use super::super::*;

fn read(text: &str) -> Alerts {
    let alerts = Alerts::read("a.txt", text, None, &Zones::default());
    alerts.unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn of(alerts: &Alerts) -> Vec<(u32, &str, &str, bool)> {
    let cells = |alert: &'_ Alert| {
        let host = alert.host.as_deref().unwrap_or_default().to_owned();
        (alert.line, host, alert.destination.clone(), alert.time.is_some())
    };
    let found: Vec<_> = alerts.alerts.iter().map(cells).collect();
    let expected = |host: &str, name: &str| host == DC && name == NAME;
    let same = found.into_iter().filter(|(_, host, name, _)| expected(host, name));
    same.map(|(line, _, _, is_timed)| (line, DC, NAME, is_timed)).collect()
}

const DC: &str = "192.168.2.194";
const NAME: &str = "mi.kenal-cn.com";

#[test]
fn a_table_that_is_drawn_is_one_and_its_rules_are_no_rows() {
    let head = "| Time | Host | Destination | Threat |";
    let row = format!("| 2026-03-02 09:17:42 | {DC} | {NAME} | C2/Generic-A |");
    let rule = "+------+------+-------------+--------+";
    for (text, line) in [
        (format!("{rule}\n{head}\n{rule}\n{row}\n{rule}\n"), 4),
        (format!("{head}\n|------|:-----|-------------|-------:|\n{row}\n"), 3),
        (format!("||Time||Host||Destination||Threat||\n{row}\n"), 2),
        (
            format!(
                " Time | Host | Destination | Threat \n------+------+------+------\n{}\n(1 row)\n",
                row.trim_matches('|')
            ),
            3,
        ),
    ] {
        let alerts = read(&text);
        assert_eq!(of(&alerts), [(line, DC, NAME, true)], "{text}: {:?}", alerts.notices);
        let unread = alerts.notices.iter().map(Notice::rows_unread).sum::<u64>();
        assert_eq!(unread, 0, "{:?}", alerts.notices);
        assert!(!alerts.notices.iter().any(Notice::is_of_times), "{:?}", alerts.notices);
    }
}

#[test]
fn a_table_of_microsofts_alerts_is_about_its_entities() {
    let table = |entities: &str| {
        let quoted = entities.replace('"', "\"\"");
        format!(
            "\"TimeGenerated [UTC]\",AlertName,AlertSeverity,CompromisedEntity,Entities,ProviderName\n\
             \"3/22/2026, 9:17:42.123 AM\",\"Suspicious DNS query\",High,DC01,\"{quoted}\",ASI\n"
        )
    };
    let name = format!("{{\"$id\":\"4\",\"DomainName\":\"{NAME}\",\"Type\":\"dns\"}}");
    let ip = format!("{{\"$id\":\"5\",\"Address\":\"{DC}\",\"Type\":\"ip\"}}");
    let alerts = read(&table(&format!("[{name},{ip}]")));
    assert_eq!(of(&alerts), [(2, DC, NAME, true)], "{alerts:?}");
    let alone = read(&table(&format!("[{name}]")));
    assert_eq!(alone.alerts[0].destination, NAME);
    let said = Alerts::read(
        "a.csv",
        &table(&format!("[{name},{ip}]")),
        Some(AlertFormat::Csv),
        &Zones::default(),
    );
    assert_eq!(said.unwrap().alerts.len(), 1);
}

#[test]
fn a_mail_of_sophos_central_has_labels_of_its_own() {
    let text = format!(
        "Sophos Central Event Details for Example Ltd\n\nWhat happened: Advanced threat protection: C2/Generic-A detected on the \
         firewall\nWhere it happened: XGS136\nPath: https://central.sophos.com/manage/xgfirewall\nWhat was detected: \
         C2/Generic-A\nSource: {DC}\nDestination: {NAME}\nUser associated with device: n/a\nHow severe it is: High\n\
         When it happened: 2 Mar 2026 09:17:42 UTC\n"
    );
    let alerts = read(&text);
    assert_eq!(of(&alerts).len(), 1, "{alerts:?}");
    assert_eq!(alerts.alerts[0].threat.as_deref(), Some("C2/Generic-A"));
    assert!(alerts.alerts[0].time.is_some());
}

#[test]
fn of_a_document_it_is_said_what_to_do() {
    let error = Alerts::read("x.pdf", "%PDF-1.4\n1 0 obj\n", None, &Zones::default()).unwrap_err();
    assert!(error.to_string().contains("save it as CSV and try again"), "{error}");
}

#[test]
fn words_around_a_pasted_table_are_no_rows_of_it() {
    let text = format!(
        "Advanced Threat Protection\n> 1 {DC} C2/Generic-A {NAME} 2 AFCd\n\nKannst Du da bitte mal schauen?\nGruß, Chef\n"
    );
    let alerts = read(&text.replace("> ", ""));
    assert_eq!(alerts.alerts.len(), 1);
    assert!(alerts.notices.iter().all(|notice| notice.rows_unread() == 0), "{:?}", alerts.notices);
    // What may have been a row is still counted.
    let cut = read(&format!("1 {DC} C2/Generic-A {NAME} 2 AFCd\n2 {DC} C2/Generic-A\n"));
    assert!(cut.notices.iter().any(|notice| notice.rows_unread() == 1), "{:?}", cut.notices);
}
