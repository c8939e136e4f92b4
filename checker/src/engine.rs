//! The searches: one algorithm a file, named for it.

pub(crate) mod configuration;
pub(crate) mod configurations;
pub(crate) mod depth_first;
pub(crate) mod entangled;
pub(crate) mod first_sight;
pub(crate) mod forced_order;
pub(crate) mod increments;
pub(crate) mod offsets;
pub mod open;
pub(crate) mod program_order;
pub(crate) mod program_slots;
pub mod programs;
pub(crate) mod race;
pub(crate) mod replay;
pub(crate) mod saturation;
pub mod shortcut;
#[cfg(test)]
pub(crate) mod shortcut_trials;
pub(crate) mod slots;
pub(crate) mod timeline;
pub(crate) mod tokens;
pub(crate) mod turns;
pub(crate) mod view;
pub(crate) mod visibility;
pub(crate) mod visibility_graph;
pub(crate) mod weaken;
pub(crate) mod window;
pub(crate) mod witness;
pub(crate) mod zones;
