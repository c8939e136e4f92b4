//! The machines of one run on a substrate that is not ours, and all that is common to them.
//!
//! ```text
//!   driver of node k ──run, hear──► machine k (a world of one) ──► what it sends
//!   conductor        ──cut, heal──► links                      ──► observations, in the order they were made
//! ```
//!
//! A run is one thread. The lock is there because some schedulers want what they share to be shareable among threads;
//! it is never waited for, and never held while anything is awaited.

mod evidence;

use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::fault::FaultPlan;
use crate::host::Host;
use crate::kernel::{MessageCounts, Observed, World};
use crate::network::LossCause;
use crate::node::{Message, Node, NodeId};
use crate::setup::WorldSetup;
use crate::substrate::links::{Edge, LinkChange, Links};
use crate::substrate::traffic::{Resets, Traffic};
use crate::substrate::{Evidence, Phases, Substrate, SubstrateError};
use crate::time::TrueTime;
use crate::trace::{EventKind, Line, Trace};
use crate::windows::FaultIndex;

/// Most nodes of a world that is not run on the kernel.
pub(super) const NODES_MAX: usize = 256;

/// What is shared by the drivers of all nodes.
pub(super) struct Room<N: Node> {
    substrate: Substrate,
    pub(super) phases: Phases,
    /// Wakes a driver whose machine was changed from outside. By node.
    pub(super) wakes: Vec<Notify>,
    /// Tells who conducts the run that a node went down, or that the run cannot go on.
    pub(super) calls: Notify,
    inner: Mutex<Inner<N>>,
}

/// What a frame carries: the message, and how often its link had been reset when it set out.
pub(super) type Carried<M> = (Resets, M);

/// What came of letting a machine live.
pub(super) struct Lived<M> {
    /// What it has sent, in order.
    pub(super) sent: Vec<(NodeId, M)>,
    /// When something is due there next, if anything is.
    pub(super) next_at: Option<TrueTime>,
}

/// One node's machine, and where its faults stand in the whole plan.
struct Machine<N: Node> {
    world: World<N>,
    plan: Vec<FaultIndex>,
}

struct Inner<N: Node> {
    machines: Vec<Machine<N>>,
    observations: Vec<Observed<N::Observation>>,
    links: Links,
    traffic: Traffic,
    /// What happens on links.
    trace: Trace,
    /// What the machines do not count: losses on the way.
    counts: MessageCounts,
    events: u64,
    error: Option<SubstrateError>,
}

impl<N: Node> Room<N> {
    /// The machines before their first event.
    pub(super) fn new(
        substrate: Substrate,
        setup: WorldSetup<N>,
        phases: Phases,
    ) -> Result<Self, SubstrateError> {
        setup.validate()?;
        substrate.accept(&setup.plan)?;
        let count = setup.nodes.len();
        if count > NODES_MAX {
            return Err(SubstrateError::NodeCount { count, substrate, most: NODES_MAX });
        }
        let machines: Result<Vec<_>, SubstrateError> =
            (0..).map(NodeId).take(count).map(|node| machine(&setup, node)).collect();
        let inner = Inner {
            machines: machines?,
            observations: Vec::new(),
            links: Links::new(count, setup.plan),
            traffic: Traffic::new(count),
            trace: Trace::new(setup.options.keep_trace),
            counts: MessageCounts::default(),
            events: 0,
            error: None,
        };
        let wakes = (0..count).map(|_| Notify::new()).collect();
        Ok(Self { substrate, phases, wakes, calls: Notify::new(), inner: Mutex::new(inner) })
    }

    /// All nodes.
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> + use<N> {
        (0..).map(NodeId).take(self.wakes.len())
    }

    /// Lets a node's machine run up to `now`.
    pub(super) fn run(&self, node: NodeId, now: TrueTime) -> Lived<N::Message> {
        self.live(&mut self.lock(), node, |world| world.run_until(now))
    }

    /// A message reaches a node, unless its link was reset on its way; its machine runs up to `now` before.
    pub(super) fn hear(
        &self,
        node: NodeId,
        now: TrueTime,
        (from, (resets, message)): (NodeId, Carried<N::Message>),
    ) -> Lived<N::Message> {
        let mut inner = self.lock();
        let is_current = inner.traffic.arrive((from, node), resets);
        self.live(&mut inner, node, |world| {
            world.run_until(now);
            if is_current {
                world.hear(from, message);
            }
        })
    }

