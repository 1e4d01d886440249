//! What mails, pages and pastes put around alerts and into them.

use super::super::*;

fn read(text: &str) -> Alerts {
    let captured = crate::time::Timestamp::from_rfc3339("2026-03-02T08:00:00Z");
    let zones = Zones { captured, ..Zones::default() };
    Alerts::read("a.txt", text, None, &zones).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> String {
    match Alerts::read("a.txt", text, None, &Zones::default()) {
        Ok(alerts) => panic!("{text}: {alerts:?}"),
        Err(error) => error.to_string(),
    }
}

/// Line, time, host and destination of each alert, without the marks that keep people from clicking.
fn cells(alerts: &Alerts) -> Vec<(u32, String, &str, String)> {
    let of = |alert: &'_ Alert| {
        alert.time.map_or_else(String::new, |time| time.to_string()[..19].to_owned())
    };
    let rows = alerts.alerts.iter().map(|alert| {
        let host = alert.host.as_deref().unwrap_or_default();
        (alert.line, of(alert), host, alert.destination.replace("[.]", "."))
    });
    rows.collect()
}

const TIME: &str = "2026-03-02T09:17:42";
const DC: &str = "192.168.2.194";
const NAME: &str = "mi.kenal-cn.com";

/// One alert of that time, host and name, in a line.
fn one(line: u32) -> Vec<(u32, String, &'static str, String)> {
    vec![(line, TIME.to_owned(), DC, NAME.to_owned())]
}

#[test]
fn what_nobody_sees_is_no_part_of_a_name() {
    for name in [
        "mi.\u{200b}kenal-cn.\u{200b}com",
        "\u{feff}mi.kenal-cn.com\u{200e}",
        "mi.ke\u{ad}nal-cn.com",
        "mi\u{2060}.\u{2060}kenal-cn\u{2060}.\u{2060}com",
        "mi.kenal\u{2011}cn.com",
        "mi\u{a0}.kenal-cn\u{a0}.com",
        "mi.\u{a0}kenal-cn.\u{a0}com",
        "\u{a0}mi.kenal-cn.com\u{202f}",
        "mi\u{200c}.kenal\u{200d}-cn.com",
        "mi[dot]kenal-cn[dot]com",
        "mi(dot)kenal-cn(DOT)com",
        "mi{.}kenal-cn{.}com",
        "mi[.kenal-cn[.com",
        "mi [.] kenal-cn [.] com",
        "mi [dot] kenal-cn [dot] com",
    ] {
        let host = "192.168.2\u{200b}.194";
        let csv = format!("time,host,destination,threat\n2026-03-02 09:17:42,{host},{name},C2\n");
        assert_eq!(cells(&read(&csv)), one(2), "{name}");
        let labels = format!(
            "Threat: C2\nSource:\u{a0}{host}\nTime: 2026-03-02 09:17:42\nDestination: {name}\n"
        );
        assert_eq!(cells(&read(&labels)), one(1), "{name}");
        let alone = read(&format!("{name}\n"));
        assert_eq!(alone.alerts[0].destination.replace("[.]", "."), NAME, "{name}");
    }
    let address = read(
        "time,host,destination\n2026-03-02 09:17:42,192.168.2.194,203.\u{a0}0.\u{a0}113.\u{a0}67\n",
    );
    assert_eq!(address.alerts[0].destination, "203.0.113.67");
    // Letters that look alike are other letters; blanks of a sentence are no dots of a name.
    let other =
        read("time,host,destination\n2026-03-02 09:17:42,192.168.2.194,\u{43c}i.kenal-cn.com\n");
    assert_eq!(other.alerts[0].destination, "\u{43c}i.kenal-cn.com");
    for text in ["z.\u{a0}B. mi", "am 2.\u{a0}M\u{e4}rz", "Ende.\u{a0}It is", "e.g.\u{a0}evil.com"]
    {
        let plain = text.replace('\u{a0}', " ");
        assert_eq!(super::super::text::PlainText::of(text).text, plain, "{text}");
    }
    // What is written with joiners keeps them.
    assert_eq!(
        super::super::text::PlainText::of("\u{646}\u{200c}\u{645}.com").text,
        "\u{646}\u{200c}\u{645}.com"
    );
}

