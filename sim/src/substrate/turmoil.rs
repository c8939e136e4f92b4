//! turmoil as a substrate: a host a node, messages as bytes over its simulated TCP, its time as the true time.
//!
//! ```text
//!   between two ticks:  cuts begin and end · dead nodes' hosts crash · hosts of nodes that start again bounce
//!   one tick of 1 ms:   each host's driver lets its machine run, writes what it sent, waits
//! ```
//!
//! What is due within a tick happens at its own instant on the node's machine; what it sends leaves at the tick's end,
//! and connections take a whole number of milliseconds, 1 at least. A cut is turmoil's one-way partition: segments are
//! dropped, those in flight too, and since turmoil's TCP never sends one again, the connection is given up.
//! Nodes are called `n0`, `n1`, ... .

use core::time::Duration;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use turmoil::net::{TcpListener, TcpStream};
use turmoil::{Builder, Sim};

use crate::network_profile::LatencyProfile;
use crate::node::{Node, NodeId};
use crate::setup::WorldSetup;
use crate::substrate::conductor::{Conductor, Hosts};
use crate::substrate::driver::{self, PORT, Wire};
use crate::substrate::erased::{self, Decode, Erased, Told};
use crate::substrate::links::LinkChange;
use crate::substrate::room::Room;
use crate::substrate::{Evidence, Phases, Substrate, SubstrateError};
use crate::time::{Span, TrueTime};

/// One step of turmoil's time. Not a whole number of milliseconds would break it silently.
const TICK: Duration = Duration::from_millis(1);
/// Segments that fit a socket; more wait at the sender.
const TCP_CAPACITY: usize = 1_024;

/// Runs a world on turmoil.
///
/// # Errors
/// If the setup makes no sense or plans what turmoil cannot express, before anything runs; if a message cannot be
/// encoded, or turmoil gives up.
pub fn run<N>(setup: WorldSetup<N>, phases: Phases) -> Result<Evidence<N::Observation>, SubstrateError>
where
    N: Node + 'static,
    N::Message: Serialize + DeserializeOwned,
{
    Ok(erased::restore::<N>(run_erased(erased::erase(setup), phases, erased::decoder::<N>())?))
}

fn run_erased(
    setup: WorldSetup<Erased>,
    phases: Phases,
    decode: Decode,
) -> Result<Evidence<Told>, SubstrateError> {
    let seed = setup.seed.stream("turmoil", 0).next_u64();
    let latency = setup.network.latency;
    let room = Arc::new(Room::new(Substrate::Turmoil, setup, phases)?);
    let mut sim = simulation(latency, seed);
    for node in room.nodes() {
        let room = Arc::clone(&room);
        sim.host(name(node), move || {
            let room = Arc::clone(&room);
            async move { Ok(driver::drive::<Turmoil>(room, node, decode).await?) }
        });
    }
    conduct(&mut sim, &room, &mut Nodes)?;
    Ok(room.evidence())
}

/// turmoil's time, with everything set that it would take from the machine it runs on.
pub(super) fn simulation<'a>(latency: LatencyProfile, seed: u64) -> Sim<'a> {
    let whole_ms = |span: Span| Duration::from_millis(span.as_ns().div_ceil(1_000_000).max(1));
    let sim = Builder::new()
        .epoch(std::time::UNIX_EPOCH)
        .rng_seed(seed)
        .tick_duration(TICK)
        .simulation_duration(Duration::MAX)
        .tcp_capacity(TCP_CAPACITY)
        .min_message_latency(whole_ms(latency.min))
        .max_message_latency(whole_ms(latency.tail))
        .build();
    sim.set_message_latency_curve(curve(latency));
    sim
}

/// How steep turmoil's exponential latency is between the smallest and the largest, so that half of the messages take no
/// longer than the profile's typical latency: its rate, in messages over the whole range.
fn curve(latency: LatencyProfile) -> f64 {
    let above_min = |span: Span| Duration::from_nanos(span.as_ns() - latency.min.as_ns());
    let typical = above_min(latency.typical).max(Duration::from_nanos(1));
    above_min(latency.tail).mul_f64(core::f64::consts::LN_2).div_duration_f64(typical)
}

