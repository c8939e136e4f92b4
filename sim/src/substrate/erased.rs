//! Nodes of any system as one type, for simulators that are compiled once instead of once for every system.
//!
//! ```text
//!   node of a system ──► Erased ──► world of one, driver, turmoil or madsim     (no types of the system)
//!                                        │
//!   its message ◄── decode ── bytes ◄────┘ its message ── encode ──► bytes
//! ```
//!
//! Only messages, requests, records and observations cross the border, each in a box that knows what it holds.

use core::any::Any;
use core::fmt::{self, Debug};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::digest::{Canonical, Digest};
use crate::kernel::Observed;
use crate::node::{Context, Effect, Effects, Input, InputOf, Message, Node, NodeId};
use crate::setup::{NodeSetup, WorldSetup};
use crate::substrate::Evidence;
use crate::substrate::frame::{self, FrameError};

/// Reads a message of the system from the bytes that [`Letter::encode`] made of it.
pub(super) type Decode = fn(&[u8]) -> Result<Letter, FrameError>;

/// A value of a type that only the system knows.
trait Hidden: Any + Debug + Send {
    fn boxed_clone(&self) -> Value;
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl<T: Any + Clone + Debug + Send> Hidden for T {
    fn boxed_clone(&self) -> Value {
        Value::new(self.clone())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// A request, or a record.
pub(super) struct Value(Box<dyn Hidden>);

impl Value {
    fn new(value: impl Hidden) -> Self {
        Self(Box::new(value))
    }

    fn get<T: Any>(&self) -> &T {
        let value: &dyn Any = &*self.0;
        value.downcast_ref().expect("all nodes of a world are of one type")
    }

    fn take<T: Any>(self) -> T {
        *self.0.into_any().downcast().expect("all nodes of a world are of one type")
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        (*self.0).boxed_clone()
    }
}

impl Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A message.
#[derive(Clone)]
pub(super) struct Letter {
    value: Value,
    name: &'static str,
    wire_bytes: u32,
    encode: fn(&Value, Vec<u8>) -> postcard::Result<Vec<u8>>,
}

impl Letter {
    fn new<M: Message + Serialize + 'static>(message: M) -> Self {
        let (name, wire_bytes) = (message.name(), message.wire_bytes());
        let encode = |value: &Value, bytes: Vec<u8>| postcard::to_extend(value.get::<M>(), bytes);
        Self { value: Value::new(message), name, wire_bytes, encode }
    }

    /// The message after those bytes.
    pub(super) fn encode(&self, bytes: Vec<u8>) -> postcard::Result<Vec<u8>> {
        (self.encode)(&self.value, bytes)
    }
}

impl Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl Message for Letter {
    fn name(&self) -> &'static str {
        self.name
    }

    fn wire_bytes(&self) -> u32 {
        self.wire_bytes
    }
}

/// An observation.
#[derive(Clone)]
pub(super) struct Told {
    value: Value,
    feed: fn(&Value, &mut Digest),
}

impl Told {
    fn new<O: Canonical + Clone + Debug + Send + 'static>(observation: O) -> Self {
        Self { value: Value::new(observation), feed: |value, digest| value.get::<O>().feed(digest) }
    }
}

impl Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl Canonical for Told {
    fn feed(&self, digest: &mut Digest) {
        (self.feed)(&self.value, digest);
    }
}

