//! What the commands of a stream come to: a function of the commands before each, the same wherever they are read.
//!
//! ```text
//!   stream    reserve a │ release b │ reserve a │ use │ reserve c
//!   decided   accepted  │ released  │  (again)  │  -  │ rejected
//!   counted       0     │     1     │           │     │     2
//! ```
//!
//! A request that came before gets its first answer and has no effect, and so has a read; what is counted, and shown, is the
//! rest. A command says under which limit the node that was asked might work then. Versions never fall within a slot: who
//! was overtaken on the way by a command of a newer version is decided under that one. So reads and releases say it, too:
//! otherwise a release could free, under the newer version, what a late reservation takes under the older.

use std::collections::BTreeMap;

use crate::capacity::rules::Rules;
use crate::counter::form;
use crate::counter::kinds::Kinds;
use crate::counter::slot::{Program, Slot};
use crate::ids::{Offset, RequestKey, SlotId, Version};
use crate::message::{Answer, Call, Entry, Event, Ground};

/// One slot, and under what its newest command was decided.
#[derive(Clone, Debug)]
struct Folded {
    slot: Slot,
    ground: Option<Ground>,
}

impl Folded {
    /// Under what the next command is decided, which says `ground` itself.
    fn take_ground(&mut self, ground: Ground) -> Ground {
        let newest = self.ground.filter(|newest| newest.version > ground.version).unwrap_or(ground);
        self.ground = Some(newest);
        newest
    }
}

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What who asked is told.
    pub answer: Answer,
    /// The decision, if it is a new one.
    pub entry: Option<Entry>,
}

/// All slots, as of so many commands of the stream.
#[derive(Clone, Debug)]
pub struct Fold {
    rules: Rules,
    program: Program,
    slots: BTreeMap<SlotId, Folded>,
    /// How many decisions there were.
    count: Offset,
    /// A command was in a form that this program cannot read: what those behind it come to, it cannot know.
    is_lost: bool,
}

impl Fold {
    /// The beginning of the stream.
    #[must_use]
    pub fn new(rules: Rules, kinds: Kinds) -> Self {
        let program = Program { kinds, version: 0 };
        Self { rules, program, slots: BTreeMap::new(), count: Offset(0), is_lost: false }
    }

    /// It is read by that version of the program.
    pub const fn start(&mut self, version: u32) {
        self.program.version = version;
    }

    /// How many decisions there were.
    #[must_use]
    pub const fn count(&self) -> Offset {
        self.count
    }

    /// Whether this program has met a command that it cannot read, and decides nothing since.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// The newest version that a command of the slot was decided under; 0 if there was none.
    #[must_use]
    pub fn version(&self, slot: SlotId) -> Version {
        let ground = self.slots.get(&slot).and_then(|folded| folded.ground);
        ground.map_or(Version(0), |ground| ground.version)
    }

    /// What the next entry comes to under what it says itself, or under `instead`; nothing if it is no command, or none that
    /// can be read.
    pub fn decide(&mut self, entry: &Entry, instead: Option<Ground>) -> Option<Decided> {
        if self.is_lost {
            return None;
        }
        let Some(command) = form::event(&entry.event, self.program.version, &self.rules) else {
            self.is_lost = true;
            return None;
        };
        let Event { request, call, answer: Answer::Queued(said) } = command else { return None };
        let new = || Folded { slot: Slot::new(self.program), ground: None };
        let folded = self.slots.entry(entry.slot).or_insert_with(new);
        let ground = folded.take_ground(instead.unwrap_or(said));
        if let Some(answer) = folded.slot.recall(request, call, &self.rules) {
            return Some(Decided { answer, entry: None });
        }
        let answer = folded.slot.decide(call, ground)?;
        let (sequence, event) = (folded.slot.sequence(), Event { request, call, answer });
        folded.slot.apply(&event);
        self.count = self.count.next();
        Some(Decided { answer, entry: Some(Entry { slot: entry.slot, sequence, event }) })
    }

