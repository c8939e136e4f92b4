//! madsim as a substrate: a madsim node a node, messages as bytes over its simulated TCP, its time as the true time.
//!
//! ```text
//!   conductor (madsim's main node):  cuts begin and end · dead nodes are killed · nodes that are up again restart
//!   madsim node k:                   its driver lets its machine run, writes what it sent, waits
//! ```
//!
//! Time jumps from timer to timer, and each task that runs takes 50 to 100 ns of it. Which of the ready tasks runs next
//! is drawn from madsim's one generator, which we seed. Waits inside madsim's network take 1 ms at least: dialling takes
//! three of them, and two messages of one connection arrive 1 ms apart or more. A cut is madsim's clogged link, on which
//! a stream asks again later and later; so a cut also resets the connections that it crosses. Node k has the address
//! 10.0.0.0 + k + 1.

use core::time::Duration;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use madsim::net::{NetSim, TcpListener, TcpStream};
use madsim::runtime::{Handle, NodeHandle, Runtime};
use madsim::time::TimeHandle;
use serde::Serialize;
use serde::de::DeserializeOwned;

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

/// Runs a world on madsim.
///
/// # Errors
/// If the setup makes no sense or plans what madsim cannot express, before anything runs; if a message cannot be
/// encoded, or madsim gives up.
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
    let seed = setup.seed.stream("madsim", 0).next_u64();
    let config = config(setup.network.latency);
    let room = Arc::new(Room::new(Substrate::Madsim, setup, phases)?);
    Runtime::with_seed_and_config(seed, config).block_on(conduct(Arc::clone(&room), decode))?;
    Ok(room.evidence())
}

/// Every latency from the smallest to the largest, the largest included.
fn config(latency: LatencyProfile) -> madsim::Config {
    let span = |span: Span| Duration::from_nanos(span.as_ns());
    let send_latency = span(latency.min)..span(latency.tail) + Duration::from_nanos(1);
    let net = madsim::net::Config { send_latency, ..Default::default() };
    madsim::Config { net, ..Default::default() }
}

/// Runs from instant to instant to the end, and does what happens to nodes and links from outside.
async fn conduct(room: Arc<Room<Erased>>, decode: Decode) -> Result<(), SubstrateError> {
    let mut hosts = MadsimHosts {
        handle: Handle::current(),
        network: NetSim::current(),
        nodes: room.nodes().map(|node| create(&room, node, decode)).collect(),
    };
    let mut conductor = Conductor::new(&room);
    let result = loop {
        let now = Madsim::now().min(room.phases.end);
        conductor.conduct(&room, &mut hosts, now);
        if let Some(error) = room.take_error() {
            break Err(error);
        }
        if now == room.phases.end {
            break Ok(());
        }
        let due = conductor.next_at(&room).since(now);
        // The order is fixed: nothing but the seed may choose.
        tokio::select! {
            biased;
            () = room.calls.notified() => {}
            () = Madsim::sleep(due) => {}
        }
    };
    hosts.dismiss().await;
    result
}

/// A madsim node that runs the driver of `node`, from now on and whenever it restarts.
fn create(room: &Arc<Room<Erased>>, node: NodeId, decode: Decode) -> NodeHandle {
    let room = Arc::clone(room);
    let drive = move || {
        let room = Arc::clone(&room);
        async move {
            if let Err(error) = driver::drive::<Madsim>(Arc::clone(&room), node, decode).await {
                let found = error.to_string();
                room.fail(SubstrateError::GaveUp { substrate: Substrate::Madsim, found });
            }
        }
    };
    Handle::current().create_node().name(node.to_string()).ip(address(node)).init(drive).build()
}

fn address(node: NodeId) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 1)) + node.0))
}

/// madsim's nodes, from outside.
struct MadsimHosts {
    handle: Handle,
    network: Arc<NetSim>,
    /// By node.
    nodes: Vec<NodeHandle>,
}

impl MadsimHosts {
    fn id(&self, node: NodeId) -> madsim::task::NodeId {
        self.nodes[node.index()].id()
    }

    /// Ends all nodes: a task that waits for ever would keep what it holds for ever.
    async fn dismiss(self) {
        self.nodes.iter().for_each(|node| self.handle.kill(node.id()));
        Madsim::sleep(Span::from_ms(1)).await;
    }
}

impl Hosts for MadsimHosts {
    fn turn(&mut self, change: LinkChange) {
        let (from, to) = (self.id(change.from), self.id(change.to));
        if change.is_cut {
            self.network.clog_link(from, to);
        } else {
            self.network.unclog_link(from, to);
        }
    }

    fn kill(&mut self, node: NodeId) {
        self.handle.kill(self.id(node));
    }

    fn start(&mut self, node: NodeId) {
        self.handle.restart(self.id(node));
    }
}

/// madsim's network, as a node sees it.
struct Madsim;

impl Wire for Madsim {
    type Stream = TcpStream;
    type Listener = TcpListener;

    fn now() -> TrueTime {
        let elapsed = TimeHandle::current().elapsed();
        TrueTime::from_ns(u64::try_from(elapsed.as_nanos()).expect("a run is not longer than the longest"))
    }

    async fn sleep(span: Span) {
        // A sleep is made 1 ms long at least; one that is set anew is as long as it is said to be.
        let now = TimeHandle::current().now_instant();
        let mut sleep = core::pin::pin!(madsim::time::sleep(Duration::ZERO));
        sleep.as_mut().reset(now + Duration::from_nanos(span.as_ns()));
        sleep.await;
    }

    fn spawn(task: impl Future<Output = ()> + 'static) {
        // A task ends with its node; nobody waits for it.
        drop(madsim::task::spawn_local(task));
    }

    async fn listen() -> io::Result<TcpListener> {
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await
    }

    async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
        Ok(listener.accept().await?.0)
    }

    async fn connect(to: NodeId) -> io::Result<TcpStream> {
        TcpStream::connect((address(to), PORT)).await
    }
}
