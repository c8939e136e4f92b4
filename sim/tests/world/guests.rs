//! Services of others on turmoil: what our clocks, faults, recorder and digest do around them.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use counterclock_sim::chance::Seed;
use counterclock_sim::clock_profile::ClockProfile;
use counterclock_sim::digest::{Canonical, Digest};
use counterclock_sim::fault::{Fault, FaultPlan, PlannedFault};
use counterclock_sim::network_profile::{LatencyProfile, NetworkProfile};
use counterclock_sim::node::NodeId;
use counterclock_sim::setup::RunOptions;
use counterclock_sim::substrate::guest::{self, Ending, Guest, GuestSetup, Host};
use counterclock_sim::substrate::{Evidence, Phases, SubstrateError};
use counterclock_sim::time::{Span, TrueTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use turmoil::net::{TcpListener, TcpStream, UdpSocket};

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
    run_with(guests, faults, LatencyProfile::constant(Span::from_ms(2)))
}

fn run_with(
    guests: Vec<Guest<Word>>,
    faults: Vec<(u64, Fault)>,
    latency: LatencyProfile,
) -> Result<Evidence<Word>, SubstrateError> {
    let faults = faults.into_iter().map(|(ms, fault)| PlannedFault { at: at(ms), fault });
    let setup = GuestSetup {
        seed: Seed(1),
        guests,
        latency,
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

/// Hosts that send each other a datagram every 20 ms, and note those that come: `from sent`, in ms.
fn crowd(names: &'static [&'static str]) -> Vec<Guest<Word>> {
    let talking = |name: &'static str| {
        guest(name, move |host| async move {
            let socket = Rc::new(UdpSocket::bind(("0.0.0.0", 9)).await?);
            let hearing = Rc::clone(&socket);
            let noting = host.clone();
            drop(tokio::task::spawn_local(async move {
                let mut datagram = [0; 32];
                while let Ok((length, _)) = hearing.recv_from(&mut datagram).await {
                    note(&noting, String::from_utf8_lossy(&datagram[..length]));
                }
            }));
            loop {
                let sent = host.wall().as_ns() / 1_000_000;
                for other in names.iter().filter(|other| **other != name) {
                    socket.send_to(format!("{name} {sent}").as_bytes(), (*other, 9)).await?;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
    };
    names.iter().map(|name| talking(name)).collect()
}

const CROWD: &[&str] = &["n0", "n1", "n2"];

/// When what was sent arrived, by sender, receiver and when it was sent. Unit: ms.
fn arrivals(faults: Vec<(u64, Fault)>, latency: LatencyProfile) -> BTreeMap<(String, String, u64), u64> {
    let evidence = run_with(crowd(CROWD), faults, latency).unwrap();
    let heard = evidence.observations.iter().map(|seen| {
        let (from, sent) = seen.observation.0.split_once(' ').unwrap();
        let link = (from.to_owned(), seen.node.to_string(), sent.parse().unwrap());
        (link, seen.at.as_ns() / 1_000_000)
    });
    let arrivals: BTreeMap<_, _> = heard.collect();
    assert_eq!(arrivals.len(), evidence.observations.len(), "nothing comes twice");
    arrivals
}

fn latencies() -> [LatencyProfile; 3] {
    let varied = LatencyProfile {
        typical: Span::from_ms(15),
        tail: Span::from_ms(60),
        ..LatencyProfile::constant(Span::from_ms(3))
    };
    [LatencyProfile::constant(Span::from_ms(50)), varied, NetworkProfile::wan().latency]
}

#[test]
fn what_is_in_flight_the_other_way_arrives_when_it_would_without_a_cut() {
    let server = || {
        guest("server", |host| async move {
            let socket = UdpSocket::bind(("0.0.0.0", 9)).await?;
            tokio::time::sleep(Duration::from_millis(40)).await;
            socket.send_to(b"word", ("client", 9)).await?;
            note(&host, "sent");
            core::future::pending().await
        })
    };
    let client = || {
        guest("client", |host| async move {
            let socket = UdpSocket::bind(("0.0.0.0", 9)).await?;
            let (length, _) = socket.recv_from(&mut [0; 9]).await?;
            note(&host, format!("heard {length}"));
            Ok(())
        })
    };
    let cut = |ms, links| (ms, Fault::Cut { links, length: Span::from_ms(20) });
    let back = vec![(CLIENT, SERVER)];
    let check = |faults, want| {
        let latency = LatencyProfile::constant(Span::from_ms(50));
        let evidence = run_with(vec![server(), client()], faults, latency).unwrap();
        assert_eq!(noted(&evidence), ["n0 40 sent".to_owned(), format!("n1 {want} heard 4")]);
    };
    check(Vec::new(), 90);
    check(vec![cut(45, back.clone())], 90);
    check(vec![cut(45, back.clone()), cut(60, back.clone()), cut(66, back)], 90);
    // On the link of a cut it is held, and never comes before its latency is over.
    let there = || vec![(SERVER, CLIENT)];
    check(vec![cut(45, there())], 90);
    check(vec![cut(85, there())], 105);
    check(vec![cut(71, there()), cut(91, there())], 111);
    check(vec![cut(30, there())], 90);
}

#[test]
fn cuts_move_nothing_on_other_links_and_nothing_before_its_time() {
    let node = |number| NodeId(number);
    let cut = |ms, links, length| (ms, Fault::Cut { links, length: Span::from_ms(length) });
    let plans = [
        vec![cut(100, vec![(node(0), node(1))], 200)],
        vec![cut(100, vec![(node(0), node(1))], 200), cut(150, vec![(node(1), node(0))], 400)],
        vec![
            cut(100, vec![(node(0), node(1)), (node(2), node(1))], 300),
            cut(250, vec![(node(0), node(1))], 300),
        ],
        vec![cut(300, vec![(node(0), node(1)), (node(1), node(0))], 5_000)],
        vec![cut(301, vec![(node(1), node(0))], 1), cut(304, vec![(node(1), node(0))], 1)],
    ];
    for latency in latencies() {
        let whole = arrivals(Vec::new(), latency);
        assert!(whole.len() > 300, "{}", whole.len());
        for plan in &plans {
            let is_cut = |from: &str, to: &str, at: u64| {
                plan.iter().any(|(begins, fault)| {
                    let Fault::Cut { links, length } = fault else { unreachable!("only cuts are planned") };
                    let ends = (begins + length.as_ns() / 1_000_000).min(1_000);
                    let is_on = |(f, t): &(NodeId, NodeId)| {
                        (f.to_string(), t.to_string()) == (from.into(), to.into())
                    };
                    links.iter().any(is_on) && (*begins..ends).contains(&at)
                })
            };
            let found = arrivals(plan.clone(), latency);
            assert_eq!(found.len(), whole.len(), "{plan:?}: a cut holds, and loses nothing");
            for ((from, to, sent), at) in &whole {
                let came = found[&(from.clone(), to.clone(), *sent)];
                if is_cut(from, to, *at) {
                    assert!(came > *at && !is_cut(from, to, came), "{from} {to} {sent}: {at}, {came}");
                    assert!(is_cut(from, to, came - 1), "{from} {to} {sent}: it comes when the cut ends");
                } else {
                    assert_eq!(came, *at, "{from} {to} {sent}: {plan:?}");
                }
            }
        }
    }
}

#[test]
fn how_long_segments_take_follows_from_seed_link_and_place_alone() {
    let [_, varied, _] = latencies();
    let travelled =
        |(link, at): (&(String, String, u64), &u64)| ((link.0.clone(), link.1.clone()), at - link.2);
    let whole = arrivals(Vec::new(), varied);
    let mut by_link: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    whole.iter().map(travelled).for_each(|(link, took)| by_link.entry(link).or_default().push(took));
    assert_eq!(by_link.len(), 6);
    for (link, took) in &by_link {
        assert!(took.iter().all(|ms| (3..=60).contains(ms)), "{link:?}: {took:?}");
        let faster = took.iter().filter(|ms| **ms <= 15).count() * 100 / took.len();
        assert!((35..=65).contains(&faster), "{link:?}: {faster} % take no longer than the typical latency");
    }
    let distinct: BTreeSet<_> = by_link.values().collect();
    assert_eq!(distinct.len(), 6, "each link has its own chance");
    // A host that falls silent changes nothing for the others.
    let silent = arrivals(vec![(200, Fault::Crash { node: NodeId(2) })], varied);
    let others = |arrivals: &BTreeMap<(String, String, u64), u64>| {
        let is_other = |((from, to, _), _): &(&(String, String, u64), &u64)| from != "n2" && to != "n2";
        arrivals.iter().filter(is_other).map(|(link, at)| (link.clone(), *at)).collect::<Vec<_>>()
    };
    assert_eq!(others(&silent), others(&whole));
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
