//! A node's disk: an ordered list of records, and how much of it a power loss leaves.
//!
//! ```text
//!   stage 0                       stage 1 (a rewrite, not yet durable)
//!   [synced │ unsynced writes]    [the rewrite's records │ unsynced writes]
//!           └──── a power loss keeps a prefix of these steps ────────────┘
//! ```
//!
//! What it promises is what a careful program gets from a journalling file system:
//!
//! - A write is in memory at once and on the disk with the next sync. A crash of the process keeps it; a power loss
//!   keeps a prefix of the unsynced steps, as a file that is only appended to does when its length is the last thing
//!   that the journal writes.
//! - A sync that does its work makes everything durable that was written before it began, and forgets the stages before.
//!   One that was refused makes nothing durable, and nothing is forgotten: the next one may still do so. (After a
//!   refused `fsync` a real kernel may drop the pages; a node that goes on writing after a refusal is wrong there.)
//! - A rewrite is a new file under the old name: whole or not there, and in order with the writes around it.
//! - [`Disk::tear`] takes the order away: each unsynced record survives on its own, as blocks do that the disk itself
//!   reorders. Where one is missing before a survivor, a reader finds garbage; so it does where the last block is half
//!   written. Checksums tell, and the reader gets the others. Rewrites stay whole: they are renamed.
//! - Bit rot damages what was durable. A reader finds it by the checksum, when it reads: at a start.

use std::collections::BTreeMap;

use crate::chance::Stream;
use crate::limits::{RECORDS_MAX, REWRITES_PENDING_MAX};
use crate::windows::FaultIndex;

/// How far the disk had been written when a sync began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncMark {
    stage: u64,
    length: usize,
}

#[derive(Clone, Debug)]
struct Stage<R> {
    records: Vec<R>,
    /// How many of the records came into being in one atomic step, or are durable: the stage never has fewer.
    whole: usize,
    /// Places of the records that cannot be read, all of them below `whole`, and the fault that answers for each if it
    /// is not accounted for already.
    damaged: BTreeMap<usize, Option<FaultIndex>>,
}

/// The records of one node.
#[derive(Clone, Debug)]
pub struct Disk<R> {
    /// Never empty; the last is what a reader sees; the first is durable up to its `whole`.
    stages: Vec<Stage<R>>,
    /// How many stages were forgotten: the number of the first one.
    first_stage: u64,
}

impl<R> Default for Disk<R> {
    fn default() -> Self {
        Self { stages: vec![Stage::of(Vec::new())], first_stage: 0 }
    }
}

impl<R> Disk<R> {
    /// Appends a record.
    ///
    /// # Panics
    /// If there are [`RECORDS_MAX`] already.
    pub fn write(&mut self, record: R) {
        let records = &mut self.last_stage().records;
        assert!(records.len() < RECORDS_MAX, "a disk holds at most {RECORDS_MAX} records");
        records.push(record);
    }

    /// Replaces all records in one atomic step.
    ///
    /// # Panics
    /// If there are more than [`RECORDS_MAX`], or [`REWRITES_PENDING_MAX`] rewrites wait for a sync already.
    pub fn rewrite(&mut self, records: Vec<R>) {
        assert!(records.len() <= RECORDS_MAX, "a disk holds at most {RECORDS_MAX} records");
        assert!(self.stages.len() <= REWRITES_PENDING_MAX, "too many rewrites without a sync");
        self.stages.push(Stage::of(records));
    }

    /// What a sync that begins now will make durable.
    #[must_use]
    pub fn mark(&self) -> SyncMark {
        let last = self.stages.len() - 1;
        SyncMark { stage: self.first_stage + last as u64, length: self.stages[last].records.len() }
    }

    /// Does the work of a sync.
    pub fn make_durable(&mut self, mark: SyncMark) {
        let Some(older) = mark.stage.checked_sub(self.first_stage) else { return };
        let older = usize::try_from(older).expect("a mark is of a stage that was made");
        self.stages.drain(..older);
        self.first_stage = mark.stage;
        let first = &mut self.stages[0];
        assert!(mark.length <= first.records.len(), "a stage only grows");
        first.whole = first.whole.max(mark.length);
    }

