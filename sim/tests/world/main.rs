//! What a world promises, seen from outside: one scripted node, and worlds made of it.

mod clock;
#[cfg(test)]
mod clock_faults;
#[cfg(test)]
mod clock_honesty;
#[cfg(test)]
mod clock_profiles;
mod determinism;
mod disks;
mod faults;
mod ledger;
mod links;
mod machines;
mod network;
mod partitions;
#[cfg(test)]
mod probe;
mod refusals;
mod service;
mod timers;