#[test]
fn a_mail_of_html_is_read_by_its_tables() {
    let table = "<table border=\"1\">\n<tr><th>Time</th><th>Source&nbsp;IP</th><th>Domain</th><th>Threat</th></tr>\n\
                 <tr><td>2026-03-02 09:17:42</td><td>192.168.2.194</td>\n<td>mi.<wbr>kenal-&#8203;cn.com</td><td>C2/Generic-A</td></tr></table>";
    for (html, line) in [
        (table.to_owned(), 3),
        (
            format!(
                "<html><head><title>x.example.com</title><style>td {{ color: red }}</style></head><body><p>FGT60F detected:</p>\n{table}</body></html>"
            ),
            4,
        ),
        (table.replace("th>", "td>").replace("<td>mi", "<td class=\"a>b\">mi"), 3),
        // Tables lay out the mail around it.
        (
            format!(
                "<table><tr><td>FortiGate</td><td>Alert</td></tr><tr><td>{table}</td></tr></table>"
            ),
            3,
        ),
        // A paste without the table itself.
        (table.replace("<table border=\"1\">\n", "").replace("</table>", ""), 2),
    ] {
        assert_eq!(cells(&read(&html)), one(line), "{html}");
    }
    let pairs = "<table><tr><td>Threat name</td><td>C2/Generic-A</td></tr><tr><td>Time</td><td>2026-03-02 09:17:42</td></tr>\n\
                 <tr><td>Source</td><td>192.168.2.194</td></tr><tr><td>Destination</td><td>mi.kenal-cn.com</td></tr></table>";
    for html in [
        pairs.to_owned(),
        pairs.replace("</td><td>", "<br>"),
        pairs.replace("</td><td>", ": ").replace("<tr><td>", "<p>").replace("</td></tr>", "</p>"),
        pairs.replace("<td>", "<td><div>").replace("</td>", "</div></td>"),
    ] {
        assert_eq!(cells(&read(&html)), one(1), "{html}");
    }
}

#[test]
fn each_table_of_labels_is_an_alert_of_its_own() {
    let table = |threat: &str, source: &str, name: &str| {
        format!(
            "<tr><td><table><tr><td colspan=\"2\"><b>Alert</b></td></tr><tr><td>Threat</td><td>{threat}</td></tr>\
             <tr><td>Source</td><td>{source}</td></tr><tr><td>Destination</td><td>{name}</td></tr></table></td></tr>\n"
        )
    };
    let both = [table("C2", DC, NAME), table("C2", "192.168.2.12", "192.55.83.30")].concat();
    let alerts = read(&format!("<table width=\"100%\">{both}</table>"));
    let found: Vec<_> =
        cells(&alerts).into_iter().map(|(line, _, host, name)| (line, host, name)).collect();
    assert_eq!(found, [(1, DC, NAME.to_owned()), (2, "192.168.2.12", "192.55.83.30".to_owned())]);
    // A value that is missing is said, and taken from nowhere else.
    let both = [table("C2", "", NAME), table("C2", "192.168.2.12", "192.55.83.30")].concat();
    let alerts = read(&format!("<table>{both}</table>"));
    assert_eq!(alerts.alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts.notices.iter().filter_map(|notice| notice.line).collect::<Vec<_>>(), [1]);
    // Fields and values below a heading; two pairs in a row.
    let fields = "<table><tr><th>Field</th><th>Value</th></tr><tr><td>Source IP</td><td>192.168.2.194</td></tr><tr><td>Domain</td><td>mi.kenal-cn.com</td></tr>\
                  <tr><td>Severity</td><td>High</td></tr><tr><td>Time</td><td>2026-03-02 09:17:42</td></tr></table>";
    let pairs = "<table><tr><td>Source:</td><td>192.168.2.194</td><td>Destination:</td><td>mi.kenal-cn.com</td></tr>\
                 <tr><td>Threat:</td><td>C2</td><td>Time:</td><td>2026-03-02 09:17:42</td></tr></table>";
    for html in [fields, pairs] {
        assert_eq!(cells(&read(html)), one(1), "{html}");
    }
}

