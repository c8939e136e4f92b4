//! A client that sticks to one node, times out, asks again with the same request key, and moves on.
//!
//! ```text
//!   request ─► idle session ─► ask ─┬─► answer: done
//!                                   ├─► unavailable: pause, ask the next node
//!                                   ├─► silence: ask again, the second time the next node
//!                                   └─► deadline: unknown; the session goes on as a new process
//! ```
//!
//! One operation is one entry of the history, however often it is asked. Each session has one operation open at a
//! time, so it is one process of the history until an outcome is unknown.

use std::sync::Arc;

use sim::node::{Context, NodeId, TimerKey};
use sim::time::{MonotonicTime, Span};

use crate::capacity::Fx;
use crate::ids::RequestKey;
use crate::message::{Answer, Call, Message, Observation, Request};

/// How patient a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long it waits for one answer.
    pub timeout: Span,
    /// How long it waits before it asks again after an `Unavailable`.
    pub backoff: Span,
    /// How long it tries in all.
    pub deadline: Span,
}

/// Operations that a client may have open at once.
pub const SESSIONS_MAX: usize = 256;

/// One operation on its way.
#[derive(Clone, Copy, Debug)]
struct Open {
    request: RequestKey,
    call: Call,
    began: MonotonicTime,
    timeouts: u32,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    process: u32,
    open: Option<Open>,
}

/// The client node.
#[derive(Clone, Debug)]
pub struct Client {
    services: Arc<[NodeId]>,
    patience: Patience,
    /// Index of the node it sticks to.
    current: usize,
    sessions: Vec<Session>,
    processes: u32,
    requests: u32,
}

impl Client {
    /// A client of `services` that begins with the one at `first`.
    #[must_use]
    pub fn new(services: Arc<[NodeId]>, first: usize, patience: Patience) -> Self {
        let current = first % services.len();
        Self { services, patience, current, sessions: Vec::new(), processes: 0, requests: 0 }
    }

    /// The workload asks.
    ///
    /// # Panics
    /// If more than [`SESSIONS_MAX`] operations would be open at once: the workload is too dense for its deadline.
    pub fn request(&mut self, request: &Request, context: &Context<'_>, fx: &mut Fx) {
        let Request::Operation(call) = request else { return };
        let index = self.idle_session();
        let request = RequestKey::of(context.id(), self.requests);
        self.requests += 1;
        let process = self.sessions[index].process;
        self.sessions[index].open =
            Some(Open { request, call: *call, began: context.monotonic(), timeouts: 0 });
        fx.observe(Observation::Invoked { process, request, call: *call });
        self.ask(index, fx);
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: &Message, context: &Context<'_>, fx: &mut Fx) {
        let Message::Answer { request, answer } = message else { return };
        let is_open = |session: &Session| session.open.is_some_and(|open| open.request == *request);
        let Some(index) = self.sessions.iter().position(is_open) else { return };
        if *answer == Answer::Unavailable {
            self.try_elsewhere(index, context, fx);
        } else {
            fx.observe(Observation::AnsweredBy { request: *request, server: from });
            self.end(index, Some(*answer), fx);
        }
    }

    /// A session's timer ran out.
    pub fn timer(&mut self, key: TimerKey, context: &Context<'_>, fx: &mut Fx) {
        let index = key.0 as usize;
        let Some(open) = &mut self.sessions[index].open else { return };
        open.timeouts += 1;
        let has_asked_twice = open.timeouts.is_multiple_of(2);
        if context.monotonic().since(open.began) >= self.patience.deadline {
            self.end(index, None, fx);
            return;
        }
        if has_asked_twice {
            self.move_on();
        }
        self.ask(index, fx);
    }

    fn idle_session(&mut self) -> usize {
        if let Some(index) = self.sessions.iter().position(|session| session.open.is_none()) {
            return index;
        }
        assert!(self.sessions.len() < SESSIONS_MAX, "a client has at most {SESSIONS_MAX} operations open");
        self.sessions.push(Session { process: self.processes, open: None });
        self.processes += 1;
        self.sessions.len() - 1
    }

    fn ask(&self, index: usize, fx: &mut Fx) {
        let Some(open) = self.sessions[index].open else { return };
        fx.send(self.services[self.current], Message::Ask { request: open.request, call: open.call });
        fx.set_timer(timer_of(index), self.patience.timeout);
    }

