//! The slots that one node owns: decided here one after the other, journalled, and only then answered.
//!
//! ```text
//!   first question ──► Opening ──opened──► Idle ──questions──► Appending ──appended──► answers, Idle
//!                         │                 ▲                      │
//!                         │                 └── all known: confirm ┘
//!                         └── refused, or no answer for too long: the slot is dropped, questions are sent back
//! ```
//!
//! All waiting questions of a slot go into one append, conditional on (slot, epoch, expected sequence). If it comes
//! back refused, somebody else owns the slot, and what was decided here never happened. An append without events
//! confirms that nobody else has decided anything: reads and repeated answers wait for that too.
//!
//! From time to time the journal is told what a slot holds, so that the next owner reads only the events behind that. Nobody
//! waits for it; where it is lost, the next owner reads more.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use sim::node::{Context, NodeId};
use sim::time::{MonotonicTime, Span};

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::counter::batch::{Appended, Batch, Limits, Question};
use crate::counter::kinds::Kinds;
use crate::counter::slot::image::Image;
use crate::counter::slot::{Program, Slot};
use crate::ids::{AppendNumber, Epoch, Sequence, SlotId};
use crate::message::{Answer, Event, Message, Observation};
use crate::replication::log_nodes::LogNodes;

/// No answer from the journal for this long: ask again.
pub(super) const RESEND_EVERY: Span = Span::from_ms(150);
/// After that many tries the slot is dropped: the journal stalls.
pub(super) const TRIES_MAX: u32 = 20;
/// Questions that wait for one slot; more are refused at once.
pub(super) const QUEUE_MAX: usize = 256;

#[derive(Clone, Debug)]
enum Phase {
    Opening {
        nonce: u64,
    },
    /// It has an event in a form that this program cannot read: nothing is decided here.
    Unread,
    Idle,
    Appending(Batch),
}

#[derive(Clone, Debug)]
struct Entity {
    phase: Phase,
    epoch: Epoch,
    /// The number of the next append in this epoch.
    number: AppendNumber,
    slot: Slot,
    /// How many events the newest image is made of.
    imaged: Sequence,
    queue: VecDeque<Question>,
    sent_at: MonotonicTime,
    tries: u32,
}

impl Entity {
    /// Whether the slot has so many events more than its newest image; 0 is never.
    const fn is_image_due(&self, snapshot_every: u32) -> bool {
        snapshot_every > 0 && self.slot.sequence().0 >= self.imaged.0.saturating_add(snapshot_every)
    }
}

/// What the journal says when it hands a slot over.
#[derive(Clone, Copy, Debug)]
pub struct Opened<'a> {
    /// Which slot.
    pub slot: SlotId,
    /// The question that it answers.
    pub nonce: u64,
    /// In which epoch.
    pub epoch: Epoch,
    /// What the slot held as of one of its events.
    pub image: Option<&'a Image>,
    /// The events behind the image; all, if there is none.
    pub events: &'a [Event],
}

/// The slots of one node.
#[derive(Clone, Debug)]
pub struct Owner {
    rules: Rules,
    logs: LogNodes,
    kinds: Kinds,
    /// The journal is told what a slot holds after so many durable events; 0 is never.
    snapshot_every: u32,
    entities: BTreeMap<SlotId, Entity>,
    /// Slots that wait for the journal or hold questions.
    busy: BTreeSet<SlotId>,
}

impl Owner {
    /// A node that owns nothing yet.
    #[must_use]
    pub const fn new(rules: Rules, logs: LogNodes, kinds: Kinds, snapshot_every: u32) -> Self {
        Self { rules, logs, kinds, snapshot_every, entities: BTreeMap::new(), busy: BTreeSet::new() }
    }

    /// Takes a question for a slot it owns, opening the slot if it is the first.
    pub fn ask(&mut self, slot: SlotId, question: Question, context: &mut Context<'_>, fx: &mut Fx) {
        let log = self.logs.current();
        let entity = self.entities.entry(slot).or_insert_with(|| {
            let nonce = context.chance().next_u64();
            fx.send(log, Message::Open { slot, nonce, form: context.version() });
            Entity {
                phase: Phase::Opening { nonce },
                epoch: Epoch(0),
                number: AppendNumber(0),
                slot: Slot::default(),
                imaged: Sequence(0),
                queue: VecDeque::new(),
                sent_at: context.monotonic(),
                tries: 0,
            }
        });
        if entity.queue.len() >= QUEUE_MAX || matches!(entity.phase, Phase::Unread) {
            question.answer(Answer::Unavailable, fx);
            return;
        }
        entity.queue.push_back(question);
        self.busy.insert(slot);
    }

    /// The journal has handed the slot over.
    pub fn opened(&mut self, opened: Opened<'_>, context: &Context<'_>, fx: &mut Fx) {
        let Opened { slot, nonce, epoch, image, events } = opened;
        let Some(entity) = self.entities.get_mut(&slot) else { return };
        if !matches!(entity.phase, Phase::Opening { nonce: asked } if asked == nonce) {
            return;
        }
        entity.epoch = epoch;
        let program = Program { kinds: self.kinds, version: context.version() };
        entity.imaged = image.map_or(Sequence(0), Image::sequence);
        if self.snapshot_every > 0 {
            fx.observe(Observation::Opened { slot, imaged: entity.imaged, replayed: events.len() as u32 });
        }
        match Slot::behind(image, events, program, &self.rules) {
            Some(read) => (entity.slot, entity.phase) = (read, Phase::Idle),
            None => {
                entity.phase = Phase::Unread;
                entity.queue.drain(..).for_each(|question| question.answer(Answer::Unavailable, fx));
                self.busy.remove(&slot);
            }
        }
    }

