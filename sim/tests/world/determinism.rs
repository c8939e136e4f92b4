//! The same seed gives the same run; nothing but the seed and the setup has a say.

use counterclock_sim::chance::Seed;
use counterclock_sim::digest::DigestValue;
use counterclock_sim::kernel::World;
use counterclock_sim::setup::{RunOptions, SetupError, WorldSetup};
use counterclock_sim::time::{Span, TrueTime};
use counterclock_sim::trace::first_difference;

use crate::probe::{A, Probe, Script, chatter, run_setup, setup};

/// The digest after 150 ms of chatter.
fn check(seed: Seed, change: impl Fn(&mut WorldSetup<Probe>)) -> DigestValue {
    let mut setup = chatter(seed);
    change(&mut setup);
    run_setup(setup, 150).digest()
}

#[test]
fn the_same_seed_gives_the_same_digest_and_another_seed_another() {
    let mut digests = Vec::new();
    for seed in Seed::range(0..50) {
        let digest = check(seed, |_| ());
        assert_eq!(check(seed, |_| ()), digest, "seed {seed}");
        assert!(!digests.contains(&digest), "seed {seed}");
        digests.push(digest);
    }
}

#[test]
fn a_run_is_the_same_on_every_machine_and_in_every_build() {
    let digest = check(Seed(1), |_| ()).to_string();
    assert_eq!(
        digest, "861a35ae672cc0a2044cca899518bc71",
        "old seeds would mean another run: say so in the changelog"
    );
}

#[test]
fn what_is_kept_changes_no_digest() {
    let options = RunOptions { keep_trace: true, clock_sample_every: Some(Span::from_us(100)) };
    for seed in Seed::range(0..20) {
        assert_eq!(check(seed, |setup| setup.options = options), check(seed, |_| ()), "seed {seed}");
    }
}

#[test]
fn the_plan_and_the_workload_are_part_of_the_digest() {
    let seed = Seed(3);
    let digest = check(seed, |_| ());
    assert_ne!(check(seed, |setup| drop(setup.plan.faults.pop())), digest);
    assert_ne!(check(seed, |setup| drop(setup.requests.pop())), digest);
}

#[test]
fn a_world_cloned_midway_goes_on_as_the_original() {
    for seed in Seed::range(0..50) {
        let mut world = World::new(chatter(seed)).unwrap();
        world.run_until(TrueTime::ZERO + Span::from_ms(seed.0 * 2));
        let mut clone = world.clone();
        world.run_until(TrueTime::ZERO + Span::from_ms(150));
        clone.run_until(TrueTime::ZERO + Span::from_ms(150));
        assert_eq!(clone.digest(), world.digest(), "seed {seed}");
        assert_eq!(clone.observations(), world.observations(), "seed {seed}");
        assert_eq!(clone.digest(), check(seed, |_| ()), "seed {seed}");
    }
}

#[test]
fn a_clone_goes_on_under_another_seed_if_asked_to() {
    let mut world = World::new(chatter(Seed(1))).unwrap();
    world.run_until(TrueTime::ZERO + Span::from_ms(40));
    let branch = |seed| {
        let mut clone = world.clone();
        clone.reseed(seed);
        clone.run_until(TrueTime::ZERO + Span::from_ms(150));
        clone.digest()
    };
    assert_eq!(branch(Seed(7)), branch(Seed(7)));
    assert_ne!(branch(Seed(7)), branch(Seed(8)));
    assert_ne!(branch(Seed(7)), check(Seed(1), |_| ()));
}

#[test]
fn stepping_is_running() {
    let mut stepped = World::new(chatter(Seed(4))).unwrap();
    let mut last = TrueTime::ZERO;
    for count in 1..=500 {
        let step = stepped.step().expect("chatter goes on");
        assert!(step.at >= last);
        last = step.at;
        assert_eq!((stepped.events(), stepped.now()), (count, last));
    }
    let mut ran = World::new(chatter(Seed(4))).unwrap();
    ran.run_until(last);
    assert!(ran.events() >= 500);
    while stepped.events() < ran.events() {
        stepped.step();
    }
    assert_eq!(stepped.digest(), ran.digest());
}

#[test]
fn traces_and_checkpoints_name_the_first_difference() {
    let run = |seed, end_ms| {
        let mut setup = chatter(seed);
        setup.options.keep_trace = true;
        run_setup(setup, end_ms)
    };
    let (left, same, right) = (run(Seed(1), 100), run(Seed(1), 100), run(Seed(2), 100));
    assert_eq!(first_difference(left.trace(), same.trace()), None);
    let difference = first_difference(left.trace(), right.trace()).expect("seeds differ");
    let index = difference.index;
    assert!(index > 0, "both worlds start alike");
    assert_eq!(left.trace()[..index], right.trace()[..index]);
    assert_ne!(left.trace()[index], right.trace()[index]);
    let run_long = |seed| {
        let mut setup = chatter(seed);
        let at = |us| TrueTime::ZERO + Span::from_ms(150) + Span::from_us(us);
        setup.requests.extend((0..2_000).map(|us| (at(us), A, Vec::new())));
        run_setup(setup, 1_000)
    };
    let (left, right) = (run_long(Seed(1)), run_long(Seed(2)));
    assert_eq!(left.checkpoints().first_differing_window(run_long(Seed(1)).checkpoints()), None);
    assert_eq!(left.checkpoints().first_differing_window(right.checkpoints()), Some(0..1_024));
}

#[test]
fn a_setup_that_makes_no_sense_is_refused_by_name() {
    let refuse = |change: fn(&mut WorldSetup<Probe>)| {
        let mut setup = setup(&Script::default());
        change(&mut setup);
        World::new(setup).unwrap_err()
    };
    assert_eq!(refuse(|setup| setup.nodes.clear()), SetupError::NodeCount { count: 0 });
    let late = TrueTime::from_ns(u64::MAX);
    let request = |at, node| (at, node, Vec::new());
    assert_eq!(
        refuse(|setup| setup.options.clock_sample_every = Some(Span::ZERO)),
        SetupError::SampleEveryZero
    );
    let mut unordered = setup(&Script::default());
    unordered.requests = vec![request(TrueTime::from_ns(2), A), request(TrueTime::from_ns(1), A)];
    assert_eq!(unordered.validate(), Err(SetupError::RequestOutOfOrder { index: 1 }));
    let mut too_late = setup(&Script::default());
    too_late.requests = vec![request(late, A)];
    assert_eq!(too_late.validate(), Err(SetupError::RequestTooLate { index: 0 }));
    let mut unknown = setup(&Script::default());
    let node = counterclock_sim::node::NodeId(3);
    unknown.requests = vec![request(TrueTime::ZERO, node)];
    assert_eq!(unknown.validate(), Err(SetupError::RequestForUnknownNode { index: 0, node }));
    assert!(matches!(
        refuse(|setup| setup.nodes[1].clock.offset_ns_max = u64::MAX),
        SetupError::Clock { .. }
    ));
    assert!(matches!(
        refuse(|setup| setup.nodes[1].disk.sync_min = Span::from_ms(1)),
        SetupError::Disk { .. }
    ));
    assert!(matches!(
        refuse(|setup| setup.nodes[1].service = Span::from_ns(u64::MAX)),
        SetupError::Service { .. }
    ));
    assert!(matches!(refuse(|setup| setup.network.latency.min = Span::from_ms(99)), SetupError::Network(_)));
}