#[test]
fn a_cell_that_reaches_over_rows_stands_in_each() {
    let html = "<table><tr><th>Source</th><th>Time</th><th>Destination</th><th>Threat</th></tr>\
                <tr><td rowspan=\"2\">192.168.2.194</td><td>2026-03-02 09:17:42</td><td>mi.kenal-cn.com</td><td>C2</td></tr>\
                <tr><td>2026-03-02 11:17:42</td><td>203.0.113.66</td><td>C2</td></tr>\
                <tr><td>192.168.2.12</td><td>2026-03-02 13:17:43</td><td>mi.kenal-cn.com</td><td>C2</td></tr></table>";
    let alerts = read(html);
    let found: Vec<_> = cells(&alerts).into_iter().map(|(_, _, host, name)| (host, name)).collect();
    let row = |host, name: &str| (host, name.to_owned());
    assert_eq!(found, [row(DC, NAME), row(DC, "203.0.113.66"), row("192.168.2.12", NAME)]);
}

#[test]
fn a_page_that_is_no_alert_is_refused() {
    for html in [
        "<!DOCTYPE html>\n<html><body><h1>Welcome</h1><p>Read more at www.example.com</p></body></html>",
        "<html><body><table><tr><th>Item</th><th>Price</th></tr><tr><td>Book</td><td>3.50</td></tr></table></body></html>",
        "<table><tr><td>Home</td><td>Products</td></tr><tr><td>evil.com</td><td>good.com</td></tr></table>",
        "<html><body><div></div></body></html>",
    ] {
        let _ = refusal(html);
    }
}

#[test]
fn a_saved_mail_is_read_whatever_its_encoding() {
    let header = "Return-Path: <fw@office.example>\nReceived: from fgt (192.168.2.1) by mail.office.example;\n Mon, 2 Mar 2026 09:18:00 +0000\n\
                  Subject: FortiGate alert: botnet\nMIME-Version: 1.0\n";
    let quoted = "<table border=3D\"1\">\n<tr><th>Date</th><th>Source IP</th><th>Domain</th><th>Threat=\n</th></tr>\n\
                  <tr><td>2026-03-02 09:17:42</td><td>192.168.2.194</td><td>mi.kenal-cn.c=\nom</td><td>Botnet =C3=BC</td></tr>\n</table>\n";
    let html = "Content-Type: text/html; charset=\"utf-8\"\nContent-Transfer-Encoding: quoted-printable\n\n";
    let mail = format!("{header}{html}{quoted}");
    let alerts = read(&mail);
    assert_eq!(cells(&alerts), one(12));
    assert_eq!(alerts.alerts[0].threat.as_deref(), Some("Botnet \u{fc}"));
    // In base64 all of it stands where it begins.
    let packed = "PHRhYmxlPjx0cj48dGg+VGltZTwvdGg+PHRoPlNvdXJjZSBJUDwvdGg+PHRoPkRvbWFpbjwvdGg+\nPHRoPlRocmVhdDwvdGg+PC90cj48dHI+PHRkPjIwMjYtMDMtMDIgMDk6MTc6NDI8L3RkPjx0ZD4x\n\
                  OTIuMTY4LjIuMTk0PC90ZD48dGQ+bWkua2VuYWwtY24uY29tPC90ZD48dGQ+QzI8L3RkPjwvdHI+\nPC90YWJsZT4K\n";
    let mail =
        format!("{header}Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n{packed}");
    assert_eq!(cells(&read(&mail)), one(9));
    // Text and HTML say the same; the text has lost its columns.
    let both = format!(
        "{header}Content-Type: multipart/alternative; boundary=\"b=1\"\n\nfor old readers\n--b=1\nContent-Type: text/plain\n\nDate\nmi.kenal-cn.com\n\
         --b=1\n{html}{quoted}--b=1--\n"
    );
    assert_eq!(cells(&read(&both)), one(21));
    // A file is attached.
    let attached = format!(
        "{header}Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nsee the file\n--b\nContent-Type: \
         application/octet-stream; name=\"alerts.csv\"\n\ntime,host,destination,threat\n2026-03-02 09:17:42,192.168.2.194,mi.kenal-cn.com,C2\n--b--\n"
    );
    assert_eq!(cells(&read(&attached)), one(16));
    // A mail about nothing, and one whose header alone names a machine.
    let _ = refusal(&format!("{header}Content-Type: text/plain\n\nHello,\nsee you at lunch.\n"));
}