    fn try_elsewhere(&mut self, index: usize, context: &Context<'_>, fx: &mut Fx) {
        let Some(open) = self.sessions[index].open else { return };
        if context.monotonic().since(open.began) >= self.patience.deadline {
            self.end(index, None, fx);
        } else {
            self.move_on();
            fx.set_timer(timer_of(index), self.patience.backoff);
        }
    }

    fn move_on(&mut self) {
        self.current = (self.current + 1) % self.services.len();
    }

    fn end(&mut self, index: usize, answer: Option<Answer>, fx: &mut Fx) {
        let session = &mut self.sessions[index];
        let Some(open) = session.open.take() else { return };
        fx.cancel_timer(timer_of(index));
        fx.observe(Observation::Returned { process: session.process, request: open.request, answer });
        if answer.is_none() {
            session.process = self.processes;
            self.processes += 1;
        }
    }
}

fn timer_of(session: usize) -> TimerKey {
    TimerKey(u32::try_from(session).expect("at most SESSIONS_MAX sessions"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SlotId;
    use crate::probe::{Done, Probe};

    const TIMER: TimerKey = TimerKey(0);
    const PATIENCE: Patience =
        Patience { timeout: Span::from_ms(100), backoff: Span::from_ms(10), deadline: Span::from_ms(250) };

    fn asked() -> (Client, Probe, RequestKey) {
        let services: Arc<[NodeId]> = Arc::new([NodeId(3), NodeId(4)]);
        let (mut client, mut probe) = (Client::new(services, 0, PATIENCE), Probe::new(Span::ZERO));
        let request = Request::Operation(Call::Use { slot: SlotId(0) });
        probe.ask(|context, fx| client.request(&request, context, fx));
        assert_eq!(targets(&probe.done()), [NodeId(3)]);
        (client, probe, RequestKey::of(NodeId(9), 0))
    }

    fn targets(done: &Done) -> Vec<NodeId> {
        done.sent.iter().map(|(to, _)| *to).collect()
    }

    fn time_out(client: &mut Client, probe: &mut Probe) -> Done {
        probe.wait(PATIENCE.timeout).ask(|context, fx| client.timer(TIMER, context, fx));
        probe.done()
    }

    fn answer(client: &mut Client, probe: &mut Probe, request: RequestKey, answer: Answer) -> Done {
        let message = Message::Answer { request, answer };
        probe.ask(|context, fx| client.message(NodeId(4), &message, context, fx));
        probe.done()
    }

    #[test]
    fn silence_is_asked_about_once_more_and_then_elsewhere_with_the_same_key() {
        let (mut client, mut probe, request) = asked();
        let again = time_out(&mut client, &mut probe);
        assert_eq!(targets(&again), [NodeId(3)]);
        let elsewhere = time_out(&mut client, &mut probe);
        assert_eq!(targets(&elsewhere), [NodeId(4)]);
        for (_, message) in again.sent.iter().chain(&elsewhere.sent) {
            assert!(matches!(message, Message::Ask { request: key, .. } if *key == request), "{message:?}");
        }
    }

    #[test]
    fn after_the_deadline_the_outcome_is_unknown_and_the_session_a_new_process() {
        let (mut client, mut probe, _) = asked();
        time_out(&mut client, &mut probe);
        time_out(&mut client, &mut probe);
        let done = time_out(&mut client, &mut probe);
        let [Observation::Returned { process: 0, answer: None, .. }] = done.observed[..] else {
            panic!("expected an unknown outcome, found {:?}", done.observed);
        };
        let request = Request::Operation(Call::Overview);
        probe.ask(|context, fx| client.request(&request, context, fx));
        let done = probe.done();
        assert!(
            matches!(done.observed[..], [Observation::Invoked { process: 1, .. }]),
            "{:?}",
            done.observed
        );
    }

    #[test]
    fn the_first_answer_counts_and_later_ones_are_ignored() {
        let (mut client, mut probe, request) = asked();
        assert_eq!(answer(&mut client, &mut probe, request, Answer::Released).observed.len(), 2);
        assert!(answer(&mut client, &mut probe, request, Answer::NotHeld).observed.is_empty());
    }
}
