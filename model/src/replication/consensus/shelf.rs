//! The library's storage: an image in memory, and the records that a disk must take for it.
//!
//! ```text
//!   library ──write──► image (read back at once)
//!                └───► records ──► the node's disk ──► sync ──► only then the library's messages leave
//! ```
//!
//! The library believes that a write is durable when it returns; on our disk a sync takes time. So the node holds back
//! every message until what was written before it is durable. To the others it is as if the library had been slow; and
//! the leader's own vote counts only together with those of followers, who hear of an entry after it is durable here.

use std::sync::{Arc, Mutex, MutexGuard};

use omnipaxos::ballot_leader_election::Ballot;
use omnipaxos::storage::{StopSign, Storage, StorageOp, StorageResult};

use super::record::{Decidable, Parts as _, Record};

/// What is stored, as of the last write.
#[derive(Clone, Debug, PartialEq)]
pub struct Image<C: Decidable> {
    promise: Option<Ballot>,
    accepted: Option<Ballot>,
    decided: usize,
    /// Commands below this index are only in the snapshot.
    compacted: usize,
    snapshot: Option<Arc<C::Snapshot>>,
    /// The commands from there on.
    commands: Vec<C>,
}

impl<C: Decidable> Default for Image<C> {
    /// Nothing was stored.
    fn default() -> Self {
        let (promise, accepted, snapshot) = (None, None, None);
        Self { promise, accepted, decided: 0, compacted: 0, snapshot, commands: Vec::new() }
    }
}

impl<C: Decidable> Image<C> {
    /// What those records, in order, make.
    #[must_use]
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record<C>>) -> Self
    where
        C: 'a,
    {
        let mut image = Self::default();
        records.into_iter().for_each(|record| image.apply(record));
        image
    }

    /// The fewest records that make this image.
    #[must_use]
    pub fn records(&self) -> Vec<Record<C>> {
        let snapshot = self
            .snapshot
            .iter()
            .flat_map(|state| [Record::Compacted(self.compacted), Record::Snapshot(Arc::clone(state))]);
        let ballots =
            self.promise.map(Record::Promise).into_iter().chain(self.accepted.map(Record::Accepted));
        let commands = [Record::Decided(self.decided), Record::Append(self.commands.clone())];
        ballots.chain(snapshot).chain(commands).collect()
    }

    fn apply(&mut self, record: &Record<C>) {
        match record {
            Record::Promise(ballot) => self.promise = Some(*ballot),
            Record::Accepted(ballot) => self.accepted = Some(*ballot),
            Record::Decided(decided) => self.decided = *decided,
            Record::Append(commands) => self.commands.extend_from_slice(commands),
            Record::Overwrite(from, commands) => {
                assert!(
                    (self.compacted..=self.end()).contains(from),
                    "a gap before {from}, or a decided command"
                );
                self.commands.truncate(from - self.compacted);
                self.commands.extend_from_slice(commands);
            }
            Record::Compacted(index) => {
                let gone = index.saturating_sub(self.compacted).min(self.commands.len());
                self.commands.drain(..gone);
                self.compacted = self.compacted.max(*index);
            }
            Record::Snapshot(state) => self.snapshot = Some(Arc::clone(state)),
            Record::Together(records) => records.iter().for_each(|record| self.apply(record)),
            Record::Life(_) | Record::Format(_) => {}
        }
    }

    /// Commands `from..to`, as far as there are that many.
    ///
    /// # Panics
    /// If some of them are only in the snapshot: the library asks for none of these.
    fn range(&self, from: usize, to: usize) -> Vec<C> {
        assert!(from >= self.compacted, "{from} is asked for, the snapshot has all below {}", self.compacted);
        let place = |index: usize| (index - self.compacted).min(self.commands.len());
        self.commands[place(from)..place(to.max(from))].to_vec()
    }

    fn end(&self) -> usize {
        self.compacted + self.commands.len()
    }
}

#[derive(Debug)]
struct Kept<C: Decidable> {
    image: Image<C>,
    /// What the disk has yet to take.
    unwritten: Vec<Record<C>>,
}

/// A handle on the storage: one is the library's, which never gives it back, another the node's.
#[derive(Clone, Debug)]
pub struct Shelf<C: Decidable>(Arc<Mutex<Kept<C>>>);

impl<C: Decidable> Shelf<C> {
    /// A storage with that image, which the disk has.
    #[must_use]
    pub fn new(image: Image<C>) -> Self {
        Self(Arc::new(Mutex::new(Kept { image, unwritten: Vec::new() })))
    }

