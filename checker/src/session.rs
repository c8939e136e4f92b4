//! What one client may rely on while it reads and writes: positions that never go back.
//!
//! ```text
//!   client a    write at 4 ── read 4 ── read 7 ── write at 9
//!                      └ own ┘    └ reads ┘   └ follows ┘         and 4 before 9: its writes in order
//! ```
//!
//! Source: D. B. Terry et al., "Session Guarantees for Weakly Consistent Replicated Data", PDIS 1994.

use crate::instants::seconds;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::history::OperationIndex;
use crate::verdict::Verdict;

/// One read of, or one write to, something that only advances: a log, an overview.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Who read.
    pub client: u64,
    /// From which server; the same for all, if what is promised holds across servers.
    pub server: u32,
    /// True time in ns.
    pub at_ns: u64,
    /// How far the server had got. Of a write: the least position that has it.
    pub position: u64,
    /// Whether it was a read or a write.
    pub access: Access,
}

/// What was done at a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// It was read.
    #[default]
    Read,
    /// It was written.
    Write,
}

impl Access {
    /// Whether it was read: what a record is that does not say.
    pub(crate) fn is_read(&self) -> bool {
        *self == Self::Read
    }
}

/// Whether each client, on each server, read positions that never decrease.
///
/// Reads are given in the order in which each client made them.
pub fn monotonic_reads(reads: &[Read]) -> Verdict {
    never_back(reads, Access::Read, Access::Read)
}

/// Whether each client, on each server, read no position before its own earlier writes.
pub fn read_your_writes(reads: &[Read]) -> Verdict {
    never_back(reads, Access::Write, Access::Read)
}

/// Whether the writes of each client, on each server, stand in the order in which it made them.
pub fn monotonic_writes(reads: &[Read]) -> Verdict {
    never_back(reads, Access::Write, Access::Write)
}

/// Whether each client's writes, on each server, stand behind what it had read before them.
pub fn writes_follow_reads(reads: &[Read]) -> Verdict {
    never_back(reads, Access::Read, Access::Write)
}

/// Whether no `later` access of a client stands before an `earlier` one that the client had made by then.
fn never_back(reads: &[Read], earlier: Access, later: Access) -> Verdict {
    let mut furthest: BTreeMap<(u64, u32), usize> = BTreeMap::new();
    for (index, read) in reads.iter().enumerate() {
        let session = (read.client, read.server);
        let before = furthest.get(&session).copied().map(|before| (before, &reads[before]));
        if let Some((before, far)) = before.filter(|(_, far)| read.access == later && is_back(far, read)) {
            return Verdict::violated(vec![number(before), number(index)], explanation(far, read));
        }
        let is_further = before.is_none_or(|(_, far)| read.position >= far.position);
        if read.access == earlier && is_further {
            furthest.insert(session, index);
        }
    }
    Verdict::Holds
}

/// Whether an access stands before an earlier one. A read may see no more than the last did, a write is always new.
fn is_back(far: &Read, read: &Read) -> bool {
    match read.access {
        Access::Read => read.position < far.position,
        Access::Write => read.position <= far.position,
    }
}

fn explanation(far: &Read, read: &Read) -> String {
    let word = |access| match access {
        Access::Read => ("read", "from"),
        Access::Write => ("wrote", "to"),
    };
    let ((first, at), (second, there)) = (word(far.access), word(read.access));
    format!(
        "client {} {first} position {} {at} server {} at {}, and {second} position {} {there} it later, at {}",
        read.client,
        far.position,
        read.server,
        seconds(far.at_ns),
        read.position,
        seconds(read.at_ns)
    )
}

/// The number of a record; a list of 2^32 records does not fit memory.
fn number(index: usize) -> OperationIndex {
    OperationIndex(u32::try_from(index).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Accesses as (client, server, position), one a nanosecond; a negative position is one of a write.
    fn session(accesses: &[(u64, u32, i64)]) -> Vec<Read> {
        let access = |position: i64| if position < 0 { Access::Write } else { Access::Read };
        (0..)
            .zip(accesses)
            .map(|(at_ns, &(client, server, position))| Read {
                client,
                server,
                at_ns,
                position: position.unsigned_abs(),
                access: access(position),
            })
            .collect()
    }

    fn check(accesses: &[(u64, u32, i64)]) -> Verdict {
        monotonic_reads(&session(accesses))
    }

    /// Monotonic reads, read your writes, monotonic writes, writes follow reads, of one client on one server.
    fn holding(positions: &[i64]) -> [bool; 4] {
        let accesses: Vec<_> = positions.iter().map(|&position| (1, 1, position)).collect();
        let session = session(&accesses);
        [monotonic_reads, read_your_writes, monotonic_writes, writes_follow_reads]
            .map(|guarantee| guarantee(&session).holds())
    }

    #[test]
    fn reading_the_same_position_again_is_monotonic() {
        assert_eq!(check(&[(1, 1, 5), (1, 1, 5), (1, 1, 6)]), Verdict::Holds);
    }

    #[test]
    fn another_server_may_be_behind_and_another_client_too() {
        assert_eq!(check(&[(1, 1, 5), (1, 2, 3), (2, 1, 4)]), Verdict::Holds);
    }

    #[test]
    fn a_server_that_goes_back_is_found_with_both_reads() {
        let Verdict::Violated(violation) = check(&[(1, 1, 5), (1, 2, 3), (1, 1, 4)]) else {
            panic!("position 4 after 5 passed")
        };
        assert_eq!(violation.operations, [OperationIndex(0), OperationIndex(2)]);
        assert!(violation.explanation.contains("position 5"), "{}", violation.explanation);
    }

    #[test]
    fn each_guarantee_is_broken_alone() {
        assert_eq!(holding(&[5, 4]), [false, true, true, true]);
        assert_eq!(holding(&[-5, 4]), [true, false, true, true]);
        assert_eq!(holding(&[-5, -4]), [true, true, false, true]);
        assert_eq!(holding(&[5, -4]), [true, true, true, false]);
        assert_eq!(holding(&[-5, 5, 7, -8, 8]), [true; 4]);
        assert_eq!(holding(&[5, -5]), [true, true, true, false], "what was read is not written afterwards");
    }

    /// Every session of up to four accesses with positions 1 to 3, against the definitions read pair by pair.
    #[test]
    fn the_guarantees_agree_with_their_definitions_on_every_small_session() {
        let kinds = [-3, -2, -1, 1, 2, 3];
        for code in 0..6_usize.pow(4) {
            let positions: Vec<i64> = (0..4).map(|place| kinds[code / 6_usize.pow(place) % 6]).collect();
            let pairs = || (0..4).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
            let all = |is_meant: fn(i64, i64) -> bool, is_kept: fn(i64, i64) -> bool| {
                pairs()
                    .map(|(one, other)| (positions[one], positions[other]))
                    .all(|(earlier, later)| !is_meant(earlier, later) || is_kept(earlier.abs(), later.abs()))
            };
            let want = [
                all(|earlier, later| earlier > 0 && later > 0, |earlier, later| earlier <= later),
                all(|earlier, later| earlier < 0 && later > 0, |earlier, later| earlier <= later),
                all(|earlier, later| earlier < 0 && later < 0, |earlier, later| earlier < later),
                all(|earlier, later| earlier > 0 && later < 0, |earlier, later| earlier < later),
            ];
            assert_eq!(holding(&positions), want, "{positions:?}");
        }
    }
}
