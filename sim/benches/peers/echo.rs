//! The workload as nodes of ours, on the kernel and on the other substrates.

use core::marker::PhantomData;

use counterclock_sim::chance::Seed;
use counterclock_sim::digest::{Canonical, Digest};
use counterclock_sim::fault::FaultPlan;
use counterclock_sim::kernel::World;
use counterclock_sim::network_profile::{LatencyProfile, NetworkProfile};
use counterclock_sim::node::{Context, Effects, Input, InputOf, Message, Node, NodeId};
use counterclock_sim::setup::{NodeSetup, RunOptions, WorldSetup};
use counterclock_sim::substrate::{self, Phases, Substrate};
use counterclock_sim::time::{Span, TrueTime};
use serde::{Deserialize, Serialize};

/// A message as a value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Call {
    Ask([u64; 3]),
    Answer([u64; 3]),
}

/// A message as bytes.
#[derive(Clone, Debug)]
pub(crate) struct Encoded([u8; 32]);

/// What a message looks like on its way.
pub(crate) trait Form: Message {
    fn of(call: Call) -> Self;
    fn call(&self) -> Call;
}

impl Message for Call {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Answer(_) => "answer",
        }
    }
}

impl Message for Encoded {
    fn name(&self) -> &'static str {
        "bytes"
    }
}

impl Form for Call {
    fn of(call: Call) -> Self {
        call
    }

    fn call(&self) -> Call {
        self.clone()
    }
}

impl Form for Encoded {
    fn of(call: Call) -> Self {
        let mut bytes = [0; 32];
        postcard::to_slice(&call, &mut bytes).expect("a call takes at most 31 bytes");
        Self(bytes)
    }

    fn call(&self) -> Call {
        postcard::take_from_bytes(&self.0).expect("it was encoded just so").0
    }
}

/// A server, or a client of one.
#[derive(Clone)]
pub(crate) struct Echo<F> {
    server: Option<NodeId>,
    form: PhantomData<F>,
}

#[derive(Clone, Debug)]
pub(crate) struct Nothing;

impl Canonical for Nothing {
    fn feed(&self, _: &mut Digest) {}
}

impl<F: Form> Node for Echo<F> {
    type Message = F;
    type Request = ();
    type Record = ();
    type Observation = Nothing;

    fn handle(&mut self, input: InputOf<Self>, _: &mut Context<'_>, effects: &mut Effects<Self>) {
        let (from, call) = match input {
            Input::Message { from, message } => (Some(from), message.call()),
            Input::Start { .. } => (None, Call::Answer([0, 1, 2])),
            Input::Timer(_) | Input::Synced(_) | Input::SyncFailed(_) | Input::Request(()) | Input::Stop => {
                return;
            }
        };
        match (call, from, self.server) {
            (Call::Ask(payload), Some(from), _) => effects.send(from, F::of(Call::Answer(payload))),
            (Call::Answer([count, a, b]), _, Some(server)) => {
                effects.send(server, F::of(Call::Ask([count + 1, a, b])));
            }
            (Call::Ask(_) | Call::Answer(_), ..) => {}
        }
    }
}

fn setup<F: Form>(host_count: u32) -> WorldSetup<Echo<F>> {
    let server_count = host_count / 2;
    let echo = |index: u32| Echo { server: index.checked_sub(server_count).map(NodeId), form: PhantomData };
    let latency = LatencyProfile {
        min: Span::from_ms(1),
        typical: Span::from_ms(4),
        tail: Span::from_ms(10),
        ..LatencyProfile::constant(Span::ZERO)
    };
    WorldSetup {
        seed: Seed(1),
        nodes: (0..host_count).map(|index| NodeSetup::perfect(echo(index))).collect(),
        network: NetworkProfile { latency, ..NetworkProfile::perfect(Span::ZERO) },
        plan: FaultPlan::default(),
        requests: Vec::new(),
        options: RunOptions::default(),
    }
}

/// On the kernel; how many calls were answered.
pub(crate) fn on_kernel<F: Form>(host_count: u32, seconds: u64) -> u64 {
    let mut world = World::new(setup::<F>(host_count)).expect("the setup is sound");
    world.run_until(TrueTime::ZERO + Span::from_seconds(seconds));
    world.messages().delivered / 2
}

/// On a substrate that is not ours; how many calls were answered.
pub(crate) fn on(substrate: Substrate, host_count: u32, seconds: u64) -> u64 {
    let phases = Phases { faults_end: None, end: TrueTime::ZERO + Span::from_seconds(seconds) };
    let evidence = substrate::run(substrate, setup::<Call>(host_count), phases);
    evidence.expect("the substrate takes these nodes").messages.delivered / 2
}