    /// Lets something happen on a node's machine.
    fn live(
        &self,
        inner: &mut Inner<N>,
        node: NodeId,
        happen: impl FnOnce(&mut World<N>),
    ) -> Lived<N::Message> {
        let machine = &mut inner.machines[node.index()];
        let before = machine.incarnation(node);
        happen(&mut machine.world);
        if machine.incarnation(node) != before {
            self.calls.notify_one();
        }
        let lived = Lived { sent: machine.world.take_outward(), next_at: machine.world.next_at() };
        inner.gather(node);
        lived
    }

    /// A node is told something from its own machine; that runs up to `now` before.
    pub(super) fn tell(&self, node: NodeId, now: TrueTime, message: N::Message) {
        self.live(&mut self.lock(), node, |world| {
            world.run_until(now);
            world.hear(node, message);
        });
    }

    /// Lets a node's machine run up to `now`, and looks at it there.
    pub(super) fn consult<T>(
        &self,
        node: NodeId,
        now: TrueTime,
        look: impl FnOnce(&mut Host<N>, TrueTime) -> T,
    ) -> T {
        let mut inner = self.lock();
        let world = &mut inner.machines[node.index()].world;
        world.run_until(now);
        look(&mut world.hosts[node.index()], now)
    }

    /// A cut holds that many messages more on a link.
    pub(super) fn held(&self, from: NodeId, to: NodeId, count: u64) {
        let mut inner = self.lock();
        if let Some(fault) = inner.links.cut_now(from, to) {
            inner.links.stopped(fault, count);
        }
    }

    /// When something is due at a node's machine, if anything is.
    #[cfg(madsim)]
    pub(super) fn next_at(&self, node: NodeId) -> Option<TrueTime> {
        self.lock().machines[node.index()].world.next_at()
    }

    /// Lets the machine of a node without a host run up to `now`; whether the node is up then.
    ///
    /// What it has sent by then waits for its driver, unless it is down: then nobody is there to carry it.
    pub(super) fn advance(&self, node: NodeId, now: TrueTime) -> bool {
        let mut inner = self.lock();
        let world = &mut inner.machines[node.index()].world;
        world.run_until(now);
        let is_up = world.is_up(node);
        if !is_up {
            drop(world.take_outward());
        }
        inner.gather(node);
        is_up
    }

    /// How often a node went down.
    pub(super) fn incarnation(&self, node: NodeId) -> u32 {
        self.lock().machines[node.index()].incarnation(node)
    }

    /// Whether a message may set out, and what it then takes along; if not, it is counted.
    pub(super) fn sets_out(
        &self,
        link: (NodeId, NodeId),
        message: &N::Message,
        now: TrueTime,
    ) -> Option<Resets> {
        let mut inner = self.lock();
        if inner.is_cut(link, message.name(), now) {
            return None;
        }
        Some(inner.traffic.set_out(link))
    }

    /// A connection has taken a message.
    pub(super) fn departs(&self, link: (NodeId, NodeId), resets: Resets) {
        self.lock().traffic.depart(link, resets);
    }

