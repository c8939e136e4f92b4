//! A holder of a leased lock: takes it, writes under it as long as it believes to hold it, lets it go.

use std::collections::VecDeque;
use std::sync::Arc;

use sim::node::{Context, NodeId, TimerKey};
use sim::time::MonotonicTime;

use super::{Ending, Fx, Message, Observation, Rules, Shape, Task};
use crate::client::Operation;
use crate::coordination::fenced::{Fate, FencedReply, FencedWrite};
use crate::ids::RequestKey;

/// What a holder's clock shows, in ns: of the clock that it counts its leases by.
type ReadingNs = i64;

/// How far a task is.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The lock was asked for, first at that reading.
    Acquiring { asked: ReadingNs },
    /// It is held under `token`, until that reading.
    Working { token: u64, until: ReadingNs, written: u32 },
}

#[derive(Clone, Copy, Debug)]
struct Running {
    request: RequestKey,
    task: Task,
    began: MonotonicTime,
    stage: Stage,
}

/// The holder node: one task at a time. It uses timer 0.
#[derive(Clone, Debug)]
pub struct Holder {
    rules: Rules,
    server: NodeId,
    resources: Arc<[NodeId]>,
    shape: Shape,
    queue: VecDeque<(RequestKey, Task)>,
    running: Option<Running>,
}

const TIMER: TimerKey = TimerKey(0);
/// Tasks that may wait; more are refused.
const TASKS_MAX: usize = 64;

impl Holder {
    /// An idle holder.
    #[must_use]
    pub const fn new(rules: Rules, server: NodeId, resources: Arc<[NodeId]>, shape: Shape) -> Self {
        Self { rules, server, resources, shape, queue: VecDeque::new(), running: None }
    }

    /// The workload asks.
    pub fn request(&mut self, task: Task, context: &mut Context<'_>, fx: &mut Fx) {
        // Drawn, not counted: a holder that begins again must not take an old grant for its own.
        let request = RequestKey(context.chance().next_u64());
        fx.observe(Operation::Invoked { process: 0, request, call: task });
        if self.queue.len() == TASKS_MAX {
            return returned(request, Some((context.id(), Ending::Busy)), fx);
        }
        self.queue.push_back((request, task));
        if self.running.is_none() {
            self.next_task(context, fx);
        }
    }

    /// Reacts to a message.
    pub fn message(&mut self, message: &Message, context: &Context<'_>, fx: &mut Fx) {
        let Some(running) = self.running else { return };
        match *message {
            Message::Granted { request, token } if request == running.request => {
                self.granted(running, token, context, fx);
            }
            Message::Held { request } if request == running.request => {
                fx.set_timer(TIMER, self.shape.patience.backoff);
            }
            Message::NoSuchLock { request } if request == running.request => {
                self.end(Some(Ending::NoSuchLock), context, fx);
            }
            Message::Wrote(reply) => self.wrote(running, reply, context, fx),
            Message::Granted { .. }
            | Message::Held { .. }
            | Message::NoSuchLock { .. }
            | Message::Acquire { .. }
            | Message::Release { .. }
            | Message::Write(_) => {}
        }
    }

    /// The timer ran out: ask again, or write next.
    pub fn timer(&mut self, context: &Context<'_>, fx: &mut Fx) {
        let Some(running) = self.running else { return };
        match running.stage {
            Stage::Acquiring { .. } => {
                if context.monotonic().since(running.began) < self.shape.patience.deadline {
                    self.ask(running, fx);
                } else {
                    self.end(None, context, fx);
                }
            }
            Stage::Working { .. } => self.work(running, context, fx),
        }
    }

    fn next_task(&mut self, context: &Context<'_>, fx: &mut Fx) {
        let Some((request, task)) = self.queue.pop_front() else { return };
        let stage = Stage::Acquiring { asked: self.reading(context) };
        let running = Running { request, task, began: context.monotonic(), stage };
        self.running = Some(running);
        self.ask(running, fx);
    }

    fn ask(&self, running: Running, fx: &mut Fx) {
        fx.send(self.server, Message::Acquire { request: running.request, lock: running.task.lock });
        fx.set_timer(TIMER, self.shape.patience.timeout);
    }

    /// A grant answers the first question or a later one: the lease began when the server got one of them.
    fn granted(&mut self, running: Running, token: u64, context: &Context<'_>, fx: &mut Fx) {
        let Stage::Acquiring { asked } = running.stage else { return };
        let from = if self.rules.lease_from_asking.is_taken() { asked } else { self.reading(context) };
        let until = from.saturating_add(self.shape.lease.as_signed_ns());
        fx.observe(Observation::Entered { lock: running.task.lock, token });
        self.work(Running { stage: Stage::Working { token, until, written: 0 }, ..running }, context, fx);
    }

    /// Checks the lease, then writes. The pause that makes this wrong falls in between.
    fn work(&mut self, running: Running, context: &Context<'_>, fx: &mut Fx) {
        let Stage::Working { token, until, written } = running.stage else { return };
        let Task { lock, writes } = running.task;
        self.running = Some(running);
        if written == writes {
            self.end(Some(Ending::Done), context, fx);
        } else if self.reading(context) >= until {
            self.end(Some(Ending::Lost { writes: written }), context, fx);
        } else {
            let resource = self.resources[lock as usize % self.resources.len()];
            fx.send(resource, Message::Write(FencedWrite { lock, token, number: written + 1 }));
            fx.set_timer(TIMER, self.shape.patience.timeout);
        }
    }

    fn wrote(&mut self, running: Running, reply: FencedReply, context: &Context<'_>, fx: &mut Fx) {
        let Stage::Working { token, until, written } = running.stage else { return };
        let expected = FencedWrite { lock: running.task.lock, token, number: written + 1 };
        if reply.write != expected {
            return;
        }
        match reply.fate {
            Fate::Fenced => self.end(Some(Ending::Lost { writes: written }), context, fx),
            Fate::Written => {
                let stage = Stage::Working { token, until, written: written + 1 };
                self.running = Some(Running { stage, ..running });
                fx.set_timer(TIMER, self.shape.write_every);
            }
        }
    }

    fn end(&mut self, ending: Option<Ending>, context: &Context<'_>, fx: &mut Fx) {
        let Some(running) = self.running.take() else { return };
        fx.cancel_timer(TIMER);
        if let Stage::Working { token, .. } = running.stage {
            let lock = running.task.lock;
            fx.observe(Observation::Left { lock, token });
            fx.send(self.server, Message::Release { lock, token });
        }
        returned(running.request, ending.map(|ending| (context.id(), ending)), fx);
        self.next_task(context, fx);
    }

    fn reading(&self, context: &Context<'_>) -> ReadingNs {
        if self.rules.monotonic_lease.is_taken() {
            i64::try_from(context.monotonic().as_ns()).expect("a process runs for less than 292 years")
        } else {
            context.wall().as_ns()
        }
    }
}

fn returned(request: RequestKey, answer: Option<(NodeId, Ending)>, fx: &mut Fx) {
    fx.observe(Operation::<Task>::Returned { process: 0, request, answer });
}
