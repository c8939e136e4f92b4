//! Faults of disks on every substrate: syncs and restarts find what they find on the kernel.

use counterclock_sim::disk_profile::DiskProfile;
use counterclock_sim::fault::Fault;
use counterclock_sim::time::Span;

use super::{check_as_on_the_kernel, script};
use crate::probe::{A, Act, B, C};

const LENGTH: Span = Span::from_ms(100);

#[test]
fn disks_stall_refuse_and_lie() {
    let faults = [
        (10, Fault::DiskStall { node: A, length: LENGTH }),
        (10, Fault::DiskError { node: B, length: LENGTH }),
        (10, Fault::DiskLie { node: C, length: LENGTH }),
        (150, Fault::PowerLoss { node: C }),
        (200, Fault::Restart { node: C }),
    ];
    let mut unsynced: Vec<_> = (0..32).map(Act::Write).collect();
    unsynced.push(Act::Sync(3));
    let requests = [(20, A, vec![Act::Sync(1)]), (21, B, vec![Act::Sync(2)]), (22, C, unsynced)];
    let seen = check_as_on_the_kernel(&script(&faults, &requests), 1_000);
    assert_eq!(seen[..3], ["21 ms n1 refused 2", "22 ms n2 synced 3", "110 ms n0 synced 1"]);
    assert!(!seen[3].ends_with("31]"), "a lie is found out: {seen:?}");
}

#[test]
fn disks_are_slow_and_full_and_rot() {
    let faults = [
        (10, Fault::DiskSlow { node: A, extra: Span::from_ms(30), length: LENGTH }),
        (10, Fault::DiskFull { node: B, room: 1, length: LENGTH }),
        (30, Fault::BitRot { node: C, count: 2 }),
        (40, Fault::Crash { node: C }),
        (50, Fault::Restart { node: C }),
    ];
    let write = |token| (0..4).map(Act::Write).chain([Act::Sync(token)]).collect();
    let requests = [(20, A, write(1)), (21, B, write(2)), (22, C, write(3)), (100, C, vec![Act::ReadBoot])];
    let mut setup = script(&faults, &requests);
    setup.nodes[A.index()].disk = DiskProfile::of(Span::from_ms(5), Span::from_ms(5));
    let seen = check_as_on_the_kernel(&setup, 1_000);
    assert_eq!(seen[..2], ["21 ms n1 refused 2", "22 ms n2 synced 3"]);
    assert!(seen.contains(&"55 ms n0 synced 1".to_owned()), "{seen:?}");
    assert!(!seen.last().unwrap().ends_with("damaged []"), "{seen:?}");
}
