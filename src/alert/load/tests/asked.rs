//! What was asked for comes before the DNS server that was asked, whichever field it stands in.

use super::super::*;

fn of(text: &str) -> (String, String, String) {
    let alerts = Alerts::read("a.txt", text, None, &Zones::default());
    let alerts = alerts.unwrap_or_else(|error| panic!("{text}: {error}"));
    let alert = &alerts.alerts[0];
    let time = alert.time.map_or(String::new(), |time| time.to_string()[..19].to_owned());
    (alert.host.clone().unwrap_or_default(), alert.destination.clone(), time)
}

fn expect(host: &str, destination: &str, time: &str) -> (String, String, String) {
    (host.to_owned(), destination.to_owned(), time.to_owned())
}

const DC: &str = "192.168.2.194";
const NAME: &str = "mi.kenal-cn.com";
const WHEN: &str = "2026-03-02T09:17:42";

#[test]
fn a_signature_in_a_field_of_the_products_own_names_it() {
    let event = "CEF:0|Ubiquiti|UniFi Network|9.0.108|201|Threat Detected and Blocked|7|UNIFIcategory=Security UNIFIhost=UDM \
                 src=192.168.2.194 spt=53211 dst=8.8.8.8 dpt=53 proto=UDP UNIFIpolicyName=Malware \
                 UNIFIipsSignature=ET MALWARE CnC Domain in DNS Lookup (mi .kenal-cn .com) UNIFIipsSignatureId=2842121 \
                 UNIFIutcTime=2026-03-02T09:17:42.331Z msg=A network intrusion attempt from dc01 to 8.8.8.8 has been \
                 detected and blocked.";
    assert_eq!(of(event), expect(DC, NAME, WHEN));
    let local = event.replace("42.331Z", "42.331");
    assert_eq!(of(&local), expect(DC, NAME, WHEN), "the key names its zone");
}

#[test]
fn a_field_that_tells_of_what_was_asked_for_comes_before_the_servers_address() {
    for text in [
        format!(
            "CEF:0|V|P|1|i|C2|8|src={DC} dst=8.8.8.8 dpt=53 VENDdnsQueryName={NAME} rt=1772443062000"
        ),
        format!(
            "CEF:0|V|P|1|i|C2|8|src={DC} dst=8.8.8.8 dpt=53 destinationHostName={NAME} rt=1772443062000"
        ),
        format!(
            "time=\"2026-03-02 09:17:42 UTC\" src={DC}:53211:X0 dst=8.8.8.8:53:X1 dstname={NAME} threat=C2"
        ),
        format!(
            "time=1772443062 srcip={DC} dstip=8.8.8.8 dstport=53 dnsquestiontext={NAME} threat=C2"
        ),
        format!(
            "Time: {WHEN}Z\nProtection Name: Trojan\nSource: {DC}\nDestination: 8.8.8.8\nResource: {NAME}\n"
        ),
        format!(
            "Time: {WHEN}Z\nBlade: Anti-Bot\nProtection Name: Trojan\nSource: {DC}\nDestination: 8.8.8.8\n\
             Destination DNS Hostname: {NAME}\nService: domain-udp (UDP/53)\n"
        ),
    ] {
        assert_eq!(of(&text), expect(DC, NAME, WHEN), "{text}");
    }
}

#[test]
fn what_may_be_of_ones_own_or_is_not_one_name_is_not_taken() {
    for field in [
        "dvcDomain=contoso.com",
        "srcDnsName=dc1.contoso.com",
        "originDomain=contoso.com",
        "dnsQueryText=dc1.office.lan",
        "dnsQueryLink=https://www.vendor.com/c2",
        "dnsQueryText=one.com dnsQueryTail=two.com",
    ] {
        let event =
            format!("CEF:0|V|P|1|i|C2|8|src={DC} dst=8.8.8.8 dpt=53 {field} rt=1772443062000");
        assert_eq!(of(&event).1, "8.8.8.8", "{field}");
    }
    // Of a connection the address is what was talked to.
    let event = format!(
        "CEF:0|V|P|1|i|C2|8|src={DC} dst=104.31.83.243 dpt=443 dnsQueryText=evil.com rt=1772443062000"
    );
    assert_eq!(of(&event).1, "104.31.83.243");
    let mail = format!(
        "Threat: C2\nSource: {DC}\nDestination: 8.8.8.8\nTime: {WHEN}Z\nResource: https://support.vendor.com/x\n"
    );
    assert_eq!(of(&mail).1, "8.8.8.8");
}

#[test]
fn the_host_is_who_asked_whatever_stands_behind_its_address_or_in_another_column() {
    let line = |src: &str| {
        format!(
            "id=firewall time=\"{WHEN} UTC\" msg=\"Botnet\" src={src} dst=203.0.113.66:53:X1 proto=udp/dns threat=C2"
        )
    };
    for src in ["192.168.2.194:53211:X0", "192.168.2.194:53211:X0:dc02", "192.168.2.194:53211"] {
        assert_eq!(of(&line(src)), expect(DC, "203.0.113.66", WHEN), "{src}");
    }
    let table = format!(
        "Time\tClient\tDomain\tType\tAction\tSource\tReturn Code\tBlocklist\n\
         2026-03-02 09:17:42\t{DC}\t{NAME}\tA\tBlock\tLocal\tNOERROR\tabuse.ch ThreatFox\n"
    );
    assert_eq!(of(&table), expect(DC, NAME, WHEN));
    // The address of the firewall itself says nothing of who asked.
    let table = format!("time,source,device,destination\n{WHEN}Z,PC-ANNA,192.168.2.1,{NAME}\n");
    assert_eq!(of(&table), expect("PC-ANNA", NAME, WHEN));
}
