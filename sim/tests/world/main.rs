//! What a world promises, seen from outside: one scripted node, and worlds made of it.

mod clock;
mod determinism;
mod faults;
mod ledger;
mod network;
#[cfg(test)]
mod probe;
mod service;
#[cfg(feature = "substrates")]
mod substrates;
mod timers;
