//! How a node comes to its inputs: at once, after those before them, or not at all.
//!
//! ```text
//!   arrive ──► open? ──► take ──────────────────────────────────────► apply
//!                │        │  service time, pause midway ──► held ──► release
//!                └► inbox ┘  ◄── proceed, when a service or a pause ends
//! ```

use crate::event::{Event, Incarnation, PendingSync};
use crate::host::{Held, Waiting, message_name};
use crate::kernel::World;
use crate::limits::{INBOX_MAX, RUN_NS_MAX};
use crate::network::LossCause;
use crate::node::{Context, Effects, Input, InputOf, Node, NodeId, TimerKey};
use crate::queue::Sequence;
use crate::time::Span;
use crate::trace::{EventKind, Line};
use crate::windows::FaultIndex;

/// What an input is in a trace.
#[inline]
fn line_of<N: Node>(node: NodeId, input: &InputOf<N>) -> Line<'static> {
    match input {
        Input::Start { disk } => Line::plain(EventKind::Start, node, disk.len() as u64),
        Input::Message { from, message } => {
            Line::message(EventKind::Message, node, *from, message_name::<N>(message))
        }
        Input::Timer(key) => Line::plain(EventKind::Timer, node, u64::from(key.0)),
        Input::Synced(token) => Line::plain(EventKind::Synced, node, token.0),
        Input::SyncFailed(token) => Line::plain(EventKind::SyncFailed, node, token.0),
        Input::Request(_) => Line::plain(EventKind::Request, node, 0),
        Input::Stop => Line::plain(EventKind::Stop, node, 0),
    }
}

impl<N: Node> World<N> {
    /// An input reaches a node.
    #[inline]
    pub(crate) fn arrive(&mut self, node: NodeId, input: InputOf<N>) -> EventKind {
        if self.hosts[node.index()].is_open() {
            return self.take(node, input);
        }
        self.arrive_at_closed(node, Waiting::Input(input))
    }

    /// A timer runs out.
    #[inline]
    pub(crate) fn timer_runs_out(&mut self, node: NodeId, key: TimerKey, sequence: Sequence) -> EventKind {
        let host = &mut self.hosts[node.index()];
        if host.is_open() {
            return self.take(node, Input::Timer(key));
        }
        host.timers.wait(key, sequence);
        self.arrive_at_closed(node, Waiting::Timer(key, sequence))
    }

    /// A sync ends, unless its node died meanwhile or its disk stalls.
    pub(crate) fn sync_end(&mut self, node: NodeId, sync: PendingSync) -> Option<EventKind> {
        let host = &mut self.hosts[node.index()];
        if sync.incarnation != host.incarnation {
            return None;
        }
        if let Some((fault, ())) = host.drive.stalls.last() {
            self.ledger.affect(fault, 1);
            host.drive.stalled.push(sync);
            let line = Line { name: "a sync", ..Line::plain(EventKind::Deferred, node, sync.token.0) };
            self.trace.event(self.now, &line);
            return Some(EventKind::Deferred);
        }
        Some(self.finish_sync(node, sync))
    }

    /// A sync ends.
    pub(crate) fn finish_sync(&mut self, node: NodeId, sync: PendingSync) -> EventKind {
        let drive = &mut self.hosts[node.index()].drive;
        if let Some((fault, ())) = drive.refusals.last() {
            self.ledger.affect(fault, 1);
            return self.arrive(node, Input::SyncFailed(sync.token));
        }
        if sync.is_incomplete {
            return self.arrive(node, Input::SyncFailed(sync.token));
        }
        match drive.lies.last() {
            Some((fault, ())) => self.ledger.affect(fault, 1),
            None => drive.disk.make_durable(sync.mark),
        }
        self.arrive(node, Input::Synced(sync.token))
    }

    /// A service ends, unless the node died meanwhile.
    pub(crate) fn service_end(&mut self, node: NodeId, incarnation: Incarnation) -> Option<EventKind> {
        let host = &mut self.hosts[node.index()];
        if incarnation != host.incarnation {
            return None;
        }
        host.held.as_mut().expect("a service that ends was held").is_served = false;
        if let Some((fault, ())) = host.pauses.last() {
            self.ledger.affect(fault, host.outbox.len() as u64);
        }
        self.trace.event(self.now, &Line::plain(EventKind::ServiceEnd, node, 0));
        self.proceed(node);
        Some(EventKind::ServiceEnd)
    }

    /// Lets a node go on as far as it can: effects that were held leave, inputs that waited are taken.
    pub(crate) fn proceed(&mut self, node: NodeId) {
        loop {
            let host = &mut self.hosts[node.index()];
            if !host.pauses.is_empty() {
                break;
            }
            if let Some(held) = host.held {
                if held.is_served {
                    break;
                }
                self.release(node, held);
            } else if let Some(waiting) = host.inbox.pop_front() {
                self.take_waiting(node, waiting);
            } else {
                break;
            }
        }
        self.hosts[node.index()].refresh();
    }

    /// A message finds its link cut in flight.
    #[cold]
    pub(crate) fn cut_off(
        &mut self,
        fault: FaultIndex,
        to: NodeId,
        from: NodeId,
        message: &N::Message,
    ) -> EventKind {
        self.ledger.affect(fault, 1);
        self.lose(to, from, message, LossCause::Cut)
    }

