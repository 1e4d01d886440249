//! Indicators from entries at hand, such as the destinations of a firewall's alerts.

use foldhash::HashMap;

use super::List;
use super::word::{Meaning, WordReader};
use crate::indicator::building::Remark;
use crate::indicator::{IndicatorId, IndicatorKind, Indicators};
use crate::name::NameHasher;

impl Indicators {
    /// Makes lists of words, each with the name of the list and the line it stands in; those of one list come
    /// together. Returns, for each of them, its indicator (that of the first for what is there twice), or why
    /// it stands for none.
    pub fn from_entries<'a>(
        entries: impl IntoIterator<Item = (&'a str, u32, &'a str)>,
        hasher: NameHasher,
    ) -> (Indicators, Vec<Result<IndicatorId, String>>) {
        let mut indicators = Indicators::new(hasher);
        let mut reader = WordReader::default();
        let mut known: HashMap<(IndicatorKind, String), IndicatorId> = HashMap::default();
        let mut lists: Vec<List> = Vec::new();
        let mut begins = Vec::new();
        let mut found = Vec::new();
        for (list_name, line, word) in entries {
            if lists.last().is_none_or(|list| list.name != list_name) {
                let first = indicators.next_place();
                begins.push(first);
                lists.push(List {
                    first: first as u32,
                    ..List::new(list_name.to_owned(), list_name.to_owned())
                });
            }
            let Some(list) = lists.last_mut() else { continue };
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
                Err(_) => Err("there is no room for more entries".to_owned()),
            });
        }
        // Each is new, so none moves.
        indicators.finish(&begins);
        indicators.lists = lists;
        indicators.broad();
        (indicators, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_told_what_it_stands_for() {
        let words = ["Evil.com", "192.0.2.1", "a..b", "hxxp://evil[.]com/x", "192.0.2.1:53"];
        let entries = words.iter().enumerate().map(|(at, word)| ("alerts", at as u32 + 3, *word));
        let (indicators, found) = Indicators::from_entries(entries, NameHasher::random());
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

    #[test]
    fn each_is_of_the_list_that_it_stands_in() {
        let entries = [("a", 1, "x.com"), ("a", 2, "y.com"), ("b", 1, "y.com"), ("b", 7, "z.com")];
        let (indicators, found) = Indicators::from_entries(entries, NameHasher::random());
        let listed = found.into_iter().map(|id| {
            let indicator = indicators.get(id.unwrap()).unwrap();
            indicators.listing(&indicator)
        });
        assert_eq!(
            listed.collect::<Vec<_>>(),
            ["a, line 1", "a, line 2", "a, line 2", "b, line 7"]
        );
        let lists: Vec<_> = indicators.lists().iter().map(|l| (l.entries, l.duplicates)).collect();
        assert_eq!(lists, [(2, 0), (1, 1)]);
    }
}
