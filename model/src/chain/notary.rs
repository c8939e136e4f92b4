//! The notary: makes blocks final, one after the other, and holds them; nothing final is replaced but on record.
//!
//! ```text
//!   propose ──► next after the last final one? no event again? ──yes──► disk ──► sync ──► final, told to everybody
//!                                                             └─no───► what is final there
//!   erasure ──► from the last final one? erases and no more? ───yes──► disk ──► sync ──► on record, told to everybody
//! ```
//!
//! It is the log through which the replicas agree. Proof of work alone decides nothing for ever: whoever is cut off
//! mines on, and its chain may be the longer one when it comes back.

use std::collections::BTreeSet;
use std::sync::Arc;

use sim::node::{Context, NodeId, SyncToken, TimerKey};

use super::Fx;
use super::block::{Block, Content, Entry, Hash};
use super::ledger::does_repeat;
use super::message::{Blocks, Erasure, Message, Record};
use crate::disk_log::{Begin, DiskLog};
use crate::ids::RequestKey;
use crate::rules::Precaution;

const SYNC_RETRY: TimerKey = TimerKey(0);
/// Blocks in one message.
const CHUNK_MAX: usize = 256;

/// What waits until it is durable.
#[derive(Clone, Debug)]
enum Waiting {
    /// So many blocks and erasures may be shown.
    Shown(usize, usize),
}

/// The notary node.
#[derive(Clone, Debug)]
pub struct Notary {
    difficulty_bits: u32,
    /// No event is made final twice.
    once: Precaution,
    replicas: Arc<[NodeId]>,
    /// Final blocks; those beyond `shown` are not durable yet.
    blocks: Vec<Arc<Block>>,
    /// The events in them.
    events: BTreeSet<RequestKey>,
    erasures: Vec<Erasure>,
    shown: (usize, usize),
    disk: DiskLog<Record, Waiting>,
}

impl Notary {
    /// A notary for these replicas that has made nothing final.
    #[must_use]
    pub fn new(difficulty_bits: u32, once: Precaution, replicas: Arc<[NodeId]>) -> Self {
        let (blocks, events, erasures) = (Vec::new(), BTreeSet::new(), Vec::new());
        let disk = DiskLog::new(SYNC_RETRY);
        Self { difficulty_bits, once, replicas, blocks, events, erasures, shown: (0, 0), disk }
    }

