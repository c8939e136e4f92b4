//! All that a user's own system or service is written with, for one `use`.

pub use std::process::ExitCode;

pub use checker::judge::{Family, FamilyKind, Records};
pub use checker::keyed::KeyedHistory;
pub use sim::clock_profile::ClockProfile;
pub use sim::disk_profile::DiskProfile;
pub use sim::kernel::Observed;
pub use sim::network_profile::{LatencyProfile, NetworkProfile};
pub use sim::node::{Context, Effects, Input, InputOf, Message, Node, NodeId, SyncToken, TimerKey};
pub use sim::substrate::Substrate;
pub use sim::substrate::guest::{Ending, Guest, Host};
pub use sim::time::{LocalTime, MonotonicTime, Span, TrueTime};

pub use crate::own::{
    self, Case, Fact, Known, Member, Noted, OwnError, Recorded, Service, Services, Session, Suite, Variant,
    World, history,
};
pub use crate::scenario::{Nemesis, NemesisKind, Range, Role};
