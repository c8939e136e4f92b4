//! A client that sticks to one node, times out, asks again with the same request key, and moves on.
//!
//! ```text
//!   request ─► idle session ─► ask ─┬─► answer: done
//!                                   ├─► not now: pause, ask the next node
//!                                   ├─► silence: ask again, the second time the next node
//!                                   └─► deadline: unknown; the session goes on as a new process
//! ```
//!
//! One operation is one entry of the history, however often it is asked. Each session has one operation open at a
//! time, so it is one process of the history until an outcome is unknown.

use core::fmt::Debug;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::node::{Context, Effects, Input, InputOf, Node, NodeId, TimerKey};
use sim::time::{MonotonicTime, Span};

use crate::ids::RequestKey;

/// What clients ask of a system.
pub trait Question: Clone + Debug + Send {
    /// What they may be told.
    type Answer: Clone + Debug + Send;
    /// What a session carries from one answer to its next question, such as the offset it has seen.
    type Mark: Clone + Debug + Default + Send;

    /// Whether the answer ends the operation. One that does not says *not now*: nothing was done, ask another node.
    fn is_settled_by(&self, answer: &Self::Answer) -> bool;

    /// Whether the answer ends an operation that was asked only once. A refusal may be an end there that is none later,
    /// when an earlier question may have been heard.
    fn is_settled_at_once_by(&self, answer: &Self::Answer) -> bool {
        self.is_settled_by(answer)
    }

    /// What the session carries on after this answer.
    fn remember(&self, answer: &Self::Answer, mark: &mut Self::Mark) {
        let _ = (answer, mark);
    }
}

/// A client asks its node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "Q: Serialize, Q::Mark: Serialize",
    deserialize = "Q: Deserialize<'de>, Q::Mark: Deserialize<'de>"
))]
pub struct Ask<Q: Question> {
    /// Which operation: the same however often it is asked.
    pub request: RequestKey,
    /// What is asked.
    pub call: Q,
    /// What the session has seen.
    pub mark: Q::Mark,
}

/// A node answers a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply<A> {
    /// Which operation.
    pub request: RequestKey,
    /// What is answered.
    pub answer: A,
}

/// What a client shows to the recorder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "Q: Serialize, Q::Answer: Serialize",
    deserialize = "Q: Deserialize<'de>, Q::Answer: Deserialize<'de>"
))]
pub enum Operation<Q: Question> {
    /// It begins an operation, as this process of its own.
    Invoked {
        /// Which of its processes.
        process: u32,
        /// Which operation.
        request: RequestKey,
        /// What is asked.
        call: Q,
    },
    /// The operation has ended.
    Returned {
        /// Which of its processes.
        process: u32,
        /// Which operation.
        request: RequestKey,
        /// Who answered, and what; none if nobody did in time: the outcome is unknown.
        answer: Option<(NodeId, Q::Answer)>,
    },
}

impl<Q: Question> Operation<Q> {
    /// Which operation it is.
    pub const fn request(&self) -> RequestKey {
        match self {
            Self::Invoked { request, .. } | Self::Returned { request, .. } => *request,
        }
    }
}

/// How patient a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long it waits for one answer.
    pub timeout: Span,
    /// How long it waits before it asks again after a *not now*.
    pub backoff: Span,
    /// How long it tries in all.
    pub deadline: Span,
}

/// Operations that a client may have open at once.
pub const SESSIONS_MAX: usize = 256;

/// One operation on its way.
#[derive(Clone, Debug)]
struct Open<Q> {
    request: RequestKey,
    call: Q,
    began: MonotonicTime,
    timeouts: u32,
    /// How often it was asked.
    asks: u32,
}

#[derive(Clone, Debug)]
struct Session<Q: Question> {
    process: u32,
    mark: Q::Mark,
    open: Option<Open<Q>>,
}

/// The client node. It uses the timers 0 to [`SESSIONS_MAX`].
#[derive(Clone, Debug)]
pub struct Client<Q: Question> {
    services: Arc<[NodeId]>,
    patience: Patience,
    /// Index of the node it sticks to.
    current: usize,
    sessions: Vec<Session<Q>>,
    processes: u32,
    requests: u32,
}

