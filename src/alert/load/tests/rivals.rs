//! Columns that may be of either end, and several that name destinations.

use super::super::*;

fn read(text: &str) -> Alerts {
    Alerts::read("a.csv", text, None, &Zones::default())
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Host and destination of each alert.
fn ends(alerts: &Alerts) -> Vec<(&str, &str)> {
    let ends = alerts
        .alerts
        .iter()
        .map(|alert| (alert.host.as_deref().unwrap_or(""), alert.destination.as_str()));
    ends.collect()
}

fn said(alerts: &Alerts) -> String {
    alerts.notices.iter().map(|notice| notice.words.as_str()).collect::<Vec<_>>().join("; ")
}

const DC: &str = "192.168.2.194";

#[test]
fn a_host_name_beside_a_destinations_address_is_what_was_flagged() {
    for heading in ["hostname", "Host Name", "data.hostname"] {
        // The address of the server that was asked, and one flagged address among the names.
        let text = format!(
            "time,srcip,dstip,{heading},threat\n0,{DC},198.41.0.4,evil.com,C2\n0,{DC},198.41.0.4,bad.example.net,C2\n\
             0,{DC},198.41.0.4,other.org,C2\n0,{DC},198.41.0.4,four.org,C2\n0,{DC},198.41.0.4,five.org,C2\n\
             0,{DC},198.41.0.4,six.org,C2\n0,{DC},198.41.0.4,seven.org,C2\n0,{DC},198.41.0.4,203.0.113.7,C2\n"
        );
        let text = text.replace("data.hostname", "hostname");
        let alerts = read(&text);
        let found: Vec<_> = ends(&alerts).iter().map(|(_, name)| *name).collect();
        let expected = [
            "evil.com",
            "bad.example.net",
            "other.org",
            "four.org",
            "five.org",
            "six.org",
            "seven.org",
            "203.0.113.7",
        ];
        assert_eq!(found, expected, "{heading}");
        assert!(said(&alerts).contains("destinations are taken from its column"), "{heading}");
        assert!(alerts.alerts.iter().all(|alert| alert.host.as_deref() == Some(DC)));
    }
    // That of one row may be its own, or the firewall's; and so may names of one domain, and any beside what else was flagged.
    let one = read("src_ip,dest_ip,Hostname\n10.20.0.10,203.0.113.66,evil.com\n");
    assert_eq!(ends(&one), [("10.20.0.10", "203.0.113.66")]);
    assert!(said(&one).contains("\"Hostname\" holds names, which are not used"), "{one:?}");
    for text in [
        "time,host,src,dest\n0,fw1.firma.de,10.0.0.5,evil.com\n0,fw2.firma.de,10.0.0.5,bad.org\n",
        "time,hostname,src,Target\n0,shop.firma.de,10.0.0.5,evil.com\n0,wiki.other.de,10.0.0.5,bad.org\n",
        "time,host,srcip,dstip\n0,fw1.firma.de,10.0.0.5,203.0.113.7\n0,fw2.other.de,10.0.0.5,203.0.113.8\n",
    ] {
        let alerts = read(text);
        let found: Vec<_> = ends(&alerts).iter().map(|(_, name)| *name).collect();
        assert!(
            found == ["evil.com", "bad.org"] || found == ["203.0.113.7", "203.0.113.8"],
            "{text}: {alerts:?}"
        );
    }
    let two = read(
        "src_ip,dest_ip,host\n10.20.0.10,9.9.9.9,evil.com\n10.20.0.10,9.9.9.9,bad.example.net\n",
    );
    assert_eq!(ends(&two), [("10.20.0.10", "evil.com"), ("10.20.0.10", "bad.example.net")]);
}

#[test]
fn the_name_of_who_asked_is_never_the_destination() {
    // Each who asked has a name of its own, all of one domain; or it stands right behind the address.
    for text in [
        "src_ip,dest_ip,Hostname\n10.0.0.5,203.0.113.7,pc5.contoso.com\n10.0.0.6,203.0.113.8,pc6.contoso.com\n",
        "src_ip,Hostname,dest_ip\n10.0.0.5,pc5.contoso.com,203.0.113.7\n10.0.0.5,pc5.contoso.com,203.0.113.8\n",
    ] {
        let alerts = read(text);
        let found: Vec<_> = ends(&alerts).iter().map(|(_, name)| *name).collect();
        assert_eq!(found, ["203.0.113.7", "203.0.113.8"], "{text}");
        assert!(
            said(&alerts).contains("\"Hostname\" holds the names of the hosts that asked"),
            "{text}: {alerts:?}"
        );
    }
    // A sensor's is one in every row; and where names stand that were asked for, it is not looked at.
    let alerts = read(
        "src_ip,dest_ip,host\n10.0.0.5,203.0.113.7,fw.contoso.com\n10.0.0.5,203.0.113.8,fw.contoso.com\n",
    );
    assert_eq!(ends(&alerts), [("10.0.0.5", "203.0.113.7"), ("10.0.0.5", "203.0.113.8")]);
    let alerts = read(
        "time,src_ip,dest_ip,hostname,query\n0,10.0.0.5,9.9.9.9,fw1.contoso.com,evil.com\n\
         0,10.0.0.5,9.9.9.9,fw2.contoso.com,evil.com\n0,10.0.0.5,9.9.9.9,fw1.contoso.com,-\n",
    );
    let found: Vec<_> = ends(&alerts).iter().map(|(_, name)| *name).collect();
    assert_eq!(found, ["evil.com", "evil.com", "9.9.9.9"]);
    // Nor is that of a machine whose address stands beside it, and nothing else.
    let text = "Time,IP,Hostname,Threat\n2026-03-02T09:17:42Z,192.168.2.42,pc42.contoso.com,C2\n";
    assert!(Alerts::read("a.csv", text, None, &Zones::default()).is_err());
}

#[test]
fn an_address_alone_is_the_hosts_or_the_destinations_by_where_it_is() {
    let row = |header: &str, row: &str| {
        let alerts = read(&format!("{header}\n{row}\n"));
        let (host, destination) = ends(&alerts)[0];
        (host.to_owned(), destination.to_owned(), said(&alerts))
    };
    for heading in ["IP", "IP Address", "Address", "ip_addr", "IPv4"] {
        let (host, name, said) = row(&format!("Threat,{heading}"), "C2,203.0.113.7");
        assert_eq!((host.as_str(), name.as_str()), ("", "203.0.113.7"), "{heading}");
        assert!(said.contains("destinations are taken from its column"), "{heading}: {said}");
        let (host, name, _) =
            row(&format!("Threat,{heading},Domain"), &format!("C2,{DC},evil.com"));
        assert_eq!((host.as_str(), name.as_str()), (DC, "evil.com"), "{heading}");
    }
    let (host, name, _) = row("Source IP,IP,Threat", &format!("{DC},203.0.113.7,C2"));
    assert_eq!((host.as_str(), name.as_str()), (DC, "203.0.113.7"));
    let (host, name, _) = row("User,IP,Query", "kevin,192.168.2.42,evil.com");
    assert_eq!((host.as_str(), name.as_str()), ("192.168.2.42", "evil.com"));
    let (host, name, _) = row("Client IP,IP,Query", "192.168.2.42,10.99.0.1,evil.com");
    assert_eq!((host.as_str(), name.as_str()), ("192.168.2.42", "evil.com"), "a sinkhole");
    let (host, name, _) = row("Client IP,IP,Destination IP", "192.168.2.42,10.99.0.1,203.0.113.7");
    assert_eq!((host.as_str(), name.as_str()), ("192.168.2.42", "203.0.113.7"));
    let text = "Threat,IP\nC2,192.168.2.42\n";
    assert!(Alerts::read("a.csv", text, None, &Zones::default()).is_err(), "it is no destination");
    let names = read(&format!(
        "Time,IP,Hostname,Threat\n0,{DC},evil.com,C2\n0,{DC},bad.example.net,C2\n0,{DC},203.0.113.7,C2\n"
    ));
    assert_eq!(ends(&names), [(DC, "evil.com"), (DC, "bad.example.net"), (DC, "203.0.113.7")]);
}

#[test]
fn a_domain_of_ones_own_comes_behind_all_that_is_outside() {
    let alerts = read(&format!(
        "Source IP,Hostname,Domain\n{DC},evil.com,corp.local\n{DC},203.0.113.7,corp.local\n{DC},bad.org,corp.local\n\
         {DC},-,corp.local\n"
    ));
    assert_eq!(ends(&alerts), [(DC, "evil.com"), (DC, "203.0.113.7"), (DC, "bad.org")]);
    assert!(
        said(&alerts).contains("\"Domain\" says corp.local in every row and is taken for your own")
    );
    let one = read(&format!("Source IP,Target,Domain\n{DC},203.0.113.7,corp.local\n"));
    assert_eq!(ends(&one), [(DC, "203.0.113.7")]);
}

#[test]
fn of_columns_that_name_different_destinations_it_is_said_which_was_taken() {
    let several = |second: [&str; 3]| {
        let [a, b, c] = second;
        read(&format!(
            "Source IP,Query,Domain\n{DC},www.bank.example.com,{a}\n{DC},www.bank.example.com,{b}\n{DC},www.bank.example.com,{c}\n"
        ))
    };
    let names = |alerts: &Alerts| -> Vec<String> {
        alerts.alerts.iter().map(|alert| alert.destination.clone()).collect()
    };
    let alerts = several(["evil.com", "bad.org", "evil.com"]);
    assert_eq!(names(&alerts), ["evil.com", "bad.org", "evil.com"]);
    assert!(
        said(&alerts).contains("\"Query\" says www.bank.example.com in every row"),
        "{alerts:?}"
    );
    // Names of one domain may be of who asked.
    let alerts = several(["pc1.contoso.com", "pc2.contoso.com", "pc1.contoso.com"]);
    assert_eq!(names(&alerts), ["www.bank.example.com"; 3]);
    assert!(said(&alerts).contains("\"Query\" and \"Domain\" name different destinations"));
    // A name and what it lies below are one thing.
    let alerts = several(["example.com", "bank.example.com", "www.bank.example.com"]);
    assert_eq!(
        (names(&alerts).as_slice(), said(&alerts).as_str()),
        (
            &["www.bank.example.com", "www.bank.example.com", "www.bank.example.com"]
                .map(str::to_owned)[..],
            ""
        )
    );
    let twice =
        read("Source IP,Destination,Destination\n10.0.0.5,evil.com,bad.org\n10.0.0.5,-,bad.org\n");
    assert_eq!(names(&twice), ["evil.com", "bad.org"]);
    assert!(said(&twice).contains("such as evil.com and bad.org: the former is used"));
}

#[test]
fn a_column_of_names_and_addresses_that_nobody_knows_is_one_of_destinations() {
    let alerts = read(&format!(
        "Zeitpunkt,Rechner,Boese Stelle,Bedrohung\n0,{DC},evil.com,C2\n0,{DC},bad.org,C2\n0,{DC},203.0.113.7,C2\n"
    ));
    assert_eq!(ends(&alerts), [(DC, "evil.com"), (DC, "bad.org"), (DC, "203.0.113.7")]);
}

#[test]
fn lines_that_end_with_a_carriage_return_alone_are_lines() {
    let alerts = read(&format!("time,host,destination\r0,{DC},evil.com\r0,{DC},bad.org\r"));
    let lines: Vec<u32> = alerts.alerts.iter().map(|alert| alert.line).collect();
    assert_eq!((ends(&alerts), lines), (vec![(DC, "evil.com"), (DC, "bad.org")], vec![2, 3]));
}

#[test]
fn in_pairs_too_a_host_of_ones_own_comes_behind_what_is_outside() {
    let destination = |pairs: &str| {
        let line =
            format!("time=\"2026-03-02 09:17:42\" srcip=\"{DC}\" threatname=\"C2\" {pairs}\n");
        read(&line).alerts[0].destination.clone()
    };
    assert_eq!(destination("dstip=\"203.0.113.7\" domain=\"corp.local\""), "203.0.113.7");
    assert_eq!(destination("dstip=\"203.0.113.7\" hostname=\"dc1.corp.local\""), "203.0.113.7");
    assert_eq!(destination("dstip=\"9.9.9.9\" host=\"evil.com\""), "evil.com");
    assert_eq!(destination("dstip=\"9.9.9.9\" qname=\"evil.bit\""), "evil.bit", "it was asked for");
}

#[test]
fn a_table_of_which_a_column_holds_lines_of_a_log_is_read_by_its_own_columns() {
    for log in [
        "srcip=10.0.0.5 dstip=198.41.0.4 domain=www.office.de",
        "CEF:0|Sec|FW|1|1|C2|9|src=10.0.0.5 dst=198.41.0.4 dhost=www.office.de",
        "date=2026-03-02 time=09:17:42 type=utm subtype=dns srcip=10.0.0.5 qname=www.office.de",
    ] {
        let text =
            format!("_time,src,query,_raw\n0,{DC},evil.com,\"{log}\"\n0,{DC},bad.org,\"{log}\"\n");
        assert_eq!(ends(&read(&text)), [(DC, "evil.com"), (DC, "bad.org")], "{log}");
    }
}
