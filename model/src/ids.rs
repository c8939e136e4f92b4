//! Numbers with a meaning: slots, zones, channels, orders, requests, versions, epochs, sequences, offsets.

use serde::{Deserialize, Serialize};
use sim::node::NodeId;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $repr:ty) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $repr);

        impl $name {
            /// The number that follows.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }
    };
}

number!(
    /// Something with a capacity, say two hours of deliveries. From 0.
    SlotId,
    u32
);
number!(
    /// Where a reservation comes from, if slots are particular about that. From 0.
    ZoneId,
    u8
);
number!(
    /// A channel of messages. From 0.
    ChannelId,
    u32
);
number!(
    /// What takes units of one slot's capacity, once.
    OrderId,
    u64
);
number!(
    /// A version of the configuration, from 1; 0 means none.
    Version,
    u32
);
number!(
    /// How often a slot has been opened by an owner; the highest is the only one that may append.
    Epoch,
    u32
);
number!(
    /// The how-many-th append of one owner in one epoch.
    AppendNumber,
    u32
);
number!(
    /// Position of an event within its slot, from 0.
    Sequence,
    u32
);
number!(
    /// Position of an entry within the whole log, from 0.
    Offset,
    u64
);
number!(
    /// One operation of one client, the same in all its retries.
    RequestKey,
    u64
);

/// Operations of one client in one run.
const REQUESTS_MAX: u64 = 10_000_000;

impl RequestKey {
    /// The `count`-th operation of `client`.
    ///
    /// # Panics
    /// If a client asks more than ten million times.
    #[must_use]
    pub const fn of(client: NodeId, count: u32) -> Self {
        assert!((count as u64) < REQUESTS_MAX, "a client asks less than ten million times");
        Self(client.0 as u64 * REQUESTS_MAX + count as u64)
    }
}
