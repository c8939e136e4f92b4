//! Services that are not ours on turmoil: their code and their protocols, our clocks, faults, recorder and digest.
//!
//! ```text
//!   service (tokio, axum, ...) ◄─── turmoil's TCP ───► client tasks
//!      │ what time is it?                                  │ asked this, was told that
//!      └────────► machine of each host: a world of one ◄───┘
//!                 clock, faults, ledger ──► observations, digest
//! ```
//!
//! A host's software is a closure that is called at every start: what it captured survives a crash, as a disk would;
//! all else is gone. It sees its machine through a [`Host`]. tokio's timers run on the world's time, whatever the
//! machine's oscillator does; [`Host::sleep`] runs on the machine's monotonic clock.
//!
//! A cut holds what is on its way on its link, one way, and lets it arrive when the cut ends, but not before its latency
//! is over, as retransmission would: turmoil's TCP sends nothing twice, so that a stream which lost a segment would be
//! stuck for good. Nothing else moves. A crash is polite, as turmoil's are: its peers see their connections end.

mod host;
mod lodging;

use core::future::Future;
use core::pin::Pin;
use std::sync::Arc;

use crate::chance::Seed;
use crate::clock_profile::ClockProfile;
use crate::digest::Digest;
use crate::fault::{Family, FaultPlan};
use crate::kernel::MessageCounts;
use crate::network_profile::{LatencyProfile, NetworkProfile};
use crate::setup::{NodeSetup, RunOptions, WorldSetup};
use crate::substrate::room::Room;
use crate::substrate::turmoil::{conduct, simulation};
use crate::substrate::{Evidence, Phases, Substrate, SubstrateError};

use host::Seat;
pub use host::{Host, Noting};
use lodging::Guests;

/// How a host's software ends, if it ends: an error ends the run.
pub type Ending = Result<(), Box<dyn std::error::Error>>;

type Software<O> = Box<dyn Fn(Host<O>) -> Pin<Box<dyn Future<Output = Ending>>>>;

/// One host: what it is called, its clock, and what runs on it.
pub struct Guest<O: Noting> {
    name: String,
    clock: ClockProfile,
    software: Software<O>,
}

impl<O: Noting> Guest<O> {
    /// A host called `name`, under which the others reach it; `software` is called at every start.
    ///
    /// Bounds: a name is a letter, then letters, digits and hyphens, 63 at most.
    pub fn new<F>(
        name: impl Into<String>,
        clock: ClockProfile,
        software: impl Fn(Host<O>) -> F + 'static,
    ) -> Self
    where
        F: Future<Output = Ending> + 'static,
    {
        Self { name: name.into(), clock, software: Box::new(move |host| Box::pin(software(host))) }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its clock.
    #[must_use]
    pub const fn clock(&self) -> &ClockProfile {
        &self.clock
    }
}

/// Everything a run of somebody's service is made from.
pub struct GuestSetup<O: Noting> {
    /// Where all chance comes from: turmoil's too.
    pub seed: Seed,
    /// The hosts, by [`NodeId`](crate::node::NodeId).
    pub guests: Vec<Guest<O>>,
    /// How long segments take: as on the kernel, rounded up to whole milliseconds, 1 at least.
    pub latency: LatencyProfile,
    /// The faults.
    pub plan: FaultPlan,
    /// What is kept.
    pub options: RunOptions,
}

/// Why faults of a family cannot be done to somebody else's service; none if they can.
#[must_use]
pub const fn lacks(family: Family) -> Option<&'static str> {
    match family {
        Family::Pause | Family::PauseMidway | Family::Slow => {
            Some("what a service has spawned runs on, nobody can hold it")
        }
        Family::Reset => Some("the connections of a service of others are not ours"),
        Family::Stop => Some("a service of others is not asked to stop, it can only crash"),
        Family::PowerLoss
        | Family::TornWrite
        | Family::DiskStall
        | Family::DiskError
        | Family::DiskLie
        | Family::DiskSlow
        | Family::DiskFull
        | Family::BitRot => Some("the disk of a service of others is not ours"),
        Family::Crash
        | Family::Restart
        | Family::RestartAs
        | Family::Cut
        | Family::ClockStep
        | Family::ClockDrift
        | Family::ClockLie
        | Family::ClockFreeze
        | Family::ClockStrobe
        | Family::ClockSyncLoss
        | Family::Noise
        | Family::Burst
        | Family::Corruption
        | Family::Reordering
        | Family::SlowLink
        | Family::Throttle => Substrate::Turmoil.lacks(family),
    }
}

/// Runs services of others on turmoil.
///
/// The digest is over every segment on every link at every millisecond, everything noted, every fault and every change
/// of a clock. Segments are not counted among the messages; what a cut held is.
///
/// # Errors
/// If the setup makes no sense or plans what cannot be done to a service of others, before anything runs; if a
/// host's software ends with an error, or turmoil gives up.
pub fn run<O: Noting>(setup: GuestSetup<O>, phases: Phases) -> Result<Evidence<O>, SubstrateError> {
    accept(&setup)?;
    let GuestSetup { seed, guests, latency, plan, options } = setup;
    let world = WorldSetup {
        seed,
        nodes: guests.iter().map(seated).collect(),
        network: NetworkProfile { latency, ..NetworkProfile::perfect(latency.min) },
        plan,
        requests: Vec::new(),
        options,
    };
    let room = Arc::new(Room::new(Substrate::Turmoil, world, phases)?);
    let names = guests.iter().map(|guest| guest.name.clone()).collect();
    let mut lodging = Guests::new(seed, names, &latency);
    let mut sim = simulation(latency, seed.stream("turmoil", 0).next_u64());
    for (guest, node) in guests.into_iter().zip(room.nodes()) {
        let host = Host::new(Arc::clone(&room), node);
        sim.host(guest.name, move || (guest.software)(host.clone()));
    }
    lodging.move_in(&sim);
    conduct(&mut sim, &room, &mut lodging)?;
    let (traffic, held) = lodging.finish();
    let mut evidence = room.evidence();
    let mut digest = Digest::default();
    digest.bytes(&evidence.digest.0.to_le_bytes());
    digest.bytes(&traffic.0.to_le_bytes());
    evidence.digest = digest.finish();
    evidence.messages = MessageCounts { cut: held, ..MessageCounts::default() };
    Ok(evidence)
}

/// The machine of a host: a world of one in which nothing runs but what takes notes.
fn seated<O: Noting>(guest: &Guest<O>) -> NodeSetup<Seat<O>> {
    NodeSetup { clock: guest.clock.clone(), ..NodeSetup::perfect(Seat::default()) }
}

fn accept<O: Noting>(setup: &GuestSetup<O>) -> Result<(), SubstrateError> {
    for (index, guest) in setup.guests.iter().enumerate() {
        let is_taken = setup.guests[..index].iter().any(|other| other.name == guest.name);
        if is_taken || !may_be_called(&guest.name) {
            return Err(SubstrateError::HostName { index, name: guest.name.clone() });
        }
    }
    Substrate::Turmoil.accept_but_for(&setup.plan, lacks)
}

fn may_be_called(name: &str) -> bool {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || character == '-';
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.len() <= 63
        && name.chars().all(is_plain)
}