    /// Keeps what is durable and an even random part of the steps since, from the first on; how many steps are gone.
    /// One draw, always.
    pub fn lose_power(&mut self, chance: &mut Stream) -> u64 {
        let steps = self.unsynced_count();
        let kept = chance.between(0, steps);
        let (survivor, kept_of_it) = self.stage_after(kept);
        let mut stage = self.stages.swap_remove(survivor);
        stage.records.truncate(stage.whole + kept_of_it);
        self.restore(stage);
        steps - kept
    }

    /// As [`Disk::lose_power`], but of the stage that survives each unsynced record does so on its own, by an even
    /// chance: one that does not, before one that does, is damaged, and so is, by an even chance, the first after the
    /// last that does. How many steps are gone or damaged. One draw, and one for each unsynced record of that stage.
    pub fn tear(&mut self, chance: &mut Stream) -> u64 {
        let (survivor, _) = self.stage_after(chance.between(0, self.unsynced_count()));
        let later: u64 = self.stages[survivor + 1..].iter().map(|stage| stage.loose() + 1).sum();
        let mut stage = self.stages.swap_remove(survivor);
        let survives: Vec<bool> = (0..stage.loose()).map(|_| chance.below(2) == 0).collect();
        let survivor_count = survives.iter().filter(|&&survives| survives).count();
        let changed = later + (survives.len() - survivor_count) as u64;
        let end = survives.iter().rposition(|&survives| survives).map_or(0, |last| last + 1);
        let half_written = usize::from(end < survives.len() && chance.below(2) == 0);
        stage.records.truncate(stage.whole + end + half_written);
        let gone = (0..end + half_written).filter(|&index| index >= end || !survives[index]);
        let whole = stage.whole;
        stage.damaged.extend(gone.map(|index| (whole + index, None)));
        self.restore(stage);
        changed
    }

    /// Damages so many of the durable records that a reader would get, evenly chosen; all of them, if there are fewer.
    /// One draw for each.
    pub(crate) fn rot(&mut self, count: u32, fault: FaultIndex, chance: &mut Stream) {
        let stage = self.last_stage();
        let sound_count = stage.whole - stage.damaged.len();
        for left in (1..=sound_count).rev().take(count as usize) {
            let draw = usize::try_from(chance.below(left as u64)).expect("a place fits");
            let place = stage.sound_place(draw);
            stage.damaged.insert(place, Some(fault));
        }
    }

    /// Places of the records that cannot be read, among [`Disk::records`], in order.
    pub fn damaged_places(&self) -> impl Iterator<Item = usize> + '_ {
        self.stages[self.stages.len() - 1].damaged.keys().copied()
    }

    /// The faults that answer for damaged records, one for each record.
    pub(crate) fn damaging_faults(&self) -> impl Iterator<Item = FaultIndex> + '_ {
        self.stages[self.stages.len() - 1].damaged.values().filter_map(|fault| *fault)
    }

    /// How many steps, writes and rewrites, are not durable.
    #[must_use]
    pub fn unsynced_count(&self) -> u64 {
        let loose: u64 = self.stages.iter().map(Stage::loose).sum();
        loose + self.stages.len() as u64 - 1
    }

    /// All records, in the order they were written, damaged or not.
    #[must_use]
    pub fn records(&self) -> &[R] {
        &self.stages[self.stages.len() - 1].records
    }

    /// Which stage is the last after so many steps, and how many of its unsynced records there are then.
    fn stage_after(&self, steps: u64) -> (usize, usize) {
        let (mut survivor, mut kept) = (0, steps);
        while survivor + 1 < self.stages.len() && kept > self.stages[survivor].loose() {
            kept -= self.stages[survivor].loose() + 1;
            survivor += 1;
        }
        (survivor, usize::try_from(kept).expect("a count of records fits"))
    }

    /// A stage that survived a power loss is the only one, and durable.
    fn restore(&mut self, mut stage: Stage<R>) {
        stage.whole = stage.records.len();
        // The new number keeps marks of syncs that were under way from touching the surviving stage.
        self.first_stage += self.stages.len() as u64 + 1;
        self.stages.clear();
        self.stages.push(stage);
    }

    fn last_stage(&mut self) -> &mut Stage<R> {
        self.stages.last_mut().expect("a disk has a stage")
    }
}