/// What hosts are called, and what happens on the links between them.
pub(super) trait Lodging {
    /// The name of a node's host.
    fn name(&self, node: NodeId) -> String;
    /// Cuts or mends one link, one way.
    fn turn(&mut self, sim: &Sim<'_>, change: LinkChange);
    /// Looks at the links before each tick, when all that happens from outside at this instant has happened.
    fn before_tick<N: Node>(&mut self, sim: &Sim<'_>, room: &Room<N>);
    /// Looks at the links after each tick.
    fn after_tick<N: Node>(&mut self, sim: &Sim<'_>, room: &Room<N>);
}

/// Runs tick after tick to the end, and does what happens to hosts and links in between.
pub(super) fn conduct<N: Node>(
    sim: &mut Sim<'_>,
    room: &Room<N>,
    lodging: &mut impl Lodging,
) -> Result<(), SubstrateError> {
    let mut conductor = Conductor::new(room);
    loop {
        let now = instant(sim.elapsed()).min(room.phases.end);
        conductor.conduct(room, &mut Hosting { sim, lodging }, now);
        if now == room.phases.end {
            return Ok(());
        }
        lodging.before_tick(sim, room);
        sim.step().map_err(|error| gave_up(&error))?;
        lodging.after_tick(sim, room);
        if let Some(error) = room.take_error() {
            return Err(error);
        }
    }
}

/// turmoil's hosts, from outside.
struct Hosting<'a, 's, L> {
    sim: &'a mut Sim<'s>,
    lodging: &'a mut L,
}

impl<L: Lodging> Hosts for Hosting<'_, '_, L> {
    fn turn(&mut self, change: LinkChange) {
        self.lodging.turn(self.sim, change);
    }

    fn kill(&mut self, node: NodeId) {
        self.sim.crash(self.lodging.name(node));
    }

    fn start(&mut self, node: NodeId) {
        self.sim.bounce(self.lodging.name(node));
    }
}

/// Hosts of nodes of ours: a cut drops what is on its way, and their drivers dial anew.
struct Nodes;

impl Lodging for Nodes {
    fn name(&self, node: NodeId) -> String {
        name(node)
    }

    fn turn(&mut self, sim: &Sim<'_>, change: LinkChange) {
        let (from, to) = (name(change.from), name(change.to));
        if change.is_cut {
            sim.partition_oneway(from, to);
        } else {
            sim.repair_oneway(from, to);
        }
    }

    fn before_tick<N: Node>(&mut self, _sim: &Sim<'_>, _room: &Room<N>) {}

    fn after_tick<N: Node>(&mut self, _sim: &Sim<'_>, _room: &Room<N>) {}
}

fn name(node: NodeId) -> String {
    node.to_string()
}

pub(super) fn instant(elapsed: Duration) -> TrueTime {
    TrueTime::from_ns(u64::try_from(elapsed.as_nanos()).expect("a run is not longer than the longest"))
}

fn gave_up(error: &impl ToString) -> SubstrateError {
    SubstrateError::GaveUp { substrate: Substrate::Turmoil, found: error.to_string() }
}

/// The simulated time on a host; the run's end, if that is over.
pub(super) fn present<N: Node>(room: &Room<N>) -> TrueTime {
    driver::present::<N, Turmoil>(room)
}

/// turmoil's network, as a host sees it.
struct Turmoil;

impl Wire for Turmoil {
    type Stream = TcpStream;
    type Listener = TcpListener;

    fn now() -> TrueTime {
        instant(turmoil::sim_elapsed().expect("a driver runs in a simulation"))
    }

    async fn sleep(span: Span) {
        tokio::time::sleep(Duration::from_nanos(span.as_ns())).await;
    }

    fn spawn(task: impl Future<Output = ()> + 'static) {
        // A task ends with its host; nobody waits for it.
        drop(tokio::task::spawn_local(task));
    }

    async fn listen() -> io::Result<TcpListener> {
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await
    }

    async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
        Ok(listener.accept().await?.0)
    }

    async fn connect(to: NodeId) -> io::Result<TcpStream> {
        TcpStream::connect((name(to), PORT)).await
    }
}
