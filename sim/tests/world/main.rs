//! What a world promises, seen from outside: one scripted node, and worlds made of it.

mod clock;
#[cfg(test)]
mod clock_faults;
#[cfg(test)]
mod clock_honesty;
#[cfg(test)]
mod clock_profiles;
mod determinism;
mod faults;
mod ledger;
mod network;
#[cfg(test)]
mod probe;
mod service;
mod timers;
