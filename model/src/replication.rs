//! The replication log and those who read it.

pub mod broadcast;
pub mod consensus;
pub mod decided_log;
pub mod follower;
pub mod followers;
pub mod following;
pub mod journal;
pub mod log;
pub mod log_nodes;
pub mod replica;