/// A node that takes and gives boxes.
trait Behaviour: Send {
    fn boxed_clone(&self) -> Erased;
    fn handle(&mut self, input: InputOf<Erased>, context: &mut Context<'_>, fx: &mut Effects<Erased>);
    fn connection_reset(&mut self, peer: NodeId, context: &mut Context<'_>, fx: &mut Effects<Erased>);
}

impl<N> Behaviour for N
where
    N: Node + 'static,
    N::Message: Serialize,
{
    fn boxed_clone(&self) -> Erased {
        Erased(Box::new(self.clone()))
    }

    fn handle(&mut self, input: InputOf<Erased>, context: &mut Context<'_>, fx: &mut Effects<Erased>) {
        let mut own = Effects::default();
        Node::handle(self, opened::<N>(input), context, &mut own);
        hand_over::<N>(own, fx);
    }

    fn connection_reset(&mut self, peer: NodeId, context: &mut Context<'_>, fx: &mut Effects<Erased>) {
        let mut own = Effects::default();
        Node::connection_reset(self, peer, context, &mut own);
        hand_over::<N>(own, fx);
    }
}

/// An input, out of its boxes.
fn opened<N: Node + 'static>(input: InputOf<Erased>) -> InputOf<N> {
    match input {
        Input::Start { disk } => Input::Start { disk: disk.into_iter().map(Value::take).collect() },
        Input::Message { from, message } => Input::Message { from, message: message.value.take() },
        Input::Timer(key) => Input::Timer(key),
        Input::Synced(token) => Input::Synced(token),
        Input::SyncFailed(token) => Input::SyncFailed(token),
        Input::Request(request) => Input::Request(request.take()),
        Input::Stop => Input::Stop,
    }
}

/// What a node does, put into boxes.
fn hand_over<N>(mut own: Effects<N>, fx: &mut Effects<Erased>)
where
    N: Node + 'static,
    N::Message: Serialize,
{
    for effect in own.drain() {
        fx.push(match effect {
            Effect::Send { to, message } => Effect::Send { to, message: Letter::new(message) },
            Effect::SetTimer { key, after } => Effect::SetTimer { key, after },
            Effect::CancelTimer(key) => Effect::CancelTimer(key),
            Effect::Write(record) => Effect::Write(Value::new(record)),
            Effect::Rewrite(records) => Effect::Rewrite(records.into_iter().map(Value::new).collect()),
            Effect::Sync(token) => Effect::Sync(token),
            Effect::Observe(observation) => Effect::Observe(Told::new(observation)),
            Effect::Halt => Effect::Halt,
        });
    }
}

/// A node of any system.
pub(super) struct Erased(Box<dyn Behaviour>);

impl Clone for Erased {
    fn clone(&self) -> Self {
        self.0.boxed_clone()
    }
}

impl Node for Erased {
    type Message = Letter;
    type Request = Value;
    type Record = Value;
    type Observation = Told;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, fx: &mut Effects<Self>) {
        self.0.handle(input, context, fx);
    }

    fn connection_reset(&mut self, peer: NodeId, context: &mut Context<'_>, fx: &mut Effects<Self>) {
        self.0.connection_reset(peer, context, fx);
    }
}

/// The same world without its types.
pub(super) fn erase<N>(setup: WorldSetup<N>) -> WorldSetup<Erased>
where
    N: Node + 'static,
    N::Message: Serialize,
{
    let WorldSetup { seed, nodes, network, plan, requests, options } = setup;
    let erased = |node: NodeSetup<N>| {
        let NodeSetup { node, clock, disk, service, version } = node;
        NodeSetup { node: Erased(Box::new(node)), clock, disk, service, version }
    };
    WorldSetup {
        seed,
        nodes: nodes.into_iter().map(erased).collect(),
        network,
        plan,
        requests: requests.into_iter().map(|(at, to, request)| (at, to, Value::new(request))).collect(),
        options,
    }
}

/// Reads messages of the nodes `N`.
pub(super) fn decoder<N>() -> Decode
where
    N: Node + 'static,
    N::Message: Serialize + DeserializeOwned,
{
    |bytes| Ok(Letter::new(frame::whole::<N::Message>(bytes)?))
}

/// The same evidence with the observations of the nodes `N`.
pub(super) fn restore<N: Node + 'static>(evidence: Evidence<Told>) -> Evidence<N::Observation> {
    let (observations, rest) = evidence.split();
    let restored = |seen: Observed<Told>| {
        let Observed { at, released_at, node, local, observation } = seen;
        Observed { at, released_at, node, local, observation: observation.value.take() }
    };
    rest.with(observations.into_iter().map(restored).collect())
}
