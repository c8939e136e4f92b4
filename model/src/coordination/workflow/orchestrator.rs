//! The orchestrator of workflows: its log says how far each is, and what to do next follows from that alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::Span;

use super::{Answer, Call, Direction, Fx, Message, Outcome, Record, Rules, STEPS, State, StepKey, Transfer};
use crate::client::{Ask, Reply};
use crate::disk_log::{Begin, DiskLog};
use crate::ids::RequestKey;

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// This step.
    Step(u32, Direction),
    /// Nothing.
    Ended(State),
}

#[derive(Clone, Copy, Debug)]
struct Workflow {
    transfer: Transfer,
    next: Next,
    /// How often the step was asked for again.
    retries: u32,
    /// Whether all that is known of it is durable: before that no step may be asked for, or a crash would forget who did.
    is_settled: bool,
}

impl Workflow {
    const fn begun(transfer: Transfer) -> Self {
        Self { transfer, next: Next::Step(0, Direction::Forward), retries: 0, is_settled: false }
    }

    /// What comes of it when that comes of its step: the whole of a saga. A step that was refused has done nothing, so the
    /// one before it is the first to be taken back.
    fn stepped(&mut self, step: u32, direction: Direction, outcome: Outcome) {
        let back = |from: u32| match from.checked_sub(1) {
            Some(before) => Next::Step(before, Direction::Back),
            None => Next::Ended(State::Compensated),
        };
        self.next = match (direction, outcome) {
            (Direction::Forward, Outcome::Done) if step + 1 == STEPS => Next::Ended(State::Completed),
            (Direction::Forward, Outcome::Done) => Next::Step(step + 1, Direction::Forward),
            (Direction::Forward, Outcome::Refused) | (Direction::Back, Outcome::Done) => back(step),
            (Direction::Back, Outcome::Refused) => unreachable!("taking back is never refused"),
        };
        self.retries = 0;
        self.is_settled = false;
    }
}

/// What waits for the disk.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    workflow: RequestKey,
    /// How far it then is.
    state: State,
    /// Who has asked for it, if somebody waits for the answer.
    client: Option<NodeId>,
}

/// The orchestrator node. It uses the timers 0 and 1.
#[derive(Clone, Debug)]
pub struct Orchestrator {
    rules: Rules,
    keepers: Arc<[NodeId]>,
    account_count: u32,
    retry_every: Span,
    workflows: BTreeMap<RequestKey, Workflow>,
    /// How far each workflow is by what is durable: what clients are shown.
    shown: BTreeMap<RequestKey, State>,
    /// Those that have not ended.
    open: BTreeSet<RequestKey>,
    log: DiskLog<Record, Waiting>,
}

const TICK: TimerKey = TimerKey(0);
const DISK: TimerKey = TimerKey(1);
/// Workflows that are remembered; more are refused.
const WORKFLOWS_MAX: usize = 100_000;
/// After so many retries, who does not wait takes a step for done.
const RETRIES_MAX: u32 = 3;

impl Orchestrator {
    /// An orchestrator that has begun nothing.
    #[must_use]
    pub const fn new(rules: Rules, keepers: Arc<[NodeId]>, account_count: u32, retry_every: Span) -> Self {
        Self {
            rules,
            keepers,
            account_count,
            retry_every,
            workflows: BTreeMap::new(),
            shown: BTreeMap::new(),
            open: BTreeSet::new(),
            log: DiskLog::new(DISK),
        }
    }

