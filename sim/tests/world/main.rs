//! What a world promises, seen from outside: one scripted node, and worlds made of it.

mod clock;
mod clock_faults;
mod clock_honesty;
mod clock_profiles;
mod determinism;
mod faults;
mod ledger;
mod network;
#[cfg(test)]
mod probe;
mod service;
mod timers;
