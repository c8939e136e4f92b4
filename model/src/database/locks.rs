//! Row locks: each row has one holder, and a line of those who wait for it.

use std::collections::{BTreeMap, VecDeque};

/// Which transaction, by the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TransactionId(pub(super) u64);

/// Who has which row, and who is next.
#[derive(Clone, Debug)]
pub(super) struct Locks<K> {
    /// Never an empty line: the first has the row.
    lines: BTreeMap<K, VecDeque<TransactionId>>,
}

/// What came of asking for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The row is the asker's.
    Taken,
    /// Others have it first.
    Waits,
}

impl<K: Ord + Clone> Locks<K> {
    pub(super) const fn new() -> Self {
        Self { lines: BTreeMap::new() }
    }

    /// Asks for a row, or gets in line for it.
    pub(super) fn ask(&mut self, key: &K, who: TransactionId) -> Asked {
        let line = self.lines.entry(key.clone()).or_default();
        assert!(!line.contains(&who), "{who:?} asks for a row once");
        line.push_back(who);
        if line.len() == 1 { Asked::Taken } else { Asked::Waits }
    }

    /// Gives up a row. Whose it is now, if anybody waited.
    pub(super) fn release(&mut self, key: &K, who: TransactionId) -> Option<TransactionId> {
        let line = self.lines.get_mut(key).expect("a row that is given up has a holder");
        assert_eq!(line.pop_front(), Some(who), "only the holder gives up a row");
        let next = line.front().copied();
        if next.is_none() {
            self.lines.remove(key);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_goes_from_one_to_the_next_in_the_order_of_asking() {
        let mut locks = Locks::new();
        let [first, second, third] = [1, 2, 3].map(TransactionId);
        assert_eq!(locks.ask(&'a', first), Asked::Taken);
        assert_eq!(locks.ask(&'a', second), Asked::Waits);
        assert_eq!(locks.ask(&'a', third), Asked::Waits);
        assert_eq!(locks.ask(&'b', third), Asked::Taken);
        assert_eq!(locks.release(&'a', first), Some(second));
        assert_eq!(locks.release(&'a', second), Some(third));
        assert_eq!(locks.release(&'a', third), None);
        assert_eq!(locks.ask(&'a', first), Asked::Taken);
    }
}