impl<R: Clone> Disk<R> {
    /// The records that can be read, in the order they were written.
    #[must_use]
    pub fn readable(&self) -> Vec<R> {
        let stage = &self.stages[self.stages.len() - 1];
        if stage.damaged.is_empty() {
            return stage.records.clone();
        }
        let sound = stage.records.iter().enumerate().filter(|(place, _)| !stage.damaged.contains_key(place));
        sound.map(|(_, record)| record.clone()).collect()
    }
}

impl<R> Stage<R> {
    /// Records that came into being in one step.
    fn of(records: Vec<R>) -> Self {
        let whole = records.len();
        Self { records, whole, damaged: BTreeMap::new() }
    }

    /// The place of its sound record of that number, from 0.
    fn sound_place(&self, number: usize) -> usize {
        let mut place = number;
        for &damaged in self.damaged.keys() {
            if damaged > place {
                break;
            }
            place += 1;
        }
        place
    }

    /// How many of its records can be lost one by one.
    const fn loose(&self) -> u64 {
        (self.records.len() - self.whole) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Seed;

    /// The disk after steps: a digit writes it, `R..;` rewrites, `s` syncs, `l` is a sync that lies.
    fn disk(steps: &str) -> Disk<u8> {
        let mut disk = Disk::default();
        let mut rewrite: Option<Vec<u8>> = None;
        for step in steps.bytes() {
            match (step, &mut rewrite) {
                (b'R', _) => rewrite = Some(Vec::new()),
                (b';', _) => disk.rewrite(rewrite.take().unwrap()),
                (b's', _) => disk.make_durable(disk.mark()),
                (b'l', _) => {}
                (digit, Some(records)) => records.push(digit),
                (digit, None) => disk.write(digit),
            }
        }
        disk
    }

    /// What power losses with many seeds leave, each once, in order.
    #[track_caller]
    fn check(steps: &str, want: &[&str]) {
        let mut found: Vec<String> = Seed::range(0..200)
            .map(|seed| {
                let mut disk = disk(steps);
                let before = disk.unsynced_count();
                let lost = disk.lose_power(&mut seed.stream("power", 0));
                assert!(lost <= before);
                assert_eq!(disk.unsynced_count(), 0, "what survived is durable");
                String::from_utf8(disk.records().to_vec()).unwrap()
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, want, "{steps}");
    }

    #[test]
    fn a_power_loss_keeps_the_synced_and_a_prefix_of_the_rest() {
        check("12", &["", "1", "12"]);
        check("12s", &["12"]);
        check("12s34", &["12", "123", "1234"]);
    }

    #[test]
    fn a_lying_sync_is_made_good_by_the_next_honest_one() {
        check("12l", &["", "1", "12"]);
        check("12l3s", &["123"]);
    }

    #[test]
    fn a_rewrite_is_atomic_and_durable_only_with_the_next_sync() {
        check("12sR345;", &["12", "345"]);
        check("1s2R34;5", &["1", "12", "34", "345"]);
        check("12sR345;s", &["345"]);
        check("12sR345;s6", &["345", "3456"]);
        check("1sR2;R3;", &["1", "2", "3"]);
    }

    #[test]
    fn a_crash_keeps_everything_written() {
        assert_eq!(disk("1s2R34;5").records(), b"345");
    }

    #[test]
    fn a_sync_covers_what_was_written_before_it_began() {
        let mut disk = disk("12");
        let mark = disk.mark();
        disk.write(b'3');
        disk.make_durable(mark);
        assert_eq!(disk.unsynced_count(), 1);
        disk.rewrite(vec![b'4']);
        disk.make_durable(mark);
        assert_eq!(disk.unsynced_count(), 2, "the write and the rewrite");
        disk.make_durable(disk.mark());
        disk.make_durable(mark);
        assert_eq!((disk.unsynced_count(), disk.records()), (0, b"4".as_slice()));
    }
}
