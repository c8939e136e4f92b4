//! What a replicated log promises: nothing acknowledged is lost, nothing comes twice, all agree.
//!
//! ```text
//!   producer   offered 1 ── acknowledged    offered 2 ── (no answer)
//!   reader a      1 at offset 0 ── 2 at offset 1            2 may be there or not
//!   reader b      1 at offset 0 ── 2 at offset 1            but then for everybody
//! ```
//!
//! Assumes:
//! - Instants are true time; what was offered at the instant of a delivery may have been offered first.
//! - Every entry offered is on record under a name of its own, acknowledged or not. An entry without
//!   acknowledgement may appear at any later time, once, or never; offered again, it is the same entry.
//! - A reader is one subscription from offset 0 on, and its deliveries stand in the order in which it got
//!   them; nothing was cut off the log before it read. One that reads anew is another reader.
//! - A complete reader had the time to read to the end after the last acknowledgement; who had not, owes
//!   nothing but a prefix.

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::history::OperationIndex;
use crate::instants::seconds;
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
    let appends = history.appends.iter().enumerate();
    let acknowledged: Vec<(usize, &Append, u64)> =
        appends.filter_map(|(index, append)| Some((index, append, append.acknowledged_ns?))).collect();
    for reader in history.readers.iter().filter(|reader| reader.is_complete) {
        let got: HashSet<u64, FxBuildHasher> =
            reader.deliveries.iter().map(|delivery| delivery.entry).collect();
        for &(index, append, acknowledged_ns) in &acknowledged {
            if got.contains(&append.entry) {
                continue;
            }
            let explanation = format!(
                "entry {}, offered at {}, was acknowledged at {}, and {} read to the end, {} entries, without it",
                append.entry,
                seconds(append.invoked_ns),
                seconds(acknowledged_ns),
                reader.in_words(),
                reader.deliveries.len()
            );
            return Verdict::violated(vec![number(index)], explanation);
        }
    }
    Verdict::Holds
}

/// Whether no reader got an entry twice, or one that nobody had appended by then.
pub fn exactly_once(history: &LogHistory) -> Verdict {
    let mut appended: HashMap<u64, u64, FxBuildHasher> = HashMap::default();
    for append in &history.appends {
        let invoked_ns = appended.entry(append.entry).or_insert(append.invoked_ns);
        *invoked_ns = append.invoked_ns.min(*invoked_ns);
    }
    for reader in &history.readers {
        let mut seen: HashMap<u64, usize, FxBuildHasher> = HashMap::default();
        for (index, delivery) in reader.deliveries.iter().enumerate() {
            if let Some(before) = seen.insert(delivery.entry, index) {
                return twice(reader, before, index);
            }
            let invoked_ns = appended.get(&delivery.entry).copied();
            if invoked_ns.is_none_or(|invoked_ns| invoked_ns > delivery.at_ns) {
                return from_nowhere(reader, index, invoked_ns);
            }
        }
    }
    Verdict::Holds
}

fn twice(reader: &Reader, before: usize, again: usize) -> Verdict {
    let (first, second) = (&reader.deliveries[before], &reader.deliveries[again]);
    let explanation = format!(
        "{} got entry {} at offset {} at {}, which it had got at offset {} at {} already",
        reader.in_words(),
        second.entry,
        second.offset,
        seconds(second.at_ns),
        first.offset,
        seconds(first.at_ns)
    );
    Verdict::violated(vec![number(before), number(again)], explanation)
}

fn from_nowhere(reader: &Reader, index: usize, invoked_ns: Option<u64>) -> Verdict {
    let Delivery { offset, entry, at_ns } = reader.deliveries[index];
    let why = match invoked_ns {
        Some(invoked_ns) => format!("which was appended only at {}", seconds(invoked_ns)),
        None => "which nobody appended".to_owned(),
    };
    let (who, at) = (reader.in_words(), seconds(at_ns));
    let explanation = format!("{who} got entry {entry} at offset {offset} at {at}, {why}");
    Verdict::violated(vec![number(index)], explanation)
}

/// Whether all readers have the same entry at the same offset, from offset 0 on and without gaps, and
/// complete ones the same number of them.
pub fn convergence(history: &LogHistory) -> Verdict {
    for reader in &history.readers {
        if let Some(verdict) = gap(reader) {
            return verdict;
        }
    }
    // Without gaps, the offset of a delivery is its index, and the longest reader has them all.
    let mut longest: Option<&Reader> = None;
    for reader in &history.readers {
        let Some(other) = longest.replace(reader) else { continue };
        if let Some(verdict) = different_entries(other, reader) {
            return verdict;
        }
        if other.deliveries.len() >= reader.deliveries.len() {
            longest = Some(other);
        }
    }
    different_ends(history)
}

/// An offset that does not follow the one before it; the first one follows nothing and is 0.
fn gap(reader: &Reader) -> Option<Verdict> {
    let has_gap = |(place, delivery): (u64, &Delivery)| delivery.offset != place;
    let place = (0..).zip(&reader.deliveries).position(has_gap)?;
    let found = &reader.deliveries[place];
    let who = reader.in_words();
    let Some(before) = place.checked_sub(1) else {
        let explanation = format!(
            "{who} began at offset {} (entry {}) at {}, not at offset 0",
            found.offset,
            found.entry,
            seconds(found.at_ns)
        );
        return Some(Verdict::violated(vec![number(place)], explanation));
    };
    let explanation = format!(
        "{who} got offset {} (entry {}) at {} right after offset {} (entry {})",
        found.offset,
        found.entry,
        seconds(found.at_ns),
        reader.deliveries[before].offset,
        reader.deliveries[before].entry
    );
    Some(Verdict::violated(vec![number(before), number(place)], explanation))
}

