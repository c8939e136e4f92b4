//! A world in one thread: the same seed gives the same run, byte for byte.
//!
//! ```text
//!               ┌──────────────────── World::step ────────────────────┐
//!   seed ─────► │  EventQueue ──pop──► Node::handle ──► Effects ──┐   │ ───► observations
//!   plan ─────► │      ▲                    ▲                     ▼   │ ───► digest, trace
//!   requests ─► │      │                NodeClock       Network, Disk │ ───► clock samples
//!               │      └──────────────── Timers ◄─────────────────┘   │ ───► ledger
//!               └─────────────────────────────────────────────────────┘
//! ```
//!
//! A node is a sans-IO state machine ([`node`]); the world does everything else ([`kernel`]). Time comes from the
//! queue, chance from streams by label ([`chance`]), faults from a plan that was written before the first event
//! ([`fault`]). This crate judges nothing and knows no system.

pub mod chance;
pub mod checkpoints;
pub mod clock;
pub mod clock_faults;
pub mod clock_forecast;
pub mod clock_profile;
pub mod compound;
pub mod digest;
pub mod discipline;
pub mod disk;
pub mod disk_profile;
pub mod family;
pub mod fault;
pub mod kernel;
pub mod ledger;
pub mod limits;
pub mod link;
pub mod network;
pub mod network_profile;
pub mod node;
pub mod oscillator;
pub mod partition;
pub mod plan;
pub mod queue;
pub mod setup;
pub mod substrate;
pub mod time;
pub mod trace;

mod apply;
mod clock_overlay;
mod disturbance;
mod event;
mod host;
mod injection;
mod outward;

mod profile;
mod service;
mod timers;
mod windows;