    /// Begins with what survived.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        if self.disk.start(disk, context, fx) == Begin::Never {
            return;
        }
        for record in self.disk.records().to_vec() {
            self.take(record);
        }
        if self.blocks.is_empty() {
            self.keep(Record::Block(Arc::new(Block::first())), fx);
        }
        self.show_when_durable(fx);
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: Message, fx: &mut Fx) {
        match message {
            Message::Propose(blocks) => self.propose(from, &blocks, fx),
            Message::ProposeErasure { erasure, based_on, blocks } => {
                self.propose_erasure(from, (erasure, based_on), blocks, fx);
            }
            Message::AskFinal { from: first, erasures } => {
                let known = usize::try_from(erasures).unwrap_or(usize::MAX).min(self.shown.1);
                let missed = self.erasures[known..self.shown.1].iter().map(|erasure| erasure.first);
                let first = missed.min().map_or(first, |again| again.min(first));
                if first < self.shown.0 as u64 {
                    self.tell(from, first, fx);
                }
            }
            _ => {}
        }
    }

    /// The timer ran out.
    pub fn timer(&mut self, fx: &mut Fx) {
        self.disk.timer(fx);
    }

    /// A sync is done: what it covers is final.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        for Waiting::Shown(blocks, erasures) in self.disk.synced(token, fx) {
            self.show(blocks, erasures, fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        self.disk.sync_failed(token, fx);
    }

    fn propose(&mut self, from: NodeId, blocks: &[Arc<Block>], fx: &mut Fx) {
        let before = self.blocks.len();
        for block in blocks {
            let place = usize::try_from(block.index).unwrap_or(usize::MAX);
            match self.blocks.get(place) {
                Some(known) if known.hash == block.hash => {}
                None if place == self.blocks.len() && self.may_follow(block) => {
                    self.keep(Record::Block(Arc::clone(block)), fx);
                }
                Some(_) | None => {
                    self.tell(from, block.index, fx);
                    break;
                }
            }
        }
        if self.blocks.len() > before {
            self.show_when_durable(fx);
        }
    }

    fn propose_erasure(
        &mut self,
        from: NodeId,
        (erasure, based_on): (Erasure, Hash),
        blocks: Blocks,
        fx: &mut Fx,
    ) {
        let first = usize::try_from(erasure.first).unwrap_or(usize::MAX);
        let is_known = self.erasures.iter().any(|known| known.id == erasure.id);
        let is_current = self.blocks.last().is_some_and(|last| last.hash == based_on);
        let is_whole = first > 0 && first.checked_add(blocks.len()) == Some(self.blocks.len());
        let is_right = is_whole && self.are_chain(first, &blocks) && self.do_erase_only(first, &blocks);
        if is_known || !is_current || !is_right {
            return self.tell(from, erasure.first, fx);
        }
        self.keep(Record::Erased(erasure, blocks), fx);
        self.show_when_durable(fx);
    }

    fn may_follow(&self, block: &Arc<Block>) -> bool {
        let is_final = |request: RequestKey| self.events.contains(&request);
        let is_again = self.once.is_taken() && does_repeat(core::slice::from_ref(block), is_final);
        !is_again && block.follows(self.blocks.last().map(Arc::as_ref), self.difficulty_bits)
    }

    fn are_chain(&self, first: usize, blocks: &[Arc<Block>]) -> bool {
        let mut previous = self.blocks.get(first - 1);
        blocks.iter().all(|block| {
            let does_follow = block.follows(previous.map(Arc::as_ref), self.difficulty_bits);
            previous = Some(block);
            does_follow
        })
    }

    /// Whether the blocks are those from `first` on but for what they do not say any more.
    fn do_erase_only(&self, first: usize, blocks: &[Arc<Block>]) -> bool {
        let is_same_or_erased = |(before, after): (&Entry, &Entry)| {
            after == before || *after == Entry { content: Content::Erased, ..*before }
        };
        self.blocks[first..].iter().zip(blocks).all(|(before, after)| {
            let entries = before.entries.iter().zip(after.entries.iter());
            before.entries.len() == after.entries.len() && entries.into_iter().all(is_same_or_erased)
        })
    }

    fn keep(&mut self, record: Record, fx: &mut Fx) {
        self.disk.append(record.clone(), fx);
        self.take(record);
    }

    fn take(&mut self, record: Record) {
        match record {
            Record::Block(block) => {
                self.events.extend(block.entries.iter().map(|entry| entry.request));
                self.blocks.push(block);
            }
            Record::Erased(erasure, blocks) => {
                self.blocks.truncate(usize::try_from(erasure.first).unwrap_or(usize::MAX));
                self.blocks.extend(blocks.iter().cloned());
                self.erasures.push(erasure);
            }
            Record::Format(_) => {}
        }
    }

    fn show_when_durable(&mut self, fx: &mut Fx) {
        let waiting = Waiting::Shown(self.blocks.len(), self.erasures.len());
        if let Some(Waiting::Shown(blocks, erasures)) = self.disk.hold(waiting) {
            self.show(blocks, erasures, fx);
        }
    }

    /// Tells everybody what is final since this was last done.
    fn show(&mut self, blocks: usize, erasures: usize, fx: &mut Fx) {
        let missed = self.erasures[self.shown.1..erasures].iter().map(|erasure| erasure.first);
        let first = missed.min().unwrap_or(self.shown.0 as u64).min(self.shown.0 as u64);
        self.shown = (blocks, erasures);
        for replica in self.replicas.iter().copied().collect::<Vec<_>>() {
            self.tell(replica, first, fx);
        }
    }

    /// What is final from that number on. While an erasure is being made durable, nothing from its first block on is told.
    fn tell(&self, to: NodeId, first: u64, fx: &mut Fx) {
        let unshown = self.erasures[self.shown.1..].iter().map(|erasure| erasure.first).min();
        let end = unshown
            .map_or(self.shown.0, |first| usize::try_from(first).unwrap_or(usize::MAX))
            .min(self.shown.0);
        let first = usize::try_from(first).unwrap_or(usize::MAX).min(end);
        let blocks = self.blocks[first..end].iter().take(CHUNK_MAX).cloned().collect();
        let erasures = self.erasures[..self.shown.1].into();
        fx.send(to, Message::Final { blocks, erasures });
    }
}

#[cfg(test)]
mod tests;