#[test]
fn labels_stand_before_above_or_beside_their_values() {
    for text in [
        // UniFi's mail, whose value stands below its label.
        "Threat Detected and Blocked\n\nCategory\nMalware Command and Control\nSignature\nET MALWARE DNS Query for mi.kenal-cn.com\n\
         Source IP\n192.168.2.194\nDestination IP\n9.9.9.9\nTime\nMar 2, 2026 at 9:17:42 AM\n\nView in UniFi Network\n",
        "Signature\n\nET MALWARE DNS Query for mi.kenal-cn.com\n\nSource IP\n\n192.168.2.194\n\nDestination IP\n\n9.9.9.9\n\nTime\n\n2026-03-02 09:17:42\n",
        "- Threat: C2/Generic-A\n- Source: 192.168.2.194\n- Destination: mi.kenal-cn.com\n- Time: 2026-03-02 09:17:42\n",
        "* **Threat:** C2/Generic-A\n* **Source:** `192.168.2.194`\n* **Destination:** `mi[.]kenal-cn[.]com`\n* **Time:** 2026-03-02 09:17:42\n",
        "\u{2022} Threat: C2\n\u{2022} Source: 192.168.2.194\n\u{2022} Destination: mi.kenal-cn.com\n\u{2022} Time: 2026-03-02 09:17:42\n",
        "1. Threat: C2\n2. Source: 192.168.2.194\n3. Destination: mi.kenal-cn.com\n4. Time: 2026-03-02 09:17:42\n",
        "Threat\tC2\nSource\t192.168.2.194\nDestination\tmi.kenal-cn.com\nTime\t2026-03-02 09:17:42\n",
        "Threat:\tC2\tSource:\t192.168.2.194\nDestination:\tmi.kenal-cn.com\tTime:\t2026-03-02 09:17:42\n",
        // Sophos UTM's mail with a destination.
        "Threat name....: C2/Generic-A\nDetails........: http://www.sophos.com/en-us/threat-center/C2~Generic-A.aspx\n\
         Time...........: 2026-03-02 09:17:42\nTraffic blocked: yes\n\nSource IP address or host: 192.168.2.194\nDestination: mi.kenal-cn.com\n",
        // It says when, and no threat.
        "Alert: Suspicious DNS activity\nDetection time: 3/2/2026 9:17:42 AM (UTC)\nDevice: dc01\nIP: 192.168.2.194\nRemote URL: mi.kenal-cn.com\n",
        "Source: 192.168.2.194\nDestination: mi.kenal-cn.com\nTime: 2026-03-02 09:17:42\n",
        "Bedrohungsname: C2/Generic-A\nQuell-IP: 192.168.2.194\nZieladresse: mi.kenal-cn.com\nZeit: 02.03.2026 09:17:42\nAktion: verworfen\n",
        "Datum: 2.3.2026 09:17:42\nQuelle: 192.168.2.194\nZiel: mi.kenal-cn.com\nBedrohung: C2/Generic-A\n",
        "Menace : C2\nSource : 192.168.2.194\nDestination : mi.kenal-cn.com\nHeure : 02/03/2026 09:17:42\n",
        "Amenaza: C2\nOrigen: 192.168.2.194\nDestino: mi.kenal-cn.com\nFecha: 02/03/2026\nHora: 09:17:42\n",
        "Minaccia: C2\nOrigine: 192.168.2.194\nDestinazione: mi.kenal-cn.com\nOra: 2026-03-02 09:17:42\n",
    ] {
        let alerts = read(text);
        let [(_, time, host, name)] = &cells(&alerts)[..] else { panic!("{text}: {alerts:?}") };
        assert_eq!((time.as_str(), *host, name.as_str()), (TIME, DC, NAME), "{text}");
    }
    for text in [
        // A label whose value is missing takes no other's.
        "Threat\nC2\nSource\nSeverity: high\nDestination\nmi.kenal-cn.com\n",
        "Source\nDestination\nTime\nThreat\n",
        "Book\n3.50\nPen\n1.20\nTotal\n4.70\n",
        "Source: 10.0.0.5\nDestination: evil.com\n",
        "Source: Berlin\nDestination: paris.lan\nTime: 09:17\n",
    ] {
        let _ = refusal(text);
    }
}