impl<Q: Question> Client<Q> {
    /// A client of `services` that begins with the one at `first`.
    #[must_use]
    pub fn new(services: Arc<[NodeId]>, first: usize, patience: Patience) -> Self {
        let current = first % services.len();
        Self { services, patience, current, sessions: Vec::new(), processes: 0, requests: 0 }
    }

    /// Reacts to whatever happens to its node; `answered` finds the answer in a message.
    pub fn handle<N: Node>(
        &mut self,
        input: InputOf<N>,
        answered: impl FnOnce(N::Message) -> Option<Reply<Q::Answer>>,
        context: &Context<'_>,
        fx: &mut Effects<N>,
    ) where
        N::Request: Into<Option<Q>>,
        N::Message: From<Ask<Q>>,
        N::Observation: From<Operation<Q>>,
    {
        match input {
            Input::Request(request) => {
                if let Some(call) = request.into() {
                    self.request(call, context, fx);
                }
            }
            Input::Message { from, message } => {
                if let Some(reply) = answered(message) {
                    self.reply(from, reply, context, fx);
                }
            }
            Input::Timer(key) => self.timer(key, context, fx),
            Input::Start { .. } | Input::Synced(_) | Input::SyncFailed(_) | Input::Stop => {}
        }
    }

    /// The workload asks. What would be more than [`SESSIONS_MAX`] operations open at once is not asked of anybody: a client
    /// that was paused for long finds many requests, and goes on without some.
    pub fn request<N: Node>(&mut self, call: Q, context: &Context<'_>, fx: &mut Effects<N>)
    where
        N::Message: From<Ask<Q>>,
        N::Observation: From<Operation<Q>>,
    {
        let Some(index) = self.idle_session() else { return };
        let request = RequestKey::of(context.id(), self.requests);
        self.requests += 1;
        let process = self.sessions[index].process;
        self.sessions[index].open =
            Some(Open { request, call: call.clone(), began: context.monotonic(), timeouts: 0, asks: 0 });
        fx.observe(Operation::Invoked { process, request, call });
        self.ask(index, fx);
    }

    /// A node has answered.
    pub fn reply<N: Node>(
        &mut self,
        from: NodeId,
        reply: Reply<Q::Answer>,
        context: &Context<'_>,
        fx: &mut Effects<N>,
    ) where
        N::Observation: From<Operation<Q>>,
    {
        let is_open =
            |session: &Session<Q>| session.open.as_ref().is_some_and(|open| open.request == reply.request);
        let Some(index) = self.sessions.iter().position(is_open) else { return };
        let Session { open: Some(open), mark, .. } = &mut self.sessions[index] else { return };
        let is_settled = match open.asks {
            1 => open.call.is_settled_at_once_by(&reply.answer),
            _ => open.call.is_settled_by(&reply.answer),
        };
        if is_settled {
            open.call.remember(&reply.answer, mark);
            self.end(index, Some((from, reply.answer)), fx);
        } else {
            self.try_elsewhere(index, context, fx);
        }
    }

    /// A session's timer ran out.
    pub fn timer<N: Node>(&mut self, key: TimerKey, context: &Context<'_>, fx: &mut Effects<N>)
    where
        N::Message: From<Ask<Q>>,
        N::Observation: From<Operation<Q>>,
    {
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

    /// An idle session, or a new one; none if there are as many as there may be.
    fn idle_session(&mut self) -> Option<usize> {
        let idle = self.sessions.iter().position(|session| session.open.is_none());
        if idle.is_some() || self.sessions.len() >= SESSIONS_MAX {
            return idle;
        }
        self.sessions.push(Session { process: self.processes, mark: Q::Mark::default(), open: None });
        self.processes += 1;
        Some(self.sessions.len() - 1)
    }

    fn ask<N: Node>(&mut self, index: usize, fx: &mut Effects<N>)
    where
        N::Message: From<Ask<Q>>,
    {
        let Session { open: Some(open), mark, .. } = &mut self.sessions[index] else { return };
        open.asks += 1;
        let ask = Ask { request: open.request, call: open.call.clone(), mark: mark.clone() };
        fx.send(self.services[self.current], ask);
        fx.set_timer(timer_of(index), self.patience.timeout);
    }

    fn try_elsewhere<N: Node>(&mut self, index: usize, context: &Context<'_>, fx: &mut Effects<N>)
    where
        N::Observation: From<Operation<Q>>,
    {
        let Some(open) = &self.sessions[index].open else { return };
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

    fn end<N: Node>(&mut self, index: usize, answer: Option<(NodeId, Q::Answer)>, fx: &mut Effects<N>)
    where
        N::Observation: From<Operation<Q>>,
    {
        let session = &mut self.sessions[index];
        let Some(open) = session.open.take() else { return };
        fx.cancel_timer(timer_of(index));
        let is_unknown = answer.is_none();
        fx.observe(Operation::Returned { process: session.process, request: open.request, answer });
        if is_unknown {
            (session.process, session.mark) = (self.processes, Q::Mark::default());
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
    use crate::capacity::Member;
    use crate::ids::SlotId;
    use crate::message::{Answer, Call, Message, Observation};
    use crate::probe::{Done, Probe};

    const TIMER: TimerKey = TimerKey(0);
    const PATIENCE: Patience =
        Patience { timeout: Span::from_ms(100), backoff: Span::from_ms(10), deadline: Span::from_ms(250) };

    fn asked() -> (Client<Call>, Probe<Member>, RequestKey) {
        let services: Arc<[NodeId]> = Arc::new([NodeId(3), NodeId(4)]);
        let (mut client, mut probe) = (Client::new(services, 0, PATIENCE), Probe::new(Span::ZERO));
        probe.ask(|context, fx| client.request(Call::Use { slot: SlotId(0) }, context, fx));
        assert_eq!(targets(&probe.done()), [NodeId(3)]);
        (client, probe, RequestKey::of(NodeId(9), 0))
    }

    fn targets(done: &Done<Member>) -> Vec<NodeId> {
        done.sent.iter().map(|(to, _)| *to).collect()
    }

    fn time_out(client: &mut Client<Call>, probe: &mut Probe<Member>) -> Done<Member> {
        probe.wait(PATIENCE.timeout).ask(|context, fx| client.timer(TIMER, context, fx));
        probe.done()
    }

    fn answer(
        client: &mut Client<Call>,
        probe: &mut Probe<Member>,
        request: RequestKey,
        answer: Answer,
    ) -> Done<Member> {
        probe.ask(|context, fx| client.reply(NodeId(4), Reply { request, answer }, context, fx));
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
            assert!(matches!(message, Message::Ask(ask) if ask.request == request), "{message:?}");
        }
    }

    #[test]
    fn after_the_deadline_the_outcome_is_unknown_and_the_session_a_new_process() {
        let (mut client, mut probe, _) = asked();
        time_out(&mut client, &mut probe);
        time_out(&mut client, &mut probe);
        let done = time_out(&mut client, &mut probe);
        let [Observation::Operation(Operation::Returned { process: 0, answer: None, .. })] =
            done.observed[..]
        else {
            panic!("expected an unknown outcome, found {:?}", done.observed);
        };
        probe.ask(|context, fx| client.request(Call::Overview, context, fx));
        let done = probe.done();
        assert!(
            matches!(done.observed[..], [Observation::Operation(Operation::Invoked { process: 1, .. })]),
            "{:?}",
            done.observed
        );
    }

    #[test]
    fn more_operations_than_may_be_open_at_once_are_not_asked() {
        let (mut client, mut probe, _) = asked();
        for _ in 0..2 * SESSIONS_MAX {
            probe.ask(|context, fx| client.request(Call::Overview, context, fx));
        }
        assert_eq!(probe.done().sent.len(), SESSIONS_MAX - 1);
    }

    #[test]
    fn the_first_answer_counts_and_later_ones_are_ignored() {
        let (mut client, mut probe, request) = asked();
        assert_eq!(answer(&mut client, &mut probe, request, Answer::Released).observed.len(), 1);
        assert!(answer(&mut client, &mut probe, request, Answer::NotHeld).observed.is_empty());
    }
}
