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
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use turmoil::net::{TcpListener, TcpStream};
use turmoil::{Builder, Sim};

use crate::network_profile::LatencyProfile;
use crate::node::{Node, NodeId};
use crate::setup::WorldSetup;
use crate::substrate::driver::{self, PORT, Wire};
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
    let seed = setup.seed.stream("turmoil", 0).next_u64();
    let latency = setup.network.latency;
    let room = Arc::new(Room::new(Substrate::Turmoil, setup, phases)?);
    let mut sim = builder(latency, seed).build();
    for node in room.nodes() {
        let room = Arc::clone(&room);
        sim.host(name(node), move || {
            let room = Arc::clone(&room);
            async move { Ok(driver::drive::<N, Turmoil>(room, node).await?) }
        });
    }
    conduct(&mut sim, &room, &mut Nodes)?;
    Ok(room.evidence())
}

/// turmoil's time, with everything set that it would take from the machine it runs on.
pub(super) fn builder(latency: LatencyProfile, seed: u64) -> Builder {
    let whole_ms = |span: Span| Duration::from_millis(span.as_ns().div_ceil(1_000_000).max(1));
    let mut builder = Builder::new();
    builder
        .epoch(std::time::UNIX_EPOCH)
        .rng_seed(seed)
        .tick_duration(TICK)
        .simulation_duration(Duration::MAX)
        .tcp_capacity(TCP_CAPACITY)
        .min_message_latency(whole_ms(latency.min))
        .max_message_latency(whole_ms(latency.tail));
    builder
}

/// What a host runs, if it runs.
#[derive(Clone, Copy)]
struct Life {
    is_running: bool,
    /// The life of the node that its driver was started for.
    incarnation: u32,
}

/// What hosts are called, and what happens on the links between them.
pub(super) trait Lodging {
    /// The name of a node's host.
    fn name(&self, node: NodeId) -> String;
    /// How many messages in flight a cut that begins now takes away.
    fn stopped_by(&self, sim: &Sim<'_>, change: LinkChange) -> u64;
    /// Cuts or mends one link, one way.
    fn turn(&mut self, sim: &Sim<'_>, change: LinkChange);
    /// Looks at the links after each tick.
    fn after_tick<N: Node>(&mut self, sim: &Sim<'_>, room: &Room<N>);
}

/// Runs tick after tick to the end, and does what happens to hosts and links in between.
pub(super) fn conduct<N: Node>(
    sim: &mut Sim<'_>,
    room: &Room<N>,
    lodging: &mut impl Lodging,
) -> Result<(), SubstrateError> {
    let mut faults_end = room.phases.faults_end;
    let mut lives = vec![Life { is_running: true, incarnation: 0 }; room.wakes.len()];
    loop {
        let now = instant(sim.elapsed()).min(room.phases.end);
        let turned = room.turn_links(now, |change| lodging.stopped_by(sim, change));
        turned.into_iter().for_each(|change| lodging.turn(sim, change));
        if faults_end.is_some_and(|at| at <= now) {
            faults_end = None;
            room.heal(now).into_iter().for_each(|change| lodging.turn(sim, change));
        }
        settle_hosts(sim, room, &mut lives, lodging);
        if now == room.phases.end {
            return Ok(());
        }
        sim.step().map_err(|error| gave_up(&error))?;
        lodging.after_tick(sim, room);
        if let Some(error) = room.take_error() {
            return Err(error);
        }
    }
}

/// Crashes the hosts of nodes that went down, lets the machines of those go on, and starts the hosts of nodes that
/// are up again. A node may have died and come back within one tick: its host does so, too.
fn settle_hosts<N: Node>(sim: &mut Sim<'_>, room: &Room<N>, lives: &mut [Life], lodging: &impl Lodging) {
    let now = instant(sim.elapsed()).min(room.phases.end);
    for (node, life) in room.nodes().zip(lives) {
        let incarnation = room.incarnation(node);
        if life.is_running && life.incarnation != incarnation {
            sim.crash(lodging.name(node));
            life.is_running = false;
        }
        if !life.is_running && room.advance(node, now) {
            sim.bounce(lodging.name(node));
            *life = Life { is_running: true, incarnation: room.incarnation(node) };
        }
    }
}

/// Hosts of nodes of ours: a cut drops what is on its way, and their drivers dial anew.
struct Nodes;

impl Lodging for Nodes {
    fn name(&self, node: NodeId) -> String {
        name(node)
    }

    fn stopped_by(&self, sim: &Sim<'_>, change: LinkChange) -> u64 {
        in_flight(sim, change)
    }

    fn turn(&mut self, sim: &Sim<'_>, change: LinkChange) {
        let (from, to) = (name(change.from), name(change.to));
        if change.is_cut {
            sim.partition_oneway(from, to);
        } else {
            sim.repair_oneway(from, to);
        }
    }

    fn after_tick<N: Node>(&mut self, _sim: &Sim<'_>, _room: &Room<N>) {}
}

/// How many messages travel on a link: each is one segment.
fn in_flight(sim: &Sim<'_>, change: LinkChange) -> u64 {
    let (from, to) = (sim.lookup(name(change.from)), sim.lookup(name(change.to)));
    let mut count = 0;
    sim.links(|links| {
        for sent in links.flatten() {
            let (source, target) = sent.pair();
            let is_message = target.port() == PORT && sent.protocol().to_string().starts_with("TCP [");
            count += u64::from(source.ip() == from && target.ip() == to && is_message);
        }
    });
    count
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
    Turmoil::now().min(room.phases.end)
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

    async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, IpAddr)> {
        let (stream, from) = listener.accept().await?;
        Ok((stream, from.ip()))
    }

    async fn connect(to: NodeId) -> io::Result<TcpStream> {
        TcpStream::connect((name(to), PORT)).await
    }
}
