//! What disks do wrong: each fault fires, does what it says, and counts what it did.

use counterclock_sim::chance::Seed;
use counterclock_sim::disk_profile::DiskProfile;
use counterclock_sim::fault::Fault;
use counterclock_sim::kernel::World;
use counterclock_sim::node::NodeId;
use counterclock_sim::setup::WorldSetup;
use counterclock_sim::time::Span;

use crate::probe::{A, Act, Probe, Script, check, run, run_setup, seen, setup};

const LENGTH: Span = Span::from_ms(100);

fn write(at: u64, records: &[u64], token: u64) -> (u64, NodeId, Vec<Act>) {
    let writes = records.iter().map(|record| Act::Write(*record));
    (at, A, writes.chain([Act::Sync(token)]).collect())
}

/// The world of one seed, and what A reads when it starts again: `[records] version 0, damaged [places]`.
fn restart(seed: Seed, script: &Script) -> (World<Probe>, String) {
    let mut script = script.clone();
    script.requests.push((900, A, vec![Act::ReadBoot]));
    let world = run_setup(WorldSetup { seed, ..setup(&script) }, 1_000);
    let lines = seen(&world);
    let of = |marker: &str| {
        let line = lines.iter().rev().find_map(|line| Some(line.split_once(marker)?.1.to_owned()));
        line.unwrap()
    };
    let found = format!("{} {}", of("starts "), of("version 0, "));
    (world, found)
}

/// What A reads when it starts again, once for each different outcome over many seeds.
fn outcomes(script: &Script) -> Vec<String> {
    let mut found: Vec<String> = Seed::range(0..200).map(|seed| restart(seed, script).1).collect();
    found.sort();
    found.dedup();
    found
}

fn torn(requests: Vec<(u64, NodeId, Vec<Act>)>) -> Script {
    Script { faults: vec![(50, Fault::TornWrite { node: A }), (60, Fault::Restart { node: A })], requests }
}

#[test]
fn torn_writes_survive_in_any_selection_and_checksums_tell() {
    let unsynced = (20, A, vec![Act::Write(2), Act::Write(3)]);
    let want = [
        "[1, 2, 3] damaged []",
        "[1, 2] damaged [2]",
        "[1, 2] damaged []",
        "[1, 3] damaged [1]",
        "[1] damaged [1]",
        "[1] damaged []",
    ];
    assert_eq!(outcomes(&torn(vec![write(10, &[1], 1), unsynced])), want);
}

#[test]
fn synced_records_and_rewrites_are_never_torn() {
    assert_eq!(outcomes(&torn(vec![write(10, &[1, 2, 3], 1)])), ["[1, 2, 3] damaged []"]);
    let rewrite = (20, A, vec![Act::Rewrite(vec![7, 8, 9])]);
    let want = ["[1, 2] damaged []", "[7, 8, 9] damaged []"];
    assert_eq!(outcomes(&torn(vec![write(10, &[1, 2], 1), rewrite])), want);
}

#[test]
fn a_torn_write_counts_what_did_not_survive_and_takes_the_node_down() {
    let writes = (20, A, (0..40).map(Act::Write).collect());
    let script = torn(vec![writes]);
    for seed in Seed::range(0..20) {
        let (world, found) = restart(seed, &script);
        let read = found.split_once(']').unwrap().0.split(", ").count() as u64;
        assert!((10..30).contains(&read), "{found}");
        assert_eq!(world.ledger().affected(0), 40 - read + 1, "seed {seed}: {found}");
    }
    let down = run(&Script { faults: vec![(50, Fault::TornWrite { node: A })], requests: vec![] }, 100);
    assert!(!down.is_up(A));
}

