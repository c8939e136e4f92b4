//! A node that keeps accounts: does a step once, remembers what came of it, and says so once that is durable.

use std::collections::BTreeMap;

use sim::node::{Context, NodeId, SyncToken, TimerKey};

use super::{Applied, Direction, Fx, Message, Observation, Outcome, Record, Rules, StepKey};
use crate::disk_log::{Begin, DiskLog};

/// What waits for the disk.
#[derive(Clone, Copy, Debug)]
enum Waiting {
    /// To be shown and answered.
    Answer { applied: Applied, to: NodeId },
    /// To be shown: what a start has found.
    Found(Applied),
}

/// The account node. It uses timer 0.
#[derive(Clone, Debug)]
pub struct Accounts {
    rules: Rules,
    opening: i64,
    /// Balances of accounts that were changed.
    balances: BTreeMap<u32, i64>,
    /// What came of each step.
    steps: BTreeMap<StepKey, Applied>,
    serials: u64,
    log: DiskLog<Record, Waiting>,
}

/// Steps that are remembered: more are not answered.
const STEPS_MAX: usize = 400_000;

impl Accounts {
    /// A node whose accounts all begin with `opening`, and take twice as much.
    #[must_use]
    pub fn new(rules: Rules, opening: u32) -> Self {
        Self {
            rules,
            opening: opening.into(),
            balances: BTreeMap::new(),
            steps: BTreeMap::new(),
            serials: 0,
            log: DiskLog::new(TimerKey(0)),
        }
    }

    /// Begins with the steps that survived.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        if self.log.start(disk, context, fx) == Begin::Never {
            return;
        }
        for record in self.log.records().to_vec() {
            if let Record::Applied(applied) = record {
                self.remember(applied);
                self.show_when_durable(Waiting::Found(applied), fx);
            }
        }
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: &Message, fx: &mut Fx) {
        match *message {
            Message::Apply { key, account, amount } => {
                if let Some(applied) = self.applied(key, account, amount, fx) {
                    self.show_when_durable(Waiting::Answer { applied, to: from }, fx);
                }
            }
            Message::Ask(_) | Message::Answer(_) | Message::Applied { .. } => {}
        }
    }

    /// A sync is done.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        for waiting in self.log.synced(token, fx) {
            show(waiting, fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        self.log.sync_failed(token, fx);
    }

    /// The timer ran out.
    pub fn timer(&mut self, fx: &mut Fx) {
        self.log.timer(fx);
    }

    /// What came of the step before, or what comes of it now.
    fn applied(&mut self, key: StepKey, account: u32, amount: i64, fx: &mut Fx) -> Option<Applied> {
        let before = self.steps.get(&key).filter(|before| match before.outcome {
            Outcome::Done => self.rules.step_keys.is_taken(),
            Outcome::Refused => self.rules.step_keys.is_taken() && self.rules.refusal_remembered.is_taken(),
        });
        if let Some(before) = before {
            return Some(*before);
        }
        if self.steps.len() == STEPS_MAX {
            return None;
        }
        let balance = self.balances.get(&account).copied().unwrap_or(self.opening) + amount;
        let fits = (0..=2 * self.opening).contains(&balance) || key.direction == Direction::Back;
        let outcome = if fits { Outcome::Done } else { Outcome::Refused };
        let applied = Applied { serial: self.serials, key, account, amount, outcome };
        self.remember(applied);
        self.log.append(Record::Applied(applied), fx);
        Some(applied)
    }

    fn remember(&mut self, applied: Applied) {
        self.serials = applied.serial + 1;
        self.steps.insert(applied.key, applied);
        if applied.outcome == Outcome::Done {
            *self.balances.entry(applied.account).or_insert(self.opening) += applied.amount;
        }
    }

    fn show_when_durable(&mut self, waiting: Waiting, fx: &mut Fx) {
        if let Some(waiting) = self.log.hold(waiting) {
            show(waiting, fx);
        }
    }
}

fn show(waiting: Waiting, fx: &mut Fx) {
    match waiting {
        Waiting::Answer { applied, to } => {
            fx.observe(Observation::Applied(applied));
            fx.send(to, Message::Applied { key: applied.key, outcome: applied.outcome });
        }
        Waiting::Found(applied) => fx.observe(Observation::Applied(applied)),
    }
}