#[test]
fn cells_in_a_line_each_are_made_rows_where_all_are_whole() {
    let head = "Time\nSource\nDestination\nThreat\n";
    let rows = "2026-03-02 09:17:42\n192.168.2.194\nmi.kenal-cn.com\nC2/Generic-A\n2026-03-02 15:48:12\n192.168.2.12\n192.55.83.30\nC2/Generic-A\n";
    let expected = |first: u32| {
        let second = ("2026-03-02T15:48:12".to_owned(), "192.168.2.12", "192.55.83.30".to_owned());
        let mut all = one(first);
        all.push((first + 4, second.0, second.1, second.2));
        all
    };
    assert_eq!(cells(&read(&format!("{head}{rows}"))), expected(5));
    assert_eq!(
        cells(&read(&format!("Hello Tom,\nsee below\n\n{head}{rows}\nRegards\nPetra\n"))),
        expected(8)
    );
    let spaced = format!("{head}{rows}").replace('\n', "\n\n");
    assert_eq!(read(&spaced).alerts.len(), 2);
    assert!(
        read(&format!("{head}{rows}"))
            .notices
            .iter()
            .any(|notice| notice.words.contains("2 rows of 4"))
    );
    // An unknown heading among them, and a number that nothing stands above.
    let more = "Time\nSource\nAction\nDestination\nThreat\n1\n2026-03-02 09:17:42\n192.168.2.194\nblocked\nmi.kenal-cn.com\nC2\n";
    assert_eq!(cells(&read(more)), one(6));
    // Sophos' table, with its heading and without.
    let row = "1\n192.168.2.194\nC2/Generic-A\nmi.kenal-cn.com\n2\nAFCd\n2\n192.168.2.12\nC2/Generic-A\nx1.ad-sync.net\n1\nAFCd\n";
    for head in [
        "",
        "Advanced Threat Protection\nTotal Events: 3\nUser/Host\nThreat Name\nDestination\nEvents\nOrigin\n",
    ] {
        let alerts = read(&format!("{head}{row}"));
        let found: Vec<_> = alerts
            .alerts
            .iter()
            .map(|a| (a.number, a.host.as_deref(), a.destination.as_str(), a.events))
            .collect();
        assert_eq!(
            found,
            [(1, Some(DC), NAME, Some(2)), (2, Some("192.168.2.12"), "x1.ad-sync.net", Some(1))],
            "{head}"
        );
    }
    let report = "Top Advanced Threats\n# Host Threat Destination Events\n1 192.168.2.194\nC2/Generic-A\nmi.kenal-cn.com\n2\n2 192.168.2.12\nC2/Generic-A\n\
                  x1.ad-sync.net\n1\nPage 1 of 3\n";
    assert_eq!(read(report).alerts.len(), 2);
}