    /// Begins by replaying its log, and goes on where it ends.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        if self.log.start(disk, context, fx) == Begin::Never {
            return;
        }
        for record in self.log.records().to_vec() {
            self.replay(record);
        }
        for workflow in self.workflows.keys().copied().collect::<Vec<_>>() {
            self.go_on_when_durable(workflow, None, fx);
        }
        fx.set_timer(TICK, self.retry_every);
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: &Message, fx: &mut Fx) {
        match message {
            Message::Ask(ask) => self.ask(from, ask, fx),
            Message::Applied { key, outcome } => self.stepped(*key, *outcome, fx),
            Message::Answer(_) | Message::Apply { .. } => {}
        }
    }

    /// A timer ran out: steps are asked for again.
    pub fn timer(&mut self, key: TimerKey, fx: &mut Fx) {
        if key == DISK {
            return self.log.timer(fx);
        }
        fx.set_timer(TICK, self.retry_every);
        for workflow in self.open.clone() {
            let progress = self.workflows.get_mut(&workflow).expect("what is open is remembered");
            if !progress.is_settled {
                continue;
            }
            progress.retries = progress.retries.saturating_add(1);
            let Workflow { next: Next::Step(step, direction), retries, .. } = *progress else { continue };
            if retries > RETRIES_MAX && !self.rules.waits_for_steps.is_taken() {
                self.stepped(StepKey { workflow, step, direction }, Outcome::Done, fx);
            } else {
                self.apply(workflow, fx);
            }
        }
    }

    /// A sync is done.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        for waiting in self.log.synced(token, fx) {
            self.go_on(waiting, fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        self.log.sync_failed(token, fx);
    }

    fn ask(&mut self, client: NodeId, ask: &Ask<Call>, fx: &mut Fx) {
        let request = ask.request;
        match ask.call {
            Call::Status { workflow } => {
                let answer =
                    self.shown.get(&workflow).map_or(Answer::NotFound, |state| Answer::Known(*state));
                reply(client, request, answer, fx);
            }
            Call::Transfer(transfer) => self.begin(client, request, transfer, fx),
        }
    }

    fn begin(&mut self, client: NodeId, workflow: RequestKey, transfer: Transfer, fx: &mut Fx) {
        let Transfer { from, to, amount } = transfer;
        let is_valid = from.max(to) < self.account_count && from != to && amount > 0;
        if !is_valid {
            return reply(client, workflow, Answer::Invalid, fx);
        }
        if !self.workflows.contains_key(&workflow) {
            if self.workflows.len() == WORKFLOWS_MAX {
                return reply(client, workflow, Answer::Full, fx);
            }
            self.log_event(Record::Begun { workflow, transfer }, fx);
        }
        self.go_on_when_durable(workflow, Some(client), fx);
    }

    /// Something came of a step: the expected one, or an older one that was asked for twice.
    fn stepped(&mut self, key: StepKey, outcome: Outcome, fx: &mut Fx) {
        let next = self.workflows.get(&key.workflow).map(|workflow| workflow.next);
        if next == Some(Next::Step(key.step, key.direction)) {
            self.log_event(Record::Stepped { key, outcome }, fx);
            self.go_on_when_durable(key.workflow, None, fx);
        }
    }

    /// Every change goes through here, as it does in a replay.
    fn log_event(&mut self, event: Record, fx: &mut Fx) {
        if self.rules.progress_logged.is_taken() {
            self.log.append(event, fx);
        }
        self.replay(event);
    }

    fn replay(&mut self, event: Record) {
        match event {
            Record::Begun { workflow, transfer } => {
                self.workflows.insert(workflow, Workflow::begun(transfer));
                self.open.insert(workflow);
            }
            Record::Stepped { key, outcome } => {
                let Some(workflow) = self.workflows.get_mut(&key.workflow) else { return };
                workflow.stepped(key.step, key.direction, outcome);
                if let Next::Ended(_) = workflow.next {
                    self.open.remove(&key.workflow);
                }
            }
            Record::Applied(_) | Record::Format(_) => {}
        }
    }

    fn go_on_when_durable(&mut self, workflow: RequestKey, client: Option<NodeId>, fx: &mut Fx) {
        let state = match self.workflows[&workflow].next {
            Next::Step(..) => State::InProgress,
            Next::Ended(state) => state,
        };
        if let Some(waiting) = self.log.hold(Waiting { workflow, state, client }) {
            self.go_on(waiting, fx);
        }
    }

    /// What was logged is durable: it can be shown, and the next step asked for.
    fn go_on(&mut self, waiting: Waiting, fx: &mut Fx) {
        let Waiting { workflow, state, client } = waiting;
        self.shown.insert(workflow, state);
        self.workflows.get_mut(&workflow).expect("it waited for its log").is_settled = true;
        if let Some(client) = client {
            reply(client, workflow, Answer::Known(state), fx);
        }
        self.apply(workflow, fx);
    }

    fn apply(&self, workflow: RequestKey, fx: &mut Fx) {
        let Workflow { transfer, next, .. } = self.workflows[&workflow];
        let Next::Step(step, direction) = next else { return };
        let (account, change) = transfer.step(step);
        let amount = match direction {
            Direction::Forward => change,
            Direction::Back => -change,
        };
        let keeper = self.keepers[account as usize % self.keepers.len()];
        fx.send(keeper, Message::Apply { key: StepKey { workflow, step, direction }, account, amount });
    }
}

fn reply(client: NodeId, request: RequestKey, answer: Answer, fx: &mut Fx) {
    fx.send(client, Message::Answer(Reply { request, answer }));
}
