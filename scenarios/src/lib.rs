//! Scenarios: from a seed to a verdict, once or many times.
//!
//! ```text
//!   catalog, file ──► Scenario ──┐
//!                                ├─► Plan ──► world ──► observations ──► families ──► verdict ──► folder, report
//!   seed ────────────────────────┘  (workload, nemesis, swarm)  (recorder)    (checker)
//! ```

pub mod bounded;
pub mod catalog;
pub mod compare;
pub mod folder;
pub mod grammar;
pub mod matrix;
pub mod mutants;
pub mod nemesis;
pub mod own;
mod parallel;
pub mod plan;
pub mod recorder;
pub mod replay;
pub mod runner;
pub mod scenario;
mod scenario_file;
pub mod seeds;
pub mod soak;
pub mod stopwatch;
pub mod swarm;
pub mod sweep;
pub mod system;
pub mod systems;
pub mod workload;