    /// What a question would come to if it were the next command.
    #[must_use]
    pub fn foretell(&self, slot: SlotId, request: RequestKey, call: Call, ground: Ground) -> Option<Answer> {
        let beginning = Slot::new(self.program);
        let slot = self.slots.get(&slot).map_or(&beginning, |folded| &folded.slot);
        slot.recall(request, call, &self.rules).or_else(|| slot.decide(call, ground))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter::kinds::Units;
    use crate::ids::{OrderId, Sequence, ZoneId};
    use crate::rules::Decisions as _;

    const SLOT: SlotId = SlotId(0);

    fn under(limit: u32, version: u32) -> Ground {
        Ground { limit, version: Version(version) }
    }

    fn reserve(order: u64, units: u32) -> Call {
        Call::Reserve { slot: SLOT, order: OrderId(order), units }
    }

    fn entry(request: u64, call: Call, ground: Ground) -> Entry {
        let event = Event { request: RequestKey(request), call, answer: Answer::Queued(ground) };
        Entry { slot: SLOT, sequence: Sequence(0), event }
    }

    /// What the commands come to, and how many of them are decisions.
    fn folded(rules: Rules, commands: &[(u64, Call, Ground)]) -> (Vec<Answer>, u64) {
        let mut fold = Fold::new(rules, Kinds::default());
        let answers = commands.iter().filter_map(|(request, call, ground)| {
            let decided = fold.decide(&entry(*request, *call, *ground), None)?;
            let sequence = decided.entry.map(|entry| u64::from(entry.sequence.0) + 1);
            assert_eq!(sequence.unwrap_or(fold.count().0), fold.count().0, "one slot counts as all do");
            Some(decided.answer)
        });
        let answers = answers.collect();
        (answers, fold.count().0)
    }

    #[test]
    fn a_command_that_came_before_gets_its_first_answer_and_has_no_effect() {
        let ground = under(10, 1);
        let commands = [(1, reserve(1, 7), ground), (2, reserve(2, 3), ground), (1, reserve(1, 7), ground)];
        let accepted = Answer::Accepted(ground);
        assert_eq!(folded(Rules::hardened(), &commands), (vec![accepted; 3], 2));
        let without = folded(Rules::mutant("retry-without-key"), &commands);
        assert_eq!(without, (vec![accepted, accepted, Answer::Rejected(ground)], 3));
    }

    #[test]
    fn a_read_tells_what_the_commands_before_it_came_to_and_is_no_decision() {
        let (ground, read) = (under(10, 1), Call::Use { slot: SLOT });
        let commands = [(1, reserve(1, 7), ground), (2, read, ground), (3, reserve(3, 3), ground)];
        let accepted = Answer::Accepted(ground);
        let in_use = Answer::InUse { units: 7, sequence: Sequence(1) };
        assert_eq!(folded(Rules::hardened(), &commands), (vec![accepted, in_use, accepted], 2));
    }

    #[test]
    fn who_was_overtaken_by_a_newer_version_is_decided_under_that() {
        let (older, newer) = (under(10, 1), under(5, 2));
        let release = Call::Release { slot: SLOT, order: OrderId(9) };
        for overtaking in [(2, reserve(2, 1), newer), (2, release, newer)] {
            let (answers, _) = folded(Rules::hardened(), &[overtaking, (1, reserve(1, 6), older)]);
            assert_eq!(answers[1], Answer::Rejected(newer), "{overtaking:?}");
        }
        let (answers, _) = folded(Rules::hardened(), &[(1, reserve(1, 6), older), (2, release, newer)]);
        assert_eq!(answers[0], Answer::Accepted(older));
    }

    #[test]
    fn a_program_that_cannot_read_a_command_decides_nothing_behind_it() {
        let ground = under(10, 1);
        let units = Units([1, 2, 0]);
        let newer = Call::ReserveKinds { slot: SLOT, order: OrderId(2), units, zone: ZoneId(0) };
        let commands = [(1, reserve(1, 1), ground), (2, newer, ground), (3, reserve(3, 1), ground)];
        for (rules, version, count) in [
            (Rules::hardened(), 0, 1),
            (Rules::hardened(), 1, 3),
            (Rules::mutant("newer-form-misread"), 0, 3),
        ] {
            let mut fold = Fold::new(rules, Kinds::new(&[100, 50], 0));
            fold.start(version);
            for (request, call, ground) in commands {
                let _ = fold.decide(&entry(request, call, ground), None);
            }
            assert_eq!((fold.count(), fold.is_lost()), (Offset(count), count == 1), "{rules:?}, {version}");
        }
    }
}
