//! A bounded table whose entries fall due at a capture time.

use crate::time::Timestamp;
use std::collections::BTreeMap;

/// Entries by key and by when they are due.
///
/// At the limit the caller evicts with [`Table::pop_first`] what is due next, which for entries with one
/// time to live is the oldest. What is popped, and in which order, follows from the calls alone.
///
/// A tree takes memory in proportion to what is in it. A hash table of 65,536 entries that come and go doubles once more
/// when it has been full for long, for what was taken out leaves graves: to four times what the entries need, minutes or
/// hours after the last of them found room.
pub(super) struct Table<K, V> {
    entries: BTreeMap<K, (Due, V)>,
    order: BTreeMap<Due, K>,
    /// How many times were set: it tells entries apart that are due at the same time.
    settings: u64,
}

/// A time, and the number of its setting.
type Due = (Timestamp, u64);

impl<K: Copy + Ord, V> Table<K, V> {
    pub fn new() -> Table<K, V> {
        Table { entries: BTreeMap::new(), order: BTreeMap::new(), settings: 0 }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    /// Puts in an entry. One with the same key is replaced and returned.
    pub fn insert(&mut self, key: K, value: V, due: Timestamp) -> Option<V> {
        self.settings += 1;
        let due = (due, self.settings);
        self.order.insert(due, key);
        let (old_due, old) = self.entries.insert(key, (due, value))?;
        self.order.remove(&old_due);
        Some(old)
    }

    /// Sets when an entry is due.
    pub fn set_due(&mut self, key: &K, time: Timestamp) {
        if let Some((due, _)) = self.entries.get_mut(key)
            && due.0 != time
        {
            self.order.remove(due);
            self.settings += 1;
            *due = (time, self.settings);
            self.order.insert(*due, *key);
        }
    }

    /// Sets what is due later than this to be due then.
    pub fn bring_forward(&mut self, latest: Timestamp) {
        while let Some(((time, _), key)) = self.order.last_key_value()
            && *time > latest
        {
            let key = *key;
            self.set_due(&key, latest);
        }
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        let (due, value) = self.entries.remove(key)?;
        self.order.remove(&due);
        Some(value)
    }

    /// Takes out the entry that is due first, if it is due by `now`.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<(K, V)> {
        match self.order.first_key_value() {
            Some(((time, _), _)) if *time <= now => self.pop_first(),
            _ => None,
        }
    }

    /// Takes out the entry that is due first.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        let (_, key) = self.order.pop_first()?;
        let (_, value) = self.entries.remove(&key)?;
        Some((key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_out_as_they_fall_due() {
        let mut table = Table::new();
        for (key, due) in [('a', 30), ('b', 10), ('c', 20), ('d', 20)] {
            assert_eq!(table.insert(key, due, Timestamp(due)), None);
        }
        table.set_due(&'b', Timestamp(40));
        table.insert('e', 1_000, Timestamp(1_000));
        table.bring_forward(Timestamp(50));
        assert_eq!(table.pop_due(Timestamp(19)), None);
        assert_eq!(table.pop_due(Timestamp(20)), Some(('c', 20)));
        assert_eq!(table.pop_due(Timestamp(20)), Some(('d', 20)));
        assert_eq!(table.pop_first(), Some(('a', 30)));
        assert_eq!(table.pop_first(), Some(('b', 10)));
        assert_eq!(table.pop_due(Timestamp(50)), Some(('e', 1_000)));
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn a_replaced_or_removed_entry_is_not_due_any_more() {
        let mut table = Table::new();
        table.insert(1, "old", Timestamp(1));
        assert_eq!(table.insert(1, "new", Timestamp(5)), Some("old"));
        assert_eq!(table.pop_due(Timestamp(4)), None);
        assert_eq!(table.remove(&1), Some("new"));
        assert_eq!(table.pop_first(), None);
    }
}
