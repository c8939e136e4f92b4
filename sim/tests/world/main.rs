//! What a world promises, seen from outside: one scripted node, and worlds made of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clock;
mod clock_faults;
mod clock_honesty;
mod clock_profiles;
mod determinism;
mod disks;
mod faults;
#[cfg(feature = "substrates")]
mod guests;
mod leaks;
mod ledger;
mod links;
mod machines;
mod network;
mod partitions;
mod probe;
mod refusals;
mod service;
#[cfg(feature = "substrates")]
mod substrates;
mod timers;