    /// A message that set out is not taken by any connection: by a cut if there is one, else for that reason.
    pub(super) fn lose(
        &self,
        link: (NodeId, NodeId),
        (resets, name): (Resets, &'static str),
        cause: LossCause,
        now: TrueTime,
    ) {
        let mut inner = self.lock();
        if inner.traffic.give_up(link, resets) && !inner.is_cut(link, name, now) {
            inner.lose(link, name, cause, now);
        }
    }

    /// How often the connections of a link were reset.
    pub(super) fn resets(&self, link: (NodeId, NodeId)) -> Resets {
        self.lock().traffic.resets(link)
    }

    /// The host of a node dies, or starts after it was dead: what was on its way to it is lost, and what it had not sent.
    pub(super) fn lose_with_host(&self, node: NodeId) {
        self.lock().lose_with_host(node);
    }

    /// When a cut begins or ends next, or a connection is reset, if that happens.
    #[cfg(madsim)]
    pub(super) fn next_turn_at(&self) -> Option<TrueTime> {
        self.lock().links.next_at()
    }

    /// Begins and ends cuts that are due, and resets connections; the links that change. A cut and a reset take what is
    /// on its way.
    pub(super) fn turn_links(&self, now: TrueTime) -> Vec<LinkChange> {
        let mut inner = self.lock();
        let mut all = Vec::new();
        while let Some((edge, changes)) = inner.links.advance(now) {
            for change in changes.iter().filter(|change| change.is_cut) {
                inner.reset((change.from, change.to), edge.fault);
            }
            // That a node sees its connection reset is traced by its machine.
            match inner.links.reset_by(edge.fault) {
                Some(link) => inner.reset(link, edge.fault),
                None => inner.turned(edge, now),
            }
            all.extend(changes);
        }
        all
    }

    /// Ends all faults; the links that change.
    pub(super) fn heal(&self, now: TrueTime) -> Vec<LinkChange> {
        let mut inner = self.lock();
        let mut all = Vec::new();
        for (edge, changes) in inner.links.heal(now) {
            inner.turned(edge, now);
            all.extend(changes);
        }
        for node in self.nodes() {
            let world = &mut inner.machines[node.index()].world;
            world.run_until(now);
            world.end_all_faults();
            inner.gather(node);
            self.wakes[node.index()].notify_one();
        }
        all
    }

    /// The run cannot go on; the first reason counts.
    pub(super) fn fail(&self, error: SubstrateError) {
        self.lock().error.get_or_insert(error);
        self.calls.notify_one();
    }

    /// Why the run cannot go on, if it cannot.
    pub(super) fn take_error(&self) -> Option<SubstrateError> {
        self.lock().error.take()
    }

    /// What the run leaves.
    pub(super) fn evidence(&self) -> Evidence<N::Observation> {
        let mut inner = self.lock();
        for node in self.nodes() {
            inner.machines[node.index()].world.run_until(self.phases.end);
            if !inner.machines[node.index()].world.is_up(node) {
                inner.lose_with_host(node);
            }
            inner.gather(node);
        }
        inner.evidence(self.substrate, self.phases.end)
    }

    fn lock(&self) -> MutexGuard<'_, Inner<N>> {
        self.inner.lock().expect("nobody panics while holding it and goes on")
    }
}

/// The machine of one node.
fn machine<N: Node>(setup: &WorldSetup<N>, node: NodeId) -> Result<Machine<N>, SubstrateError> {
    let own = setup
        .plan
        .faults
        .iter()
        .zip((0..).map(FaultIndex))
        .filter(|(planned, _)| planned.fault.node() == Some(node));
    let (faults, plan) = own.map(|(planned, index)| (planned.clone(), index)).unzip();
    let requests = setup.requests.iter().filter(|(_, to, _)| *to == node).cloned().collect();
    let setup = WorldSetup {
        seed: setup.seed,
        nodes: setup.nodes.clone(),
        network: setup.network.clone(),
        plan: FaultPlan { faults },
        requests,
        options: setup.options,
    };
    Ok(Machine { world: World::of_one(setup, node)?, plan })
}

impl<N: Node> Inner<N> {
    /// Takes over what a node has observed.
    fn gather(&mut self, node: NodeId) {
        let observed = self.machines[node.index()].world.take_observations();
        self.observations.extend(observed);
    }

    /// A fault takes what is on its way on a link.
    fn reset(&mut self, link: (NodeId, NodeId), fault: FaultIndex) {
        let count = self.traffic.reset(link);
        self.links.stopped(fault, count);
        self.counts.cut += count;
    }

    fn lose_with_host(&mut self, node: NodeId) {
        self.counts.unheard += self.traffic.lose_with_host(node);
    }

    /// Whether a cut stops a message on a link; if so, it is counted.
    fn is_cut(&mut self, link: (NodeId, NodeId), name: &'static str, now: TrueTime) -> bool {
        let Some(fault) = self.links.cut_now(link.0, link.1) else { return false };
        self.links.stopped(fault, 1);
        self.lose(link, name, LossCause::Cut, now);
        true
    }

    fn lose(&mut self, (from, to): (NodeId, NodeId), name: &'static str, cause: LossCause, now: TrueTime) {
        *self.counts.lost_by(cause) += 1;
        self.trace.event(now, &Line::message(EventKind::Lost, to, from, name));
    }

    fn turned(&mut self, edge: Edge, now: TrueTime) {
        let kind = if edge.is_begin { EventKind::FaultBegin } else { EventKind::FaultEnd };
        self.events += 1;
        self.trace.event(now, &Line::fault(kind, edge.fault.0, None, crate::fault::Family::Cut));
    }
}

impl<N: Node> Machine<N> {
    /// How often the node went down.
    fn incarnation(&self, node: NodeId) -> u32 {
        self.world.hosts[node.index()].incarnation.0
    }
}