    /// What was written since this was last asked.
    #[must_use]
    pub fn take_unwritten(&self) -> Vec<Record<C>> {
        core::mem::take(&mut self.kept().unwritten)
    }

    /// All of it, as records.
    #[must_use]
    pub fn records(&self) -> Vec<Record<C>> {
        self.kept().image.records()
    }

    fn kept(&self) -> MutexGuard<'_, Kept<C>> {
        self.0.lock().expect("a node and its library share one thread")
    }

    fn write(&self, record: Record<C>) -> StorageResult<()> {
        let mut kept = self.kept();
        kept.image.apply(&record);
        kept.unwritten.push(record);
        Ok(())
    }
}

/// What a storage operation writes; nothing for those that a fixed membership and the other operations make needless.
fn record<C: Decidable>(operation: StorageOp<C>) -> Option<Record<C>> {
    Some(match operation {
        StorageOp::AppendEntry(command) => Record::Append(vec![command]),
        StorageOp::AppendEntries(commands) => Record::Append(commands),
        StorageOp::AppendOnPrefix(from, commands) => Record::Overwrite(from, commands),
        StorageOp::SetPromise(ballot) => Record::Promise(ballot),
        StorageOp::SetDecidedIndex(decided) => Record::Decided(decided),
        StorageOp::SetAcceptedRound(ballot) => Record::Accepted(ballot),
        StorageOp::SetCompactedIdx(index) => Record::Compacted(index),
        StorageOp::SetSnapshot(Some(state)) => Record::Snapshot(Arc::new(state)),
        // A compacted index follows every trim, and drops the commands.
        StorageOp::Trim(_) | StorageOp::SetSnapshot(None) | StorageOp::SetStopsign(_) => return None,
    })
}

impl<C: Decidable> Storage<C> for Shelf<C> {
    fn write_atomically(&mut self, operations: Vec<StorageOp<C>>) -> StorageResult<()> {
        let compacted = operations.iter().find_map(|operation| match operation {
            StorageOp::SetCompactedIdx(index) => Some(*index),
            _ => None,
        });
        let settle = |mut operation: StorageOp<C>| {
            if let (StorageOp::SetSnapshot(Some(snapshot)), Some(index)) = (&mut operation, compacted) {
                snapshot.settle_at(index);
            }
            operation
        };
        self.write(Record::Together(operations.into_iter().map(settle).filter_map(record).collect()))
    }

    fn append_entry(&mut self, command: C) -> StorageResult<()> {
        self.write(Record::Append(vec![command]))
    }

    fn append_entries(&mut self, commands: Vec<C>) -> StorageResult<()> {
        if commands.is_empty() { Ok(()) } else { self.write(Record::Append(commands)) }
    }

    fn append_on_prefix(&mut self, from: usize, commands: Vec<C>) -> StorageResult<()> {
        self.write(Record::Overwrite(from, commands))
    }

    fn set_promise(&mut self, ballot: Ballot) -> StorageResult<()> {
        // The library repeats its promise at every start.
        if self.kept().image.promise == Some(ballot) { Ok(()) } else { self.write(Record::Promise(ballot)) }
    }

    fn set_decided_idx(&mut self, decided: usize) -> StorageResult<()> {
        self.write(Record::Decided(decided))
    }

    fn get_decided_idx(&self) -> StorageResult<usize> {
        Ok(self.kept().image.decided)
    }

    fn set_accepted_round(&mut self, ballot: Ballot) -> StorageResult<()> {
        self.write(Record::Accepted(ballot))
    }

    fn get_accepted_round(&self) -> StorageResult<Option<Ballot>> {
        Ok(self.kept().image.accepted)
    }

    /// Only what is decided, which is all that the library asks for, but for a slip of 0.2.4: when a node is sent a snapshot
    /// of what was decided since it last knew, the library first raises its decided index, and then makes the snapshot of
    /// what the node had before, up to the new index. What the node has accepted there was perhaps never decided; the
    /// storage is told the new index last, so it knows better.
    fn get_entries(&self, from: usize, to: usize) -> StorageResult<Vec<C>> {
        let kept = self.kept();
        Ok(kept.image.range(from, to.min(kept.image.decided)))
    }

    fn get_log_len(&self) -> StorageResult<usize> {
        Ok(self.kept().image.commands.len())
    }

    fn get_suffix(&self, from: usize) -> StorageResult<Vec<C>> {
        let kept = self.kept();
        Ok(kept.image.range(from, kept.image.end()))
    }

    fn get_promise(&self) -> StorageResult<Option<Ballot>> {
        Ok(self.kept().image.promise)
    }

