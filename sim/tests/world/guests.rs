//! Services of others on turmoil: what our clocks, faults, recorder and digest do around them.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use counterclock_sim::chance::Seed;
use counterclock_sim::clock_profile::ClockProfile;
use counterclock_sim::digest::{Canonical, Digest};
use counterclock_sim::fault::{Fault, FaultPlan, PlannedFault};
use counterclock_sim::network_profile::LatencyProfile;
use counterclock_sim::node::NodeId;
use counterclock_sim::setup::RunOptions;
use counterclock_sim::substrate::guest::{self, Ending, Guest, GuestSetup, Host};
use counterclock_sim::substrate::{Evidence, Phases, SubstrateError};
use counterclock_sim::time::{Span, TrueTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use turmoil::net::{TcpListener, TcpStream};

const SERVER: NodeId = NodeId(0);
const CLIENT: NodeId = NodeId(1);

/// Something noted by a host.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word(String);

impl Canonical for Word {
    fn feed(&self, digest: &mut Digest) {
        digest.str(&self.0);
    }
}

type Machine = Host<Word>;

fn at(ms: u64) -> TrueTime {
    TrueTime::ZERO + Span::from_ms(ms)
}

fn note(host: &Machine, word: impl ToString) {
    host.note(Word(word.to_string()));
}

/// A run of one second and a half of which faults happen in the first second, from seed 1.
fn run(guests: Vec<Guest<Word>>, faults: Vec<(u64, Fault)>) -> Result<Evidence<Word>, SubstrateError> {
    let faults = faults.into_iter().map(|(ms, fault)| PlannedFault { at: at(ms), fault });
    let setup = GuestSetup {
        seed: Seed(1),
        guests,
        latency: LatencyProfile::constant(Span::from_ms(2)),
        plan: FaultPlan { faults: faults.collect() },
        options: RunOptions { keep_trace: true, clock_sample_every: None },
    };
    guest::run(setup, Phases { faults_end: Some(at(1_000)), end: at(1_500) })
}

/// What was noted, each as `node at what`, instants in ms.
fn noted(evidence: &Evidence<Word>) -> Vec<String> {
    let line = |seen: &counterclock_sim::kernel::Observed<Word>| {
        format!("{} {} {}", seen.node, seen.at.as_ns() / 1_000_000, seen.observation.0)
    };
    evidence.observations.iter().map(line).collect()
}

fn guest<F>(name: &str, software: impl Fn(Machine) -> F + 'static) -> Guest<Word>
where
    F: Future<Output = Ending> + 'static,
{
    Guest::new(name, ClockProfile::perfect(), software)
}

/// Sends back each byte.
fn echo() -> Guest<Word> {
    guest("server", |_| async {
        let listener = TcpListener::bind(("0.0.0.0", 9)).await?;
        loop {
            let (mut stream, _) = listener.accept().await?;
            drop(tokio::task::spawn_local(async move {
                while let Ok(byte) = stream.read_u8().await {
                    if stream.write_u8(byte).await.is_err() {
                        return;
                    }
                }
            }));
        }
    })
}

/// Sends a byte each 100 ms on one connection and notes when it comes back.
fn asker(first: u8) -> Guest<Word> {
    guest("client", move |host| async move {
        let mut stream = TcpStream::connect(("server", 9)).await?;
        for byte in first.. {
            stream.write_u8(byte).await?;
            note(&host, stream.read_u8().await?);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    })
}

/// Notes its wall clock every 400 ms of its monotonic clock.
fn watch() -> Guest<Word> {
    guest("server", |host| async move {
        loop {
            note(&host, host.wall().as_ns() / 1_000_000);
            host.sleep(Span::from_ms(400)).await;
        }
    })
}

/// When each byte came back under these faults. Unit: ms.
#[track_caller]
fn check(faults: Vec<(u64, Fault)>, want: &[u64]) -> Evidence<Word> {
    let evidence = run(vec![echo(), asker(0)], faults).unwrap();
    let found: Vec<u64> = evidence.observations.iter().map(|seen| seen.at.as_ns() / 1_000_000).collect();
    assert_eq!(&found[..want.len()], want, "{found:?}");
    evidence
}

#[test]
fn a_cut_holds_what_is_on_its_way_and_lets_it_arrive_when_it_ends() {
    let whole = check(Vec::new(), &[]);
    assert!(whole.observations.len() > 10, "{:?}", noted(&whole));
    let before = whole.observations[0].at.as_ns() / 1_000_000;
    let cut = |links| (50, Fault::Cut { links, length: Span::from_ms(400) });
    for links in [vec![(CLIENT, SERVER)], vec![(SERVER, CLIENT)], vec![(CLIENT, SERVER), (SERVER, CLIENT)]] {
        let evidence = check(vec![cut(links)], &[before]);
        let second = evidence.observations[1].at.as_ns() / 1_000_000;
        assert!((450..460).contains(&second), "{:?}", noted(&evidence));
        let words: Vec<_> = evidence.observations.iter().map(|seen| seen.observation.0.clone()).collect();
        assert_eq!(words[..4], ["0", "1", "2", "3"], "nothing is lost and nothing comes twice");
        assert!(evidence.ledger.affected(0) > 0);
        assert_eq!(evidence.messages.cut, evidence.ledger.affected(0));
    }
}

#[test]
fn a_cut_one_way_lets_the_other_way_pass() {
    let pushing = guest("server", |_| async {
        let listener = TcpListener::bind(("0.0.0.0", 9)).await?;
        let (mut stream, _) = listener.accept().await?;
        loop {
            stream.write_u8(7).await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let hearing = guest("client", |host| async move {
        let mut stream = TcpStream::connect(("server", 9)).await?;
        loop {
            note(&host, stream.read_u8().await?);
        }
    });
    let cut = Fault::Cut { links: vec![(CLIENT, SERVER)], length: Span::from_ms(800) };
    let evidence = run(vec![pushing, hearing], vec![(50, cut)]).unwrap();
    let during = evidence.observations.iter().filter(|seen| (at(60)..at(840)).contains(&seen.at)).count();
    assert!((6..9).contains(&during), "{:?}", noted(&evidence));
}

#[test]
fn a_host_that_crashes_starts_again_with_what_its_closure_captured_and_says_nothing_meanwhile() {
    let disk = Arc::new(AtomicU64::new(0));
    let counting = guest("server", move |host| {
        let disk = Arc::clone(&disk);
        let mut memory = 0;
        async move {
            loop {
                memory += 1;
                note(&host, format!("{} {memory} v{}", disk.fetch_add(1, Ordering::Relaxed), host.version()));
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    });
    let faults =
        vec![(350, Fault::Crash { node: SERVER }), (700, Fault::RestartAs { node: SERVER, version: 3 })];
    let evidence = run(vec![counting], faults).unwrap();
    let found = noted(&evidence);
    assert_eq!(found[..3], ["n0 0 0 1 v0", "n0 200 1 2 v0", "n0 700 2 1 v3"], "{found:?}");
    assert_eq!((evidence.ledger.affected(0), evidence.ledger.affected(1)), (1, 1));
}

#[test]
fn a_service_reads_the_clock_that_faults_have_stepped_and_the_ledger_counts_it() {
    let step = (300, Fault::ClockStep { node: SERVER, by_ns: 5_000_000_000 });
    let evidence = run(vec![watch()], vec![step]).unwrap();
    assert_eq!(noted(&evidence), ["n0 0 0", "n0 400 5400", "n0 800 5800", "n0 1200 6200"]);
    assert_eq!(evidence.ledger.affected(0), 3);
}

#[test]
fn a_sleep_on_the_hosts_own_clock_is_as_long_as_its_oscillator_says() {
    let fast = (0, Fault::ClockDrift { node: SERVER, drift_ppb: 100_000_000 });
    let evidence = run(vec![watch()], vec![fast]).unwrap();
    let second = evidence.observations[1].at.as_ns() / 1_000_000;
    assert!((363..=365).contains(&second), "400 ms of a clock that is a tenth fast: {second} ms");
}

#[test]
fn the_digest_is_that_of_the_seed_and_of_every_byte_that_travels() {
    let digest = |first| run(vec![echo(), asker(first)], Vec::new()).unwrap().digest;
    assert_eq!(digest(0), digest(0));
    // Only bytes on the wire differ: nobody notes anything.
    let silent = |byte| {
        let sending = guest("client", move |_| async move {
            TcpStream::connect(("server", 9)).await?.write_u8(byte).await?;
            Ok(())
        });
        run(vec![echo(), sending], Vec::new()).unwrap().digest
    };
    assert_eq!(silent(1), silent(1));
    assert_ne!(silent(1), silent(2));
}

#[test]
fn what_cannot_be_done_to_somebody_elses_service_is_refused_by_place_and_reason() {
    let refused =
        |fault| run(vec![watch()], vec![(0, Fault::Crash { node: SERVER }), (9, fault)]).unwrap_err();
    let pause = refused(Fault::Pause { node: SERVER, length: Span::from_ms(1) });
    assert_eq!(
        pause.to_string(),
        "fault 1 of the plan (pause at 9 ms): turmoil cannot do this: what a service has spawned runs on, nobody can \
         hold it"
    );
    let lost = refused(Fault::PowerLoss { node: SERVER }).to_string();
    assert!(lost.ends_with("the disk of a service of others is not ours"), "{lost}");
}

#[test]
fn a_name_that_no_host_can_have_is_refused() {
    for names in [&["a b"][..], &["10.0.0.1"], &[""], &["a", "a"], &["-a"]] {
        let guests = names.iter().map(|name| guest(name, |_| async { Ok(()) })).collect();
        let error = run(guests, Vec::new()).unwrap_err().to_string();
        assert!(error.contains("cannot be called"), "{names:?}: {error}");
    }
}

#[test]
fn a_service_that_ends_with_an_error_ends_the_run() {
    let failing = guest("server", |_| async { Err("out of luck".into()) });
    let error = run(vec![failing], Vec::new()).unwrap_err().to_string();
    assert_eq!(error, "turmoil gave up: out of luck");
}