    /// The journal has taken the append: its answers may be given.
    pub fn appended(&mut self, done: Appended, fx: &mut Fx) {
        let Some(entity) = self.entities.get_mut(&done.slot) else { return };
        let Phase::Appending(batch) = &entity.phase else { return };
        if !batch.is_acknowledged_by(done, &self.rules) || entity.epoch != done.epoch {
            return;
        }
        if let Phase::Appending(batch) = core::mem::replace(&mut entity.phase, Phase::Idle)
            && self.rules.journal_before_answer.is_taken()
        {
            batch.answer(fx);
        }
        if entity.is_image_due(self.snapshot_every) {
            entity.imaged = entity.slot.sequence();
            let image = Arc::new(entity.slot.image(&self.rules));
            let (slot, epoch) = (done.slot, done.epoch);
            fx.send(self.logs.current(), Message::Snapshot { slot, epoch, image });
        }
    }

    /// The journal has refused: another node owns the slot.
    pub fn refused(&mut self, slot: SlotId, epoch: Epoch, fx: &mut Fx) {
        if self.entities.get(&slot).is_some_and(|entity| entity.epoch == epoch) {
            self.drop_slot(slot, fx);
        }
    }

    /// Gives up every slot that `keeps` does not name.
    pub fn retain(&mut self, keeps: impl Fn(SlotId) -> bool, fx: &mut Fx) {
        let dropped: Vec<_> = self.entities.keys().copied().filter(|slot| !keeps(*slot)).collect();
        for slot in dropped {
            self.drop_slot(slot, fx);
        }
    }

    /// Decides whatever can be decided now.
    pub fn pump(&mut self, limits: &mut impl Limits, context: &Context<'_>, fx: &mut Fx) {
        let slots: Vec<_> = self.busy.iter().copied().collect();
        for slot in slots {
            self.pump_slot(slot, limits, context, fx);
        }
    }

    /// Decides whatever can be decided of one slot now.
    pub fn pump_slot(&mut self, slot: SlotId, limits: &mut impl Limits, context: &Context<'_>, fx: &mut Fx) {
        let Some(entity) = self.entities.get_mut(&slot) else { return };
        if !matches!(entity.phase, Phase::Idle) {
            return;
        }
        let ground = |version, fx: &mut Fx| limits.ground(version, context, fx);
        let batch = Batch::decide(&mut entity.slot, &mut entity.queue, ground, &self.rules, fx);
        let batch = Batch { number: entity.number, ..batch };
        entity.number = entity.number.next();
        if batch.answers.is_empty() {
            if entity.queue.is_empty() {
                self.busy.remove(&slot);
            }
            return;
        }
        if !self.rules.journal_before_answer.is_taken() {
            batch.answer(fx);
        }
        entity.phase = Phase::Appending(batch);
        entity.tries = 0;
        send(slot, entity, self.logs.current(), context, fx);
    }

    /// Answers what waits for a journal that this node cannot hope to reach, from memory: the minority goes on.
    pub fn go_on_from_memory(&mut self, fx: &mut Fx) {
        for entity in self.entities.values_mut() {
            if let Phase::Appending(batch) = &mut entity.phase {
                for (question, answer) in batch.answers.drain(..) {
                    question.answer(answer, fx);
                }
            }
        }
    }

    /// Asks the journal again where it has been silent for long.
    pub fn tick(&mut self, context: &Context<'_>, fx: &mut Fx) {
        let slots: Vec<_> = self.busy.iter().copied().collect();
        for slot in slots {
            let Some(entity) = self.entities.get_mut(&slot) else { continue };
            let is_silent = context.monotonic().since(entity.sent_at) >= RESEND_EVERY;
            if matches!(entity.phase, Phase::Idle | Phase::Unread) || !is_silent {
                continue;
            }
            self.logs.give_up(entity.sent_at, context.monotonic());
            entity.tries += 1;
            if entity.tries > TRIES_MAX {
                self.drop_slot(slot, fx);
            } else {
                send(slot, entity, self.logs.current(), context, fx);
            }
        }
    }

    /// Forgets the slot. Questions that were never decided are sent back; decided ones stay unanswered, because
    /// nobody here knows whether the journal has them.
    fn drop_slot(&mut self, slot: SlotId, fx: &mut Fx) {
        self.busy.remove(&slot);
        let Some(entity) = self.entities.remove(&slot) else { return };
        for question in entity.queue {
            question.answer(Answer::Unavailable, fx);
        }
    }
}

fn send(slot: SlotId, entity: &mut Entity, log: NodeId, context: &Context<'_>, fx: &mut Fx) {
    entity.sent_at = context.monotonic();
    match &entity.phase {
        Phase::Opening { nonce } => {
            fx.send(log, Message::Open { slot, nonce: *nonce, form: context.version() });
        }
        Phase::Appending(batch) => batch.send(log, slot, entity.epoch, fx),
        Phase::Idle | Phase::Unread => {}
    }
}
