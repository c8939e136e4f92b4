//! What a replicated log promises: nothing acknowledged is lost, nothing comes twice, all agree.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::history::OperationIndex;
use crate::verdict::Verdict;

/// What went into a log and what came out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHistory {
    /// What was appended.
    pub appends: Vec<Append>,
    /// Who read it, each in its own order.
    pub readers: Vec<Reader>,
}

/// One entry on its way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Append {
    /// Its name, unique in the log.
    pub entry: u64,
    /// True time at which it was offered, in ns.
    pub invoked_ns: u64,
    /// True time of the acknowledgement, in ns; none if its producer never learned.
    pub acknowledged_ns: Option<u64>,
}

/// One subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    /// Its name, unique among the readers.
    pub name: String,
    /// The node it runs on.
    pub node: u32,
    /// What it was given, in order.
    pub deliveries: Vec<Delivery>,
    /// Whether it read up to the end, so that it must have everything.
    pub is_complete: bool,
}

/// One entry on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its place in the log, from 0.
    pub offset: u64,
    /// Its name.
    pub entry: u64,
    /// True time, in ns.
    pub at_ns: u64,
}

/// Whether every acknowledged entry reached every complete reader.
pub fn no_loss(history: &LogHistory) -> Verdict {
    for reader in history.readers.iter().filter(|reader| reader.is_complete) {
        let got: BTreeSet<u64> = reader.deliveries.iter().map(|delivery| delivery.entry).collect();
        for (index, append) in history.appends.iter().enumerate() {
            let Some(acknowledged_ns) = append.acknowledged_ns.filter(|_| !got.contains(&append.entry)) else {
                continue;
            };
            let explanation = format!(
                "entry {} was acknowledged at {acknowledged_ns} ns, and reader {} on node {} read to the end without it",
                append.entry, reader.name, reader.node
            );
            return Verdict::violated(vec![number(index)], explanation);
        }
    }
    Verdict::Holds
}

/// Whether no reader got an entry twice, or one that nobody appended before.
pub fn exactly_once(history: &LogHistory) -> Verdict {
    let appended: BTreeMap<u64, u64> =
        history.appends.iter().map(|append| (append.entry, append.invoked_ns)).collect();
    for reader in &history.readers {
        let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
        for (index, delivery) in reader.deliveries.iter().enumerate() {
            let who = format!("reader {} on node {}", reader.name, reader.node);
            let at = format!("entry {} at offset {} at {} ns", delivery.entry, delivery.offset, delivery.at_ns);
            if let Some(before) = seen.insert(delivery.entry, index) {
                let first = &reader.deliveries[before];
                let explanation = format!(
                    "{who} got {at}, which it had got at offset {} at {} ns already",
                    first.offset, first.at_ns
                );
                return Verdict::violated(vec![number(before), number(index)], explanation);
            }
            if appended.get(&delivery.entry).is_none_or(|invoked_ns| *invoked_ns > delivery.at_ns) {
                let explanation = format!("{who} got {at}, which nobody had appended");
                return Verdict::violated(vec![number(index)], explanation);
            }
        }
    }
    Verdict::Holds
}

/// Whether all readers have the same entry at the same offset, without gaps, and complete ones the
/// same number of them.
///
/// Every reader begins at the first offset that any of them has.
pub fn convergence(history: &LogHistory) -> Verdict {
    let mut known: BTreeMap<u64, (u64, usize)> = BTreeMap::new();
    let first = history.readers.iter().filter_map(range).map(|(first, _)| first).min();
    for (index, reader) in history.readers.iter().enumerate() {
        if let Some(verdict) = late_start(reader, first).or_else(|| gap(reader)) {
            return verdict;
        }
        for (place, delivery) in reader.deliveries.iter().enumerate() {
            let (entry, other) = *known.entry(delivery.offset).or_insert((delivery.entry, index));
            if entry != delivery.entry {
                let explanation = format!(
                    "at offset {} reader {} has entry {entry}, reader {} has entry {}",
                    delivery.offset, history.readers[other].name, reader.name, delivery.entry
                );
                return Verdict::violated(vec![number(place)], explanation);
            }
        }
    }
    different_ends(history)
}

/// A reader that does not begin at the beginning.
fn late_start(reader: &Reader, first: Option<u64>) -> Option<Verdict> {
    let delivery = reader.deliveries.first().filter(|delivery| Some(delivery.offset) > first)?;
    let explanation = format!(
        "reader {} on node {} began at offset {}, at {} ns, though others have the entries before it",
        reader.name, reader.node, delivery.offset, delivery.at_ns
    );
    Some(Verdict::violated(vec![number(0)], explanation))
}

