//! The versions of a register that a replica has, and which of them go when another comes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Order, Rules, Version};

/// What became of a version that came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// It is one of the versions now.
    pub(super) is_new: bool,
    /// The version that is gone though the one in its place had not seen it: perhaps the one that came.
    pub(super) dropped: Option<Version>,
}

/// All versions of one register: of clocks at most one.
#[derive(Clone, Debug, Default)]
pub(super) struct Versions(Vec<Version>);

impl Versions {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Version> {
        self.0.iter()
    }

    /// What the register holds, smallest first.
    pub(super) fn values(&self) -> Arc<[u64]> {
        let values: BTreeSet<u64> =
            self.0.iter().flat_map(|version| version.values.iter().copied()).collect();
        values.into_iter().collect()
    }

    /// Takes a version in. Bare timestamps know only the later one, whatever the order was to be.
    ///
    /// One that is here already changes nothing: a replica that began again may not remember which ones it has seen.
    pub(super) fn put(&mut self, version: Version, order: Order, rules: Rules) -> Change {
        let is_here = |known: &Version| (known.dot, known.request) == (version.dot, version.request);
        if self.0.iter().any(is_here) {
            return Change::default();
        }
        match order {
            Order::VersionVector if rules.causal_order.is_taken() => self.put_by_vector(version, rules),
            Order::VersionVector | Order::HybridClock => self.put_by_stamp(version),
        }
    }

    fn put_by_stamp(&mut self, version: Version) -> Change {
        let Some(known) = self.0.pop() else {
            self.0.push(version);
            return Change { is_new: true, dropped: None };
        };
        let is_new = version.stamp > known.stamp;
        let (stays, goes) = if is_new { (version, known) } else { (known, version) };
        let dropped = (!stays.context.covers(goes.dot)).then_some(goes);
        self.0.push(stays);
        Change { is_new, dropped }
    }

    fn put_by_vector(&mut self, version: Version, rules: Rules) -> Change {
        if self.0.iter().any(|known| known.context.covers(version.dot)) {
            return Change::default();
        }
        if !rules.siblings_kept.is_taken() && self.0.iter().any(|known| !version.context.covers(known.dot)) {
            return self.put_by_stamp(version);
        }
        self.0.retain(|known| !version.context.covers(known.dot));
        self.0.push(version);
        Change { is_new: true, dropped: None }
    }
}
