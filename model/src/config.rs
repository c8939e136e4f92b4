//! Scheduled configuration: who holds which version, and when it may be used.

pub mod pull;
pub mod worker;