#[test]
fn a_table_of_cells_that_is_not_whole_is_refused() {
    let head = "Time\nSource\nDestination\nThreat\n";
    for rows in [
        // A cell is missing in the second row, or in the first, or at the end.
        "2026-03-02 09:17:42\n192.168.2.194\nmi.kenal-cn.com\nC2\n2026-03-02 15:48:12\n192.55.83.30\nC2\n",
        "2026-03-02 09:17:42\n192.168.2.194\nmi.kenal-cn.com\n2026-03-02 15:48:12\n192.168.2.12\n192.55.83.30\nC2\n",
        "2026-03-02 09:17:42\n192.168.2.194\nmi.kenal-cn.com\nC2\n2026-03-02 15:48:12\n192.168.2.12\n",
        // Its columns are others.
        "192.168.2.194\n2026-03-02 09:17:42\nmi.kenal-cn.com\nC2\n",
        "",
    ] {
        let _ = refusal(&format!("{head}{rows}"));
    }
    let _ = refusal("Item\nPrice\nCount\nBook\n3.50\n1\nPen\n1.20\n2\n");
    let _ = refusal(
        "1\n192.168.2.194\nC2/Generic-A\n2\n192.168.2.12\nC2/Generic-A\nx1.ad-sync.net\n1\nAFCd\n",
    );
}

#[test]
fn headings_are_known_in_german_french_spanish_and_italian() {
    for text in [
        "Zeitpunkt;Quell-IP;Ziel;Bedrohung\n02.03.2026 09:17:42;192.168.2.194;mi.kenal-cn.com;C2\n",
        "Datum;Uhrzeit;Quelle;Domäne;Kategorie\n02.03.2026;09:17:42;192.168.2.194;mi.kenal-cn.com;C2\n",
        "Heure;Adresse source;Destination;Menace\n2 mars 2026 09:17:42;192.168.2.194;mi.kenal-cn.com;C2\n",
        "Horodatage;IP source;Domaine;Catégorie\n2026-03-02 09:17:42;192.168.2.194;mi.kenal-cn.com;C2\n",
        "Fecha;Hora;Origen;Destino;Amenaza\n02/03/2026;09:17:42;192.168.2.194;mi.kenal-cn.com;C2\n",
        "Fecha y hora;IP origen;Dominio;Regla\n2026-03-02 09:17:42;192.168.2.194;mi.kenal-cn.com;C2\n",
        "Data;Ora;Origine;Destinazione;Minaccia\n02/03/2026;09:17:42;192.168.2.194;mi.kenal-cn.com;C2\n",
        "Ora;IP sorgente;Dominio;Categoria\n2 marzo 2026 09:17:42;192.168.2.194;mi.kenal-cn.com;C2\n",
        "\tBenutzer/Host\tBedrohungsname\tZiel\tEreignisse\tHerkunft\n1\t192.168.2.194\tC2/Generic-A\tmi.kenal-cn.com\t1\tAFCd\n",
    ] {
        let alerts = read(text);
        let [(2, time, host, name)] = &cells(&alerts)[..] else { panic!("{text}: {alerts:?}") };
        assert_eq!((*host, name.as_str()), (DC, NAME), "{text}");
        assert!(text.starts_with('\t') || time == TIME, "{text}: {time}");
    }
    // Beside users a domain is theirs, in any language.
    let theirs = "Heure,Utilisateur,Domaine,IP source,Destination\n2026-03-02 09:17:42,anna,corp.example.com,192.168.2.194,203.0.113.66\n";
    assert_eq!(read(theirs).alerts[0].destination, "203.0.113.66");
    // Of English a column `Data` is no day.
    let data =
        "Time,Source,Destination,Data\n2026-03-02 09:17:42,192.168.2.194,mi.kenal-cn.com,GET\n";
    assert_eq!(cells(&read(data)), one(2));
}

#[test]
fn a_time_without_its_year_has_that_of_the_capture_and_it_is_said() {
    for (time, words) in [
        ("03/02 09:17:42", "have no year: taken"),
        ("02.03. 09:17:42", "have no year: taken"),
        ("2. März 09:17:42", "have no year: taken"),
    ] {
        let alerts =
            read(&format!("Time,Host,Destination\n{time},192.168.2.194,mi.kenal-cn.com\n"));
        assert_eq!(cells(&alerts), one(2), "{time}");
        let is_said =
            |notice: &Notice| notice.words.contains(words) && notice.words.contains("2026");
        assert!(alerts.notices.iter().any(is_said), "{time}: {:?}", alerts.notices);
    }
    // What another date of the file shows comes before what is near to the capture.
    let shown = "Time,Host,Destination\n25/02 10:00:00,192.168.2.194,mi.kenal-cn.com\n03/02 09:17:42,192.168.2.194,mi.kenal-cn.com\n";
    let days = read(shown)
        .alerts
        .iter()
        .map(|alert| alert.time.unwrap().to_string()[..10].to_owned())
        .collect::<Vec<_>>();
    assert_eq!(days, ["2026-02-25", "2026-02-03"]);
    // Without a capture that is seen beforehand nothing is taken.
    let alone = "Time,Host,Destination\n09:17:42,192.168.2.194,mi.kenal-cn.com\n";
    let alone = Alerts::read("a.csv", alone, None, &Zones::default()).unwrap();
    assert!(alone.alerts[0].time.is_none() && alone.alerts[0].is_time_unread);
}

