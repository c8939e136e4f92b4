//! Who read a log, subscription by subscription.

use std::collections::BTreeMap;

use checker::replication::{Delivery, Reader};
use sim::time::TrueTime;

/// The subscriptions of readers that are told apart by `K`, each from the beginning of its log on.
#[derive(Debug)]
pub struct Subscriptions<K> {
    open: BTreeMap<K, Open>,
    ended: Vec<Reader>,
}

/// A subscription that has not ended.
#[derive(Debug)]
struct Open {
    reader: Reader,
    began_at: TrueTime,
}

impl<K: Ord + Clone> Subscriptions<K> {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { open: BTreeMap::new(), ended: Vec::new() }
    }

    /// A reader begins, as `name` on that node; if it reads already, it begins anew.
    pub fn begin(&mut self, key: K, (name, node): (String, u32), began_at: TrueTime) {
        self.end(&key);
        let reader = Reader { name, node, deliveries: Vec::new(), is_complete: false };
        self.open.insert(key, Open { reader, began_at });
    }

    /// A reader ends: it owes nothing any more.
    pub fn end(&mut self, key: &K) {
        self.ended.extend(self.open.remove(key).map(|open| open.reader));
    }

    /// All readers end of which that holds.
    pub fn end_all(&mut self, is_meant: impl Fn(&K) -> bool) {
        let keys: Vec<K> = self.open.keys().filter(|key| is_meant(key)).cloned().collect();
        keys.iter().for_each(|key| self.end(key));
    }

    /// A reader gets entries, the first at offset `from`; nothing, if it does not read.
    pub fn deliver(&mut self, key: &K, from: u64, entries: impl Iterator<Item = u64>, at_ns: u64) {
        let Some(open) = self.open.get_mut(key) else { return };
        let delivery = |(offset, entry)| Delivery { offset, entry, at_ns };
        open.reader.deliveries.extend((from..).zip(entries).map(delivery));
    }

    /// All readers; who began by `complete_from` and still reads must have everything.
    #[must_use]
    pub fn finish(mut self, complete_from: TrueTime) -> Vec<Reader> {
        for Open { mut reader, began_at } in self.open.into_values() {
            reader.is_complete = began_at <= complete_from;
            self.ended.push(reader);
        }
        self.ended
    }
}

impl<K: Ord + Clone> Default for Subscriptions<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::time::Span;

    fn at(ms: u64) -> TrueTime {
        TrueTime::ZERO + Span::from_ms(ms)
    }

    #[test]
    fn who_reads_since_early_enough_is_complete_and_who_ended_is_not() {
        let mut subscriptions = Subscriptions::new();
        for (key, began) in [('a', 1), ('b', 2), ('c', 9)] {
            subscriptions.begin(key, (key.to_string(), 0), at(began));
            subscriptions.deliver(&key, 0, [7, 8].into_iter(), 3);
        }
        subscriptions.end_all(|key| *key == 'b');
        subscriptions.deliver(&'b', 2, [9].into_iter(), 4);
        let readers = subscriptions.finish(at(5));
        let found: Vec<_> = readers.iter().map(|reader| (reader.name.as_str(), reader.is_complete)).collect();
        assert_eq!(found, [("b", false), ("a", true), ("c", false)]);
        assert!(
            readers.iter().all(|reader| reader.deliveries.len() == 2 && reader.deliveries[1].offset == 1)
        );
    }

    #[test]
    fn who_begins_anew_is_another_reader() {
        let mut subscriptions = Subscriptions::new();
        for began in [1, 2] {
            subscriptions.begin(0, (format!("start {began}"), 0), at(began));
            subscriptions.deliver(&0, 0, [7].into_iter(), 3);
        }
        let names: Vec<_> = subscriptions.finish(at(5)).into_iter().map(|reader| reader.name).collect();
        assert_eq!(names, ["start 1", "start 2"]);
    }
}
