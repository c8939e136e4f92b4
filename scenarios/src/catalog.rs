//! The scenarios that come with the command.

/// Name and text of each, in the order of `list`.
const CATALOG: &[(&str, &str)] = &[
    ("capacity", include_str!("../catalog/capacity.toml")),
    ("config-switch", include_str!("../catalog/config-switch.toml")),
    ("counters-partition", include_str!("../catalog/counters-partition.toml")),
    ("rolling-restart", include_str!("../catalog/rolling-restart.toml")),
    ("clock-steps", include_str!("../catalog/clock-steps.toml")),
    ("capacity-push", include_str!("../catalog/capacity-push.toml")),
    ("capacity-singleton", include_str!("../catalog/capacity-singleton.toml")),
    ("capacity-compare-and-set", include_str!("../catalog/capacity-compare-and-set.toml")),
    ("capacity-stream", include_str!("../catalog/capacity-stream.toml")),
    ("capacity-consensus", include_str!("../catalog/capacity-consensus.toml")),
    ("capacity-kinds", include_str!("../catalog/capacity-kinds.toml")),
    ("capacity-chooser", include_str!("../catalog/capacity-chooser.toml")),
    ("capacity-versions", include_str!("../catalog/capacity-versions.toml")),
    ("counter-sharded", include_str!("../catalog/counter-sharded.toml")),
    ("overview", include_str!("../catalog/overview.toml")),
    ("config-cached", include_str!("../catalog/config-cached.toml")),
    ("config-push", include_str!("../catalog/config-push.toml")),
    ("config-two-phase", include_str!("../catalog/config-two-phase.toml")),
    ("config-150", include_str!("../catalog/config-150.toml")),
    ("config-demo", include_str!("../catalog/config-demo.toml")),
    ("disk-trouble", include_str!("../catalog/disk-trouble.toml")),
    ("replication", include_str!("../catalog/replication.toml")),
    ("replication-quiet", include_str!("../catalog/replication-quiet.toml")),
    ("consensus", include_str!("../catalog/consensus.toml")),
    ("consensus-disks", include_str!("../catalog/consensus-disks.toml")),
    ("chain", include_str!("../catalog/chain.toml")),
    ("chain-commitments", include_str!("../catalog/chain-commitments.toml")),
    ("lease-lock", include_str!("../catalog/lease-lock.toml")),
    ("lease-drift", include_str!("../catalog/lease-drift.toml")),
    ("election", include_str!("../catalog/election.toml")),
    ("commit", include_str!("../catalog/commit.toml")),
    ("lww-hybrid-clock", include_str!("../catalog/lww-hybrid-clock.toml")),
    ("lww-version-vector", include_str!("../catalog/lww-version-vector.toml")),
    ("lww-records", include_str!("../catalog/lww-records.toml")),
    ("workflow", include_str!("../catalog/workflow.toml")),
    ("stream", include_str!("../catalog/stream.toml")),
    ("counter-sync", include_str!("../catalog/counter-sync.toml")),
    ("counter-failover", include_str!("../catalog/counter-failover.toml")),
    ("counter-dist", include_str!("../catalog/counter-dist.toml")),
    ("counter-dist-disks", include_str!("../catalog/counter-dist-disks.toml")),
    ("counter-rollup", include_str!("../catalog/counter-rollup.toml")),
];

/// The names, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    CATALOG.iter().map(|(name, _)| *name)
}

/// The text of the scenario file of that name.
#[must_use]
pub fn text(name: &str) -> Option<&'static str> {
    CATALOG.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// `name` itself, if it is not a name from the catalog but the path of a file.
#[must_use]
pub fn path_of(name: &str) -> Option<String> {
    text(name).is_none().then(|| name.to_owned())
}