    fn set_stopsign(&mut self, _stop: Option<StopSign>) -> StorageResult<()> {
        Ok(())
    }

    fn get_stopsign(&self) -> StorageResult<Option<StopSign>> {
        Ok(None)
    }

    fn trim(&mut self, _index: usize) -> StorageResult<()> {
        Ok(())
    }

    fn set_compacted_idx(&mut self, index: usize) -> StorageResult<()> {
        self.write(Record::Compacted(index))
    }

    fn get_compacted_idx(&self) -> StorageResult<usize> {
        Ok(self.kept().image.compacted)
    }

    fn set_snapshot(&mut self, snapshot: Option<C::Snapshot>) -> StorageResult<()> {
        snapshot.map_or(Ok(()), |state| self.write(Record::Snapshot(Arc::new(state))))
    }

    fn get_snapshot(&self) -> StorageResult<Option<C::Snapshot>> {
        Ok(self.kept().image.snapshot.as_deref().cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::{Command, State};
    use super::*;
    use crate::ids::RequestKey;
    use omnipaxos::storage::Snapshot as _;

    fn commands(keys: core::ops::Range<u64>) -> Vec<Command> {
        keys.map(|key| Command::AppendOnce(RequestKey(key))).collect()
    }

    /// A storage with commands 0..6, of which the first four are compacted.
    fn compacted() -> Shelf<Command> {
        let mut shelf = Shelf::new(Image::default());
        shelf.set_promise(Ballot::with(1, 1, 0, 1)).unwrap();
        shelf.append_entries(commands(0..6)).unwrap();
        shelf.set_decided_idx(5).unwrap();
        let snapshot = State::create(&commands(0..4));
        let operations =
            vec![StorageOp::Trim(4), StorageOp::SetCompactedIdx(4), StorageOp::SetSnapshot(Some(snapshot))];
        shelf.write_atomically(operations).unwrap();
        shelf
    }

    #[test]
    fn what_is_compacted_is_in_the_snapshot_and_indexes_stay() {
        let shelf = compacted();
        assert_eq!((shelf.get_log_len().unwrap(), shelf.get_compacted_idx().unwrap()), (2, 4));
        assert_eq!(shelf.get_entries(4, 5).unwrap(), commands(4..5));
        assert_eq!(shelf.get_suffix(5).unwrap(), commands(5..6));
        assert_eq!(shelf.get_snapshot().unwrap().unwrap().entries().len(), 4);
    }

    #[test]
    fn what_was_written_and_the_fewest_records_make_the_same_image() {
        let shelf = compacted();
        let written = shelf.take_unwritten();
        assert_eq!(Image::of(&written), Image::of(&shelf.records()));
        assert_eq!(written.len(), 4, "what is atomic is one record: {written:?}");
        assert!(shelf.take_unwritten().is_empty());
    }

    #[test]
    fn a_snapshot_beyond_the_end_drops_all_commands_and_others_follow_it() {
        let mut shelf = compacted();
        let operations = vec![
            StorageOp::SetAcceptedRound(Ballot::with(1, 2, 0, 2)),
            StorageOp::SetDecidedIndex(9),
            StorageOp::Trim(9),
            StorageOp::SetCompactedIdx(9),
            StorageOp::SetSnapshot(Some(State::create(&commands(0..9)))),
            StorageOp::AppendOnPrefix(9, commands(9..11)),
        ];
        shelf.write_atomically(operations).unwrap();
        assert_eq!(shelf.get_suffix(9).unwrap(), commands(9..11));
        assert_eq!(shelf.get_accepted_round().unwrap().unwrap().n, 2);
    }

    #[test]
    fn what_is_accepted_and_not_decided_is_in_no_snapshot() {
        let shelf = compacted();
        for to in [5, 6, 9] {
            assert_eq!(shelf.get_entries(4, to).unwrap(), commands(4..5), "five are decided");
            assert_eq!(shelf.get_entries(5, to).unwrap(), []);
        }
    }

    #[test]
    fn overwriting_drops_what_stood_there() {
        let mut shelf = compacted();
        shelf.append_on_prefix(5, commands(7..9)).unwrap();
        assert_eq!(shelf.get_suffix(4).unwrap(), [commands(4..5), commands(7..9)].concat());
    }

    #[test]
    fn a_promise_that_is_there_is_not_written_again() {
        let mut shelf = compacted();
        let _ = shelf.take_unwritten();
        shelf.set_promise(Ballot::with(1, 1, 0, 1)).unwrap();
        assert!(shelf.take_unwritten().is_empty());
    }
}