/// The first offset at which two readers without gaps have different entries.
fn different_entries(one: &Reader, other: &Reader) -> Option<Verdict> {
    let mut pairs = one.deliveries.iter().zip(&other.deliveries);
    let place = pairs.position(|(one, other)| one.entry != other.entry)?;
    let (first, second) = (&one.deliveries[place], &other.deliveries[place]);
    let explanation = format!(
        "at offset {place} {} got entry {} at {}, and {} got entry {} at {}",
        one.in_words(),
        first.entry,
        seconds(first.at_ns),
        other.in_words(),
        second.entry,
        seconds(second.at_ns)
    );
    Some(Verdict::violated(vec![number(place)], explanation))
}

/// Complete readers that end at different lengths: the first delivery that one of them lacks.
fn different_ends(history: &LogHistory) -> Verdict {
    let complete = || history.readers.iter().filter(|reader| reader.is_complete);
    let shortest = complete().min_by_key(|reader| reader.deliveries.len());
    let longest = complete().max_by_key(|reader| reader.deliveries.len());
    let (Some(shortest), Some(longest)) = (shortest, longest) else { return Verdict::Holds };
    let length = shortest.deliveries.len();
    let Some(missing) = longest.deliveries.get(length) else { return Verdict::Holds };
    let explanation = format!(
        "{} read to the end of its {length} entries, but {} got entry {} at offset {length} at {}",
        shortest.in_words(),
        longest.in_words(),
        missing.entry,
        seconds(missing.at_ns)
    );
    Verdict::violated(vec![number(length)], explanation)
}

impl Reader {
    fn in_words(&self) -> String {
        format!("reader {} on node {}", self.name, self.node)
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
            deliveries: (0..)
                .zip(*entries)
                .map(|(offset, &entry)| Delivery { offset, entry, at_ns: 10 + offset })
                .collect(),
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
    fn a_reader_that_misses_the_beginning_has_no_prefix_even_alone() {
        let mut history = log(&[(false, &[1, 2])]);
        history.readers[0].deliveries.remove(0);
        check_numbers(&convergence(&history), &[0], "not at offset 0");
    }

    #[test]
    fn an_offset_that_comes_again_or_overflows_is_no_prefix() {
        for offset in [0, u64::MAX] {
            let mut history = log(&[(false, &[1, 2, 3])]);
            history.readers[0].deliveries[1].offset = offset;
            check_numbers(&convergence(&history), &[0, 1], "right after offset 0");
        }
    }

    #[test]
    fn an_entry_offered_twice_counts_from_the_first_time() {
        let mut history = log(&[(true, &[1, 2])]);
        history.appends.push(Append { entry: 1, invoked_ns: 99, acknowledged_ns: None });
        assert_eq!(exactly_once(&history), Verdict::Holds);
    }

    #[test]
    fn a_violation_names_its_records_reader_offset_entry_and_times() {
        check_numbers(&no_loss(&log(&[(true, &[1, 3])])), &[1], "entry 2, offered at 0 ns");
        check_numbers(&exactly_once(&log(&[(true, &[1, 2, 1])])), &[0, 2], "entry 1 at offset 2 at 12 ns");
        check_numbers(&exactly_once(&log(&[(true, &[1, 7])])), &[1], "entry 7 at offset 1 at 11 ns");
        let two = log(&[(true, &[1, 2]), (false, &[1, 3])]);
        check_numbers(&convergence(&two), &[1], "reader r1 on node 0 got entry 3 at 11 ns");
        let short = log(&[(true, &[1]), (true, &[1, 2])]);
        check_numbers(&convergence(&short), &[1], "got entry 2 at offset 1");
    }

    /// Every pair of readers with up to three entries of two, against the definition read pair by pair.
    #[test]
    fn convergence_agrees_with_its_definition_on_every_small_log() {
        let lists: Vec<Vec<u64>> = (0..15u64)
            .map(|code| (code + 1).ilog2() as u64)
            .zip(0..15u64)
            .map(|(length, code)| (0..length).map(|bit| 1 + ((code + 1) >> bit & 1)).collect())
            .collect();
        for (one, other) in lists.iter().flat_map(|one| lists.iter().map(move |other| (one, other))) {
            for is_complete in [false, true] {
                let agree = one.iter().zip(other).all(|(one, other)| one == other);
                let want = agree && (!is_complete || one.len() == other.len());
                let history = log(&[(true, one), (is_complete, other)]);
                assert_eq!(convergence(&history).holds(), want, "{one:?} {other:?} {is_complete}");
            }
        }
    }

    #[track_caller]
    fn check_numbers(verdict: &Verdict, operations: &[u32], words: &str) {
        let Verdict::Violated(violation) = verdict else { panic!("{verdict}") };
        let wanted: Vec<OperationIndex> = operations.iter().copied().map(OperationIndex).collect();
        assert_eq!(violation.operations, wanted, "{verdict}");
        assert!(violation.explanation.contains(words), "{verdict}");
    }
}
