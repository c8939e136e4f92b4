//! The replication log and those who read it.

pub mod broadcast;
pub mod consensus;
pub mod follower;
pub mod log;
pub mod replica;
