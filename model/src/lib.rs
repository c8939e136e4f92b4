//! The systems: what runs in the world and is judged there, without knowing it.
//!
//! ```text
//!   Client ──ask──► Service ─────────append──────► Log
//!   Publisher       │ decider: a slot's owner, or    │
//!      │            │          compare and set       │ entries ──► Chooser
//!      ▼            │ delivery: the limit in force   │
//!    Store ◄─read── │ replica: what readers see ◄────┘
//!      └── directly, through a Cache, by watch or in two phases ──► Worker
//! ```
//!
//! Every part is a plain state machine over [`sim::node`]. [`rules`] lists the lines in which the naive and the
//! hardened variant, and every mutant, differ; everything else they share.

pub mod broker;
pub mod cache;
pub mod capacity;
pub mod chain;
pub mod chooser;
pub mod client;
pub mod config;
pub mod coordination;
pub mod counter;
pub mod counting;
pub mod database;
pub mod disk_log;
pub mod durable;
pub mod ids;
pub mod message;
pub mod overview;
#[cfg(test)]
mod probe;
pub mod publisher;
pub mod replication;
pub mod rules;
pub mod service;
pub mod store;
