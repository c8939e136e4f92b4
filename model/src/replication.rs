//! The replication log and those who read it.

pub mod log;
pub mod replica;
