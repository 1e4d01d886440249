//! The mails that Sophos UTM sends of an alert, which lack what it is about.
//!
//! ```text
//! Threat name....: C2/Generic-A
//! Details........: http://www.sophos.com/en-us/threat-center/...
//! Time...........: 2026-03-02 09:17:42
//! Source IP address or host: 192.168.2.194
//! ```

use crate::alert::load::pairs::labels;
use crate::alert::load::text::numbered_lines;

/// Labels that these mails fill up with dots.
const DOTTED: [&str; 3] = ["threat name", "details", "time"];
/// A label that is as long as those with their dots.
const SOURCE: &str = "source ip address or host:";

/// Whether a text is such a mail, quoted or not. It is one only if it holds no alerts besides, and says nowhere what
/// they are about: other programs write of threats as well.
pub(crate) fn is_notification(text: &str) -> bool {
    let plain = |line: &str| line.trim_start_matches(['>', ' ', '\t']).to_ascii_lowercase();
    let labels = numbered_lines(text).filter(|(_, line)| is_label(&plain(line))).take(2).count();
    labels == 2 && !numbered_lines(text).any(|(_, line)| labels::is_destination_line(line))
}

fn is_label(line: &str) -> bool {
    let is_dotted = |label: &str| {
        let dots = line.strip_prefix(label).and_then(|rest| rest.strip_prefix(".."));
        dots.is_some_and(|dots| dots.trim_start_matches('.').starts_with(':'))
    };
    line.starts_with(SOURCE) || DOTTED.iter().any(|label| is_dotted(label))
}

#[cfg(test)]
mod tests {
    use crate::alert::Zones;
    use crate::alert::load::{AlertFormat, Alerts};

    const MAIL: &str = "Advanced Threat Protection\n\nA threat has been detected in your network\n\n\
                        Details about the alert:\n\nThreat name....: C2/Generic-A\n\
                        Details........: http://www.sophos.com/en-us/threat-center/C2~Generic-A.aspx\n\
                        Time...........: 2026-03-02 09:17:42\nTraffic blocked: yes\n\n\
                        Source IP address or host: 192.168.2.194\n";

    #[test]
    fn a_mail_is_told_from_what_nobody_knows_with_the_way_to_the_table() {
        let quoted: String = MAIL.lines().map(|line| format!("> {line}\r\n")).collect();
        for mail in [MAIL, &quoted] {
            let error = Alerts::read("mail.txt", mail, None, &Zones::default()).unwrap_err();
            let error = error.to_string();
            assert!(error.contains("not the destination"), "{error}");
            assert!(error.contains("Logging & Reporting, Network Protection"), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn other_texts_about_threats_are_no_such_mail() {
        for text in [
            "Quarantine report\nThreat name : EICAR\nFile: a.exe\n",
            "Threat Name: C2/Generic-A\nSource: 192.168.2.194\nDestination: unknown\n",
            "Threat name....: C2/Generic-A\nbye\n",
            &format!("{MAIL}URL: see the log\n"),
        ] {
            let error = Alerts::read("a.txt", text, None, &Zones::default()).unwrap_err();
            assert!(error.to_string().contains("not recognised"), "{text}: {error}");
        }
    }

    #[test]
    fn a_mail_with_the_rows_pasted_below_is_read_by_its_rows() {
        let both = format!("{MAIL}\n1 192.168.2.194 C2/Generic-A mi.kenal-cn.com 2 AFCd\n");
        let alerts = Alerts::read("mail.txt", &both, None, &Zones::default()).unwrap();
        assert_eq!((alerts.format, alerts.alerts.len()), (AlertFormat::Table, 1));
        assert_eq!(alerts.alerts[0].destination, "mi.kenal-cn.com");
    }
}
