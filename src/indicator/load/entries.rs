//! Indicators from entries at hand, such as the destinations of a firewall's alerts.

use foldhash::HashMap;

use super::List;
use super::word::{Meaning, WordReader};
use crate::indicator::building::Remark;
use crate::indicator::{IndicatorId, IndicatorKind, Indicators};
use crate::name::NameHasher;

impl Indicators {
    /// Makes a list named `list_name` of words, each with the line it stands in. Returns, for each of
    /// them, its indicator (that of the first for what is there twice), or why it stands for none.
    pub fn from_entries<'a>(
        list_name: &str,
        entries: impl IntoIterator<Item = (u32, &'a str)>,
        hasher: NameHasher,
    ) -> (Indicators, Vec<Result<IndicatorId, String>>) {
        let mut indicators = Indicators::new(hasher);
        let mut reader = WordReader::default();
        let mut known: HashMap<(IndicatorKind, String), IndicatorId> = HashMap::default();
        let mut list = List::new(list_name.to_owned(), list_name.to_owned());
        let mut found = Vec::new();
        for (line, word) in entries {
            list.lines = list.lines.max(line);
            let meaning = match reader.read(word.trim()) {
                Ok(meaning) => meaning,
                Err(fault) => {
                    list.skipped += 1;
                    found.push(Err(fault.to_string()));
                    continue;
                }
            };
            let key = match meaning {
                Meaning::Name(kind, name) => (kind, name.to_owned()),
                Meaning::Network(network) | Meaning::NetworkWithHostBits(network) => {
                    (IndicatorKind::Network, network.to_string())
                }
            };
            if let Some(&id) = known.get(&key) {
                list.duplicates += 1;
                found.push(Ok(id));
                continue;
            }
            let id = IndicatorId(indicators.entries.len() as u32);
            let added = match meaning {
                Meaning::Name(kind, name) => {
                    indicators.add_name(kind, name, line, Remark::default())
                }
                Meaning::Network(network) | Meaning::NetworkWithHostBits(network) => {
                    indicators.add_network(network, line, Remark::default())
                }
            };
            found.push(match added {
                Ok(()) => {
                    list.entries += 1;
                    known.insert(key, id);
                    Ok(id)
                }
                Err(_) => Err("there is no room for further entries".to_owned()),
            });
        }
        // Each is new, so none moves.
        indicators.finish(&[0]);
        indicators.lists.push(list);
        (indicators, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_told_what_it_stands_for() {
        let words = ["Evil.com", "192.0.2.1", "a..b", "hxxp://evil[.]com/x", "192.0.2.1:53"];
        let entries = words.iter().enumerate().map(|(at, word)| (at as u32 + 3, *word));
        let (indicators, found) = Indicators::from_entries("alerts", entries, NameHasher::random());
        let shown: Vec<_> = found
            .iter()
            .map(|id| id.clone().map(|id| indicators.get(id).map(|i| (i.value.to_owned(), i.line))))
            .collect();
        let (name, address) = (Some(("evil.com".into(), 3)), Some(("192.0.2.1".into(), 4)));
        let expected = [
            Ok(name.clone()),
            Ok(address.clone()),
            Err("it has an empty label".into()),
            Ok(name),
            Ok(address),
        ];
        assert_eq!(shown, expected);
        assert_eq!((indicators.len(), indicators.lists().len()), (2, 1));
        assert_eq!(indicators.list_name(crate::indicator::ListId(0)), "alerts");
    }
}
