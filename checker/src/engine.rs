//! The searches: one algorithm a file, named for it.

pub(crate) mod configurations;
pub(crate) mod entangled;
pub(crate) mod forced_order;
pub mod open;
pub(crate) mod program_order;
pub mod shortcut;
pub(crate) mod visibility;
pub(crate) mod visibility_graph;
pub(crate) mod witness;