/// An offset that does not follow the one before it.
fn gap(reader: &Reader) -> Option<Verdict> {
    let place = reader.deliveries.windows(2).position(|pair| pair[1].offset != pair[0].offset + 1)?;
    let (before, after) = (&reader.deliveries[place], &reader.deliveries[place + 1]);
    let explanation = format!(
        "reader {} on node {} got offset {} right after offset {}, at {} ns",
        reader.name, reader.node, after.offset, before.offset, after.at_ns
    );
    Some(Verdict::violated(vec![number(place), number(place + 1)], explanation))
}

/// Complete readers that do not cover the same offsets.
fn different_ends(history: &LogHistory) -> Verdict {
    let mut complete = history.readers.iter().filter(|reader| reader.is_complete);
    let Some(first) = complete.next() else { return Verdict::Holds };
    for other in complete {
        if range(first) != range(other) {
            let explanation = format!(
                "both read to the end, but reader {} has {} and reader {} has {}",
                first.name,
                range_in_words(first),
                other.name,
                range_in_words(other)
            );
            return Verdict::violated(Vec::new(), explanation);
        }
    }
    Verdict::Holds
}

/// The first and the last offset of a reader.
fn range(reader: &Reader) -> Option<(u64, u64)> {
    Some((reader.deliveries.first()?.offset, reader.deliveries.last()?.offset))
}

fn range_in_words(reader: &Reader) -> String {
    match range(reader) {
        Some((first, last)) => format!("offsets {first} to {last}"),
        None => "nothing".to_owned(),
    }
}

/// The number of a record; a list of 2^32 records does not fit memory.
fn number(index: usize) -> OperationIndex {
    OperationIndex(u32::try_from(index).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries 1, 2 and 3 appended, the last without acknowledgement; readers as (complete, entries
    /// at offsets from 0).
    fn log(readers: &[(bool, &[u64])]) -> LogHistory {
        let append = |entry| Append { entry, invoked_ns: 0, acknowledged_ns: (entry < 3).then_some(9) };
        let readers = readers.iter().enumerate().map(|(index, (is_complete, entries))| Reader {
            name: format!("r{index}"),
            node: 0,
            deliveries: (0..).zip(*entries).map(|(offset, &entry)| Delivery { offset, entry, at_ns: 10 + offset }).collect(),
            is_complete: *is_complete,
        });
        LogHistory { appends: [1, 2, 3].map(append).to_vec(), readers: readers.collect() }
    }

    #[track_caller]
    fn check(readers: &[(bool, &[u64])], [loss, once, convergence_holds]: [bool; 3]) {
        let history = log(readers);
        assert_eq!(no_loss(&history).holds(), loss, "no loss: {readers:?}");
        assert_eq!(exactly_once(&history).holds(), once, "exactly once: {readers:?}");
        assert_eq!(convergence(&history).holds(), convergence_holds, "convergence: {readers:?}");
    }

    #[test]
    fn an_unacknowledged_entry_may_be_there_or_not() {
        check(&[(true, &[1, 2]), (true, &[1, 2])], [true, true, true]);
        check(&[(true, &[1, 3, 2]), (true, &[1, 3, 2])], [true, true, true]);
    }

    #[test]
    fn an_acknowledged_entry_missing_at_a_complete_reader_is_lost() {
        check(&[(true, &[1, 3])], [false, true, true]);
        check(&[(false, &[1])], [true, true, true]);
    }

    #[test]
    fn an_entry_twice_or_from_nowhere_is_found() {
        check(&[(true, &[1, 2, 1])], [true, false, true]);
        check(&[(true, &[1, 2, 7])], [true, false, true]);
    }

    #[test]
    fn an_entry_delivered_before_it_was_appended_is_from_nowhere() {
        let mut history = log(&[(true, &[1, 2])]);
        history.appends[0].invoked_ns = 11;
        assert!(exactly_once(&history).is_violated());
    }

    #[test]
    fn two_orders_do_not_converge() {
        check(&[(true, &[1, 2]), (true, &[2, 1])], [true, true, false]);
        check(&[(true, &[1, 2]), (false, &[1, 3])], [true, true, false]);
    }

    #[test]
    fn a_late_reader_may_have_a_prefix_but_a_complete_one_must_reach_the_end() {
        check(&[(true, &[1, 2, 3]), (false, &[1, 2])], [true, true, true]);
        check(&[(true, &[1, 2, 3]), (true, &[1, 2])], [true, true, false]);
        check(&[(true, &[]), (true, &[1, 2])], [false, true, false]);
    }

    #[test]
    fn a_gap_is_no_prefix() {
        let mut history = log(&[(false, &[1, 2])]);
        history.readers[0].deliveries[1].offset = 5;
        assert!(convergence(&history).is_violated());
    }

    #[test]
    fn a_reader_that_misses_the_beginning_has_no_prefix() {
        let mut history = log(&[(true, &[1, 2]), (false, &[1, 2])]);
        history.readers[1].deliveries.remove(0);
        assert!(convergence(&history).is_violated());
    }
}