    /// A message never arrives.
    #[cold]
    pub(crate) fn lose(
        &mut self,
        to: NodeId,
        from: NodeId,
        message: &N::Message,
        cause: LossCause,
    ) -> EventKind {
        *self.counts.lost_by(cause) += 1;
        let line = Line::message(EventKind::Lost, to, from, message_name::<N>(message));
        self.trace.event(self.now, &line);
        EventKind::Lost
    }

    /// The node takes an input now; its effects leave at once, or are held.
    #[inline]
    fn take(&mut self, node: NodeId, input: InputOf<N>) -> EventKind {
        let line = line_of::<N>(node, &input);
        self.trace.event(self.now, &line);
        self.counts.delivered += u64::from(line.kind == EventKind::Message);
        let mut effects = core::mem::take(&mut self.effects);
        let host = &mut self.hosts[node.index()];
        let mut context =
            Context::new(node, self.now, &host.clock, &mut host.chance).started_from(&host.boot);
        host.node.handle(input, &mut context, &mut effects);
        self.let_out(node, &mut effects, line.kind);
        self.effects = effects;
        line.kind
    }

    /// The effects of an input that was taken now leave at once, or are held.
    #[inline]
    fn let_out(&mut self, node: NodeId, effects: &mut Effects<N>, kind: EventKind) {
        let is_stop = kind == EventKind::Stop;
        if self.hosts[node.index()].is_open() || !self.hold(node, effects, is_stop) {
            self.apply(node, None, effects);
            if is_stop {
                self.take_down(node);
            }
        }
    }

    /// The node takes an input that may have waited, unless it has changed its mind about it.
    fn take_waiting(&mut self, node: NodeId, waiting: Waiting<N>) -> Option<EventKind> {
        let host = &mut self.hosts[node.index()];
        match waiting {
            Waiting::Input(input) => Some(self.take(node, input)),
            Waiting::Timer(key, sequence) => {
                let is_wanted = host.timers.take_waiting(key, sequence);
                is_wanted.then(|| self.take(node, Input::Timer(key)))
            }
            Waiting::Reset(peer) => Some(self.take_reset(node, peer)),
        }
    }

    /// The node learns that its connection to a peer was reset.
    fn take_reset(&mut self, node: NodeId, peer: NodeId) -> EventKind {
        let line = Line::plain(EventKind::Reset, node, u64::from(peer.0));
        self.trace.event(self.now, &line);
        let mut effects = core::mem::take(&mut self.effects);
        let host = &mut self.hosts[node.index()];
        let mut context =
            Context::new(node, self.now, &host.clock, &mut host.chance).started_from(&host.boot);
        host.node.connection_reset(peer, &mut context, &mut effects);
        self.let_out(node, &mut effects, line.kind);
        self.effects = effects;
        line.kind
    }

    #[cold]
    pub(crate) fn arrive_at_closed(&mut self, node: NodeId, waiting: Waiting<N>) -> EventKind {
        let host = &mut self.hosts[node.index()];
        if host.can_take() {
            let kind = self.take_waiting(node, waiting).expect("a timer that runs out now is wanted");
            self.hosts[node.index()].refresh();
            return kind;
        }
        if !host.is_up || (waiting.is_from_outside() && host.inbox.len() >= INBOX_MAX) {
            return self.refuse(node, waiting);
        }
        if let Some((fault, ())) = host.pauses.last() {
            self.ledger.affect(fault, 1);
        }
        let line = Line { name: waiting.name(), ..Line::plain(EventKind::Deferred, node, 0) };
        self.trace.event(self.now, &line);
        host.inbox.push_back(waiting);
        EventKind::Deferred
    }

    fn refuse(&mut self, node: NodeId, waiting: Waiting<N>) -> EventKind {
        let is_up = self.hosts[node.index()].is_up;
        if let Waiting::Input(Input::Message { from, message }) = waiting {
            let cause = if is_up { LossCause::Inbox } else { LossCause::Down };
            return self.lose(node, from, &message, cause);
        }
        let line = Line { name: waiting.name(), ..Line::plain(EventKind::Lost, node, u64::from(node.0)) };
        self.trace.event(self.now, &line);
        EventKind::Lost
    }

    /// Holds the effects of an input that was taken now, if the node is slow or a pause begins; whether it does.
    #[cold]
    fn hold(&mut self, node: NodeId, effects: &mut Effects<N>, is_stop: bool) -> bool {
        let host = &mut self.hosts[node.index()];
        let mut service = host.service;
        for (fault, extra) in host.slows.iter() {
            self.ledger.affect(fault, 1);
            service = service.saturating_add(extra).min(Span::from_ns(RUN_NS_MAX));
        }
        let midway = host.midway.take();
        if service == Span::ZERO && midway.is_none() {
            return false;
        }
        let is_served = service > Span::ZERO;
        host.held = Some(Held { at: self.now, local: host.clock.peek_wall(self.now), is_stop, is_served });
        core::mem::swap(&mut host.outbox, effects);
        let event = Event::ServiceEnd { node, incarnation: host.incarnation };
        if let Some((fault, length)) = midway {
            host.pauses.begin(fault, ());
            self.ledger.affect(fault, host.outbox.len() as u64);
            self.schedule_fault_end(fault, length);
        }
        if is_served {
            self.queue.push(self.now + service, event);
        }
        true
    }

    /// Lets the held effects leave.
    fn release(&mut self, node: NodeId, held: Held) {
        let host = &mut self.hosts[node.index()];
        host.held = None;
        let mut effects = core::mem::take(&mut host.outbox);
        self.apply(node, Some(held), &mut effects);
        self.hosts[node.index()].outbox = effects;
        if held.is_stop {
            self.take_down(node);
        }
    }
}
