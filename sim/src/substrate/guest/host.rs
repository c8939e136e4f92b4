//! What a service of others sees of its machine: clocks, chance, and a recorder.

use core::fmt::Debug;
use core::marker::PhantomData;
use core::time::Duration;
use std::sync::Arc;

use crate::digest::Canonical;
use crate::discipline::ClockStatus;
use crate::host::Host as Machine;
use crate::node::{ClockInterval, Context, Effects, Input, InputOf, Message, Node, NodeId};
use crate::substrate::room::Room;
use crate::substrate::turmoil::present;
use crate::time::{LocalTime, MonotonicTime, Span, TrueTime};

/// What a service or its clients may note: it becomes part of the digest.
pub trait Noting: Canonical + Clone + Debug + Send + 'static {}

impl<O: Canonical + Clone + Debug + Send + 'static> Noting for O {}

/// The node on a guest's machine: it does nothing but pass on what was noted.
#[derive(Clone, Debug)]
pub(super) struct Seat<O>(PhantomData<fn() -> O>);

impl<O> Default for Seat<O> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// Something noted, on its way into the machine.
#[derive(Clone, Debug)]
pub(super) struct Note<O>(O);

impl<O: Noting> Message for Note<O> {
    fn name(&self) -> &'static str {
        "note"
    }
}

impl<O: Noting> Node for Seat<O> {
    type Message = Note<O>;
    type Request = ();
    type Record = ();
    type Observation = O;

    fn handle(&mut self, input: InputOf<Self>, _context: &mut Context<'_>, effects: &mut Effects<Self>) {
        match input {
            Input::Message { message, .. } => effects.observe(message.0),
            Input::Start { .. }
            | Input::Timer(_)
            | Input::Synced(_)
            | Input::SyncFailed(_)
            | Input::Request(())
            | Input::Stop => {}
        }
    }
}

/// A host, as the software on it sees it. Clones are the same host.
pub struct Host<O: Noting> {
    room: Arc<Room<Seat<O>>>,
    node: NodeId,
}

impl<O: Noting> Clone for Host<O> {
    fn clone(&self) -> Self {
        Self { room: Arc::clone(&self.room), node: self.node }
    }
}

impl<O: Noting> Host<O> {
    pub(super) const fn new(room: Arc<Room<Seat<O>>>, node: NodeId) -> Self {
        Self { room, node }
    }

    /// The host's number, from 0, in the order of the setup.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.node
    }

    /// What the host's wall clock shows.
    #[must_use]
    pub fn wall(&self) -> LocalTime {
        self.machine(|machine, now| machine.clock.wall(now))
    }

    /// What the host's monotonic clock shows.
    #[must_use]
    pub fn monotonic(&self) -> MonotonicTime {
        self.machine(|machine, now| machine.clock.monotonic(now))
    }

    /// The interval in which, by the host's clock daemon, true time lies.
    #[must_use]
    pub fn interval(&self) -> ClockInterval {
        self.machine(|machine, now| machine.clock.interval(now))
    }

    /// What the host's clock daemon says about the clock.
    #[must_use]
    pub fn clock_status(&self) -> ClockStatus {
        self.machine(|machine, _| machine.clock.status())
    }

    /// Which version of the software runs, by the host's last restart; 0 at first.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.machine(|machine, _| machine.boot.version)
    }

    /// A number below `n`, from the host's own stream of chance.
    ///
    /// # Panics
    /// If `n` is 0.
    #[must_use]
    pub fn below(&self, n: u64) -> u64 {
        self.machine(|machine, _| machine.chance.below(n))
    }

    /// Waits until `span` has passed on the host's monotonic clock. The runtime's timers round up to a millisecond.
    pub async fn sleep(&self, span: Span) {
        let target = self.machine(|machine, now| machine.clock.timer_target(span, now));
        loop {
            // The clock's rate may have changed meanwhile: what is left is asked for anew.
            let left = self.machine(|machine, now| machine.clock.reaches(target, now).since(now));
            if left == Span::ZERO {
                return;
            }
            tokio::time::sleep(Duration::from_nanos(left.as_ns())).await;
        }
    }

    /// Tells the recorder, which stamps it with the true time. A host that has crashed tells nothing any more.
    pub fn note(&self, observation: O) {
        self.room.tell(self.node, present(&self.room), Note(observation));
    }

    /// The machine as it is now.
    fn machine<T>(&self, look: impl FnOnce(&mut Machine<Seat<O>>, TrueTime) -> T) -> T {
        self.room.consult(self.node, present(&self.room), look)
    }
}
