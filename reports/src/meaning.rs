//! What the names of checks and faults mean, in one sentence for someone who does not know them.

use sim::fault::Family;

use crate::run_folder::Outcome;

/// What a check demands; nothing for a name that is not ours.
pub(crate) fn of_check(name: &str) -> &'static str {
    match name {
        "linearizable" => "Every operation takes effect at one instant between its question and its answer.",
        "sequential" => "One order explains all answers and keeps the order of each client.",
        "causal" => "Nobody sees an effect without what led to it.",
        "pram" => "Everyone sees the writes of each client in that client's order.",
        "read-your-writes" => "A client sees what it wrote itself.",
        "monotonic-reads" => "What a client has seen once, it does not lose again.",
        "monotonic-writes" => "The writes of a client take effect in its order.",
        "writes-follow-reads" => "A write comes after what its client had read before.",
        "convergence" => "After healing, all copies come to the same state in time.",
        "admission" => "An accepted reservation leaves the use within the limit in force at that instant.",
        "no-loss" => "What was acknowledged is there in the end.",
        "exactly-once" => "What was acknowledged took effect once, not twice.",
        "switch-a" => "No task runs under the new version before its start, nor under the old one after it.",
        "switch-b" => "No node goes back to an older version.",
        "switch-c" => "No task runs while its version cannot be verified as the latest.",
        "switch-d" => "Nothing runs where nothing is configured.",
        "switch-e" => "After healing, every node works with the newest version in time.",
        "switch-f" => "Every entry of a batch runs under the version of its own instant.",
        "mutual-exclusion" => "At no instant do two hold the same lock.",
        "atomic-commit" => "All participants commit, or all abort.",
        "conservation" => "What leaves one account arrives in another: the sum stays.",
        "chain" => "Every tampering with the chain is found, and where; nothing else is.",
        "split-view" => "Two replicas that were shown different chains find out.",
        "progress" => "After healing, operations are answered again in time.",
        _ => "",
    }
}

/// What a fault does.
pub(crate) const fn of_fault(family: Family) -> &'static str {
    match family {
        Family::Crash => "the process dies; its memory is lost",
        Family::PowerLoss => "the machine dies; what was not synced is lost too",
        Family::Stop => "the process is asked to stop, in order",
        Family::Restart => "a process that is down begins again",
        Family::Pause => "the process stands still while its clocks go on",
        Family::PauseMidway => "the process stands still between an input and what it does about it",
        Family::Slow => "every input takes longer",
        Family::Cut => "nothing passes on some links",
        Family::Noise => "messages are lost, doubled, delayed, overtaken",
        Family::ClockStep => "the wall clock jumps",
        Family::ClockDrift => "the oscillator runs at another rate",
        Family::ClockLie => "the clock claims an error bound that may be false",
        Family::ClockFreeze => "the wall clock stands still",
        Family::ClockStrobe => "the wall clock jumps there and back, again and again",
        Family::ClockSyncLoss => "the clock's daemon does not hear its source",
        Family::DiskStall => "no sync ends",
        Family::DiskError => "every sync is refused",
        Family::DiskLie => "syncs are acknowledged without being done",
        Family::Burst => "messages are lost in bursts",
        Family::Corruption => "messages are damaged, found out and dropped",
        Family::Reordering => "some messages are held back and overtaken",
        Family::SlowLink => "messages take longer on some links",
        Family::Throttle => "links carry less, and messages queue before them",
        Family::Reset => "a node sees its connection to a peer reset, and the peer does not",
        Family::RestartAs => "a process that is down begins again as another version",
        Family::TornWrite => "the machine dies while it writes; unsynced records survive in any selection",
        Family::DiskSlow => "every sync takes longer",
        Family::DiskFull => "writes find no room",
        Family::BitRot => "durable records cannot be read any more",
    }
}

/// What the outcome of a run means for the one who asked.
pub(crate) const fn of_outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Violated => "a promise was broken",
        Outcome::Undecided => "the budget ran out before an answer",
        Outcome::Vacuous => "no planned fault changed anything, so the run shows nothing",
        Outcome::Holds => "every promise was kept",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_check_has_a_meaning() {
        let names = "linearizable sequential causal pram read-your-writes monotonic-reads monotonic-writes \
                     writes-follow-reads convergence admission no-loss exactly-once switch-a switch-b switch-c \
                     switch-d switch-e switch-f mutual-exclusion atomic-commit conservation chain split-view progress";
        for name in names.split_whitespace() {
            assert!(of_check(name).ends_with('.'), "{name}");
        }
        assert_eq!(of_check("of someone else"), "");
    }
}