#[test]
fn a_clock_alone_is_no_time() {
    let alone = "Time,Host,Destination\n09:17:42,192.168.2.194,mi.kenal-cn.com\n";
    let alerts = read(alone);
    assert!(alerts.alerts[0].time.is_none() && alerts.alerts[0].is_time_unread);
}

#[test]
fn a_link_behind_a_name_is_not_what_was_flagged() {
    for text in [
        "Time: 2026-03-02 09:17:42\nHost: 192.168.2.194\nDestination: mi.kenal-cn.com <https://eur01.safelinks.example/?url=x>\nThreat: C2\n",
        "Time: 2026-03-02 09:17:42\nHost: 192.168.2.194\nDestination: mi.kenal-cn.com<http://www.microsoft.com/x> \nThreat: C2\n",
        "Time,Host,Destination\n2026-03-02 09:17:42,192.168.2.194,mi.kenal-cn.com <https://www.microsoft.com/>\n",
        // Where it stands for itself it is what is meant.
        "Time: 2026-03-02 09:17:42\nHost: 192.168.2.194\nDestination: <https://mi.kenal-cn.com/gate>\nThreat: C2\n",
    ] {
        let alerts = read(text);
        let flagged: Vec<&str> =
            alerts.alerts.iter().map(|alert| alert.destination.as_str()).collect();
        let expected = ["mi.kenal-cn.com", "https://mi.kenal-cn.com/gate"];
        assert!(
            matches!(flagged.as_slice(), [one] if expected.contains(one)),
            "{text}: {flagged:?}"
        );
    }
}

#[test]
fn what_stands_above_a_table_of_cells_is_not_lost() {
    let table = "Time\nHost\nDestination\n2026-03-02 13:18:01\n192.168.2.194\nwww.good.com\n";
    assert_eq!(read(table).alerts.len(), 1);
    // Another page of it, or a table with a cell missing.
    for above in ["2026-03-02 09:17:42\n192.168.2.194\nmi.kenal-cn.com\n", "mi.kenal-cn.com\n"] {
        let both = format!("Time\nHost\nDestination\n{above}Next\n{table}");
        let read = Alerts::read("a.txt", &both, None, &Zones::default());
        assert!(read.is_err(), "{above}: {read:?}");
    }
}

#[test]
fn a_line_of_html_in_a_text_makes_it_no_page() {
    let text = "Time,Host,Destination,Note\n2026-03-02 09:17:42,192.168.2.194,mi.kenal-cn.com,x\n<div>foot</div>\n";
    assert_eq!(cells(&read(text)), one(2));
}

#[test]
fn an_alert_above_the_header_of_a_table_is_said_to_be_left_out() {
    let table = "Time,Host,Destination\n2026-03-02 09:17:42,192.168.2.194,mi.kenal-cn.com\n";
    for (above, skipped) in [
        ("Destination: www.other.com\n", 1),
        ("1 192.168.2.194 C2/Generic-A www.other.com 2 AFCd\n", 1),
        ("Alerts of Monday\n", 0),
    ] {
        let alerts = read(&format!("{above}{table}"));
        assert_eq!(alerts.alerts.len(), 1, "{above}");
        let said = alerts
            .notices
            .iter()
            .filter(|notice| notice.words.contains("before the table's header"));
        assert_eq!(said.count(), skipped, "{above}: {:?}", alerts.notices);
    }
}
