//! What evidence files are called: by client and indicator, and by nothing that could lead elsewhere.

use std::collections::BTreeSet;

use super::case::Who;

/// The longest part that an indicator has in a file's name. With an address it stays below the 143 octets
/// that the strictest of file systems in use (eCryptfs) allows.
const INDICATOR_OCTETS_MAX: usize = 80;

/// The names that were given.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// A new name, such as `192.168.2.42_evil.com.pcapng`.
    pub fn of(&mut self, who: Who, indicator: &str) -> String {
        let who = match who {
            Who::Client(address) => file_name_part(&address.to_string()),
            Who::Nobody => "no-client".to_owned(),
        };
        let mut indicator =
            file_name_part(&indicator.replacen("*.", "below-", 1).replacen('=', "exactly-", 1));
        indicator.truncate(INDICATOR_OCTETS_MAX);
        let stem = format!("{who}_{}", indicator.trim_end_matches('.'));
        let mut name = format!("{stem}.pcapng");
        let mut number = 2;
        // Two lists with one entry, or two names with one beginning.
        while !self.0.insert(name.clone()) {
            name = format!("{stem}_{number}.pcapng");
            number += 1;
        }
        name
    }
}

/// Letters, digits, hyphens, and dots between them; all else is `-`.
fn file_name_part(text: &str) -> String {
    let safe =
        |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' };
    let shown: String = text.to_ascii_lowercase().chars().map(safe).collect();
    shown.replace("..", "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Address;
    use proptest::prelude::*;

    fn client(text: &str) -> Who {
        Who::Client(text.parse::<Address>().unwrap())
    }

    #[test]
    fn names_say_whose_and_what() {
        let mut names = Names::default();
        assert_eq!(names.of(client("10.0.0.1"), "evil.com"), "10.0.0.1_evil.com.pcapng");
        assert_eq!(names.of(client("10.0.0.1"), "evil.com"), "10.0.0.1_evil.com_2.pcapng");
        assert_eq!(names.of(client("fd00::1"), "=evil.com"), "fd00--1_exactly-evil.com.pcapng");
        assert_eq!(names.of(Who::Nobody, "*.evil.com"), "no-client_below-evil.com.pcapng");
        assert_eq!(names.of(Who::Nobody, "192.0.2.0/24"), "no-client_192.0.2.0-24.pcapng");
        assert_eq!(names.of(Who::Nobody, "../../etc/x"), "no-client_----etc-x.pcapng");
    }

    proptest! {
        #[test]
        fn no_name_leads_out_of_the_directory(indicators in proptest::collection::vec(".{0,300}", 1..20)) {
            let mut names = Names::default();
            let mut seen = BTreeSet::new();
            for indicator in &indicators {
                let name = names.of(Who::Nobody, indicator);
                prop_assert!(name.len() <= 143 && name.ends_with(".pcapng"));
                prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c)));
                prop_assert!(!name.contains("..") && !name.starts_with('.'));
                prop_assert!(seen.insert(name));
            }
        }
    }
}
