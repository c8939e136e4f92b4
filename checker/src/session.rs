//! What one client may rely on while it reads: positions that never go back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::history::OperationIndex;
use crate::verdict::Verdict;

/// One read of something that only advances: a log, an overview.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Who read.
    pub client: u64,
    /// From which server.
    pub server: u32,
    /// True time in ns.
    pub at_ns: u64,
    /// How far the server had got.
    pub position: u64,
}

/// Whether each client, on each server, read positions that never decrease.
///
/// Reads are given in the order in which each client made them.
pub fn monotonic_reads(reads: &[Read]) -> Verdict {
    let mut latest: BTreeMap<(u64, u32), usize> = BTreeMap::new();
    for (index, read) in reads.iter().enumerate() {
        let Some(before) = latest.insert((read.client, read.server), index) else { continue };
        let earlier = &reads[before];
        if read.position < earlier.position {
            let explanation = format!(
                "client {} read position {} from server {} at {} ns, and position {} from it later, at {} ns",
                read.client, earlier.position, read.server, earlier.at_ns, read.position, read.at_ns
            );
            return Verdict::violated(vec![number(before), number(index)], explanation);
        }
    }
    Verdict::Holds
}

/// The number of a record; a list of 2^32 records does not fit memory.
fn number(index: usize) -> OperationIndex {
    OperationIndex(u32::try_from(index).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads as (client, server, position), one a nanosecond.
    fn check(reads: &[(u64, u32, u64)]) -> Verdict {
        let reads: Vec<Read> = (0..)
            .zip(reads)
            .map(|(at_ns, &(client, server, position))| Read { client, server, at_ns, position })
            .collect();
        monotonic_reads(&reads)
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
}