#[test]
fn what_is_written_after_a_damaged_record_stays_readable_and_a_rewrite_clears_it() {
    let rot = (20, Fault::BitRot { node: A, count: 1 });
    let mut script = Script {
        faults: vec![rot, (30, Fault::Crash { node: A }), (40, Fault::Restart { node: A })],
        requests: vec![write(10, &[1], 1), write(50, &[2], 2)],
    };
    script.faults.extend([(60, Fault::PowerLoss { node: A }), (70, Fault::Restart { node: A })]);
    let (world, found) = restart(Seed(1), &script);
    assert_eq!(found, "[2] damaged [0]");
    assert_eq!(world.ledger().affected(0), 2, "each start finds it");
    script.requests.insert(1, (45, A, vec![Act::Rewrite(vec![8]), Act::Sync(5)]));
    assert_eq!(restart(Seed(1), &script).1, "[8, 2] damaged []");
}

#[test]
fn bit_rot_damages_as_many_durable_records_as_it_says_and_a_start_finds_them() {
    let script = |count| Script {
        faults: vec![
            (30, Fault::BitRot { node: A, count }),
            (40, Fault::Crash { node: A }),
            (50, Fault::Restart { node: A }),
        ],
        requests: vec![write(10, &[1, 2, 3], 1), (20, A, vec![Act::Write(4)])],
    };
    let want = ["[1, 2, 4] damaged [2]", "[1, 3, 4] damaged [1]", "[2, 3, 4] damaged [0]"];
    assert_eq!(outcomes(&script(1)), want);
    let (world, found) = restart(Seed(1), &script(9));
    assert_eq!((found.as_str(), world.ledger().affected(0)), ("[4] damaged [0, 1, 2]", 3));
    let unread = Script { faults: script(9).faults[..1].to_vec(), ..script(9) };
    assert_eq!(run(&unread, 1_000).ledger().affected(0), 0, "nobody has read them");
}

#[test]
fn a_full_disk_keeps_what_fits_and_refuses_the_next_sync() {
    let full = Fault::DiskFull { node: A, room: 1, length: LENGTH };
    let requests = [
        write(10, &[1], 1),
        write(30, &[2, 3, 4], 2),
        write(40, &[], 3),
        (50, A, vec![Act::Rewrite(vec![5, 6, 7]), Act::Sync(4)]),
        (60, A, vec![Act::Rewrite(vec![8]), Act::Sync(5)]),
        write(200, &[9], 6),
    ];
    check(
        &[(20, full.clone())],
        &requests,
        &[
            "10 ms n0 synced 1",
            "30 ms n0 refused 2",
            "40 ms n0 synced 3",
            "50 ms n0 refused 4",
            "60 ms n0 synced 5",
            "200 ms n0 synced 6",
        ],
    );
    let world = run(&Script { faults: vec![(20, full)], requests: requests.to_vec() }, 1_000);
    assert_eq!(world.records(A), [8, 9]);
    assert_eq!(world.ledger().affected(0), 3, "two writes and a rewrite");
}

#[test]
fn a_slow_disk_syncs_later_and_writes_take_their_time_with_the_sync() {
    let slow = Fault::DiskSlow { node: A, extra: Span::from_ms(30), length: LENGTH };
    let script = Script {
        faults: vec![(15, slow)],
        requests: vec![write(10, &[1, 2], 1), write(20, &[3, 4, 5], 2), write(200, &[], 3)],
    };
    let mut setup = setup(&script);
    setup.nodes[0].disk =
        DiskProfile { write: Span::from_ms(1), ..DiskProfile::of(Span::from_ms(5), Span::from_ms(5)) };
    let world = run_setup(setup, 1_000);
    assert_eq!(seen(&world), ["17 ms n0 synced 1", "58 ms n0 synced 2", "205 ms n0 synced 3"]);
    assert_eq!(world.ledger().affected(0), 1);
}

#[test]
fn a_disk_may_stall_for_half_a_minute() {
    let stall = Fault::DiskStall { node: A, length: Span::from_seconds(30) };
    let script = Script { faults: vec![(5, stall)], requests: vec![write(10, &[1], 1)] };
    let world = run(&script, 60_000);
    assert_eq!(seen(&world), ["30.005 s n0 synced 1"]);
    assert_eq!(world.ledger().affected(0), 1);
}
