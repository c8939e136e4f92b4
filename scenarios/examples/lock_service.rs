//! A lock service of one's own, with its world, its promise and its seeded tests.
//!
//! A lease ends by the server's clock, but its holder may be paused and write later. So each grant has a larger token,
//! and the store refuses a token smaller than one it has seen. The naive store does not look at it.

use checker::mutual_exclusion::{Access, Exclusion, Grant, LockRecord};
use scenarios::own::prelude::*;

const SERVER: NodeId = NodeId(0);
const STORE: NodeId = NodeId(1);
const CLIENTS: u32 = 4;

fn main() -> ExitCode {
    own::main(SUITE)
}

pub(crate) const SUITE: Suite = Suite {
    name: "lock_service",
    command: "cargo run --example lock_service --",
    variants: &[Variant::Hardened, Variant::Naive],
    substrates: &Substrate::ALL,
    checks: &["mutual-exclusion"],
    seeds: 0..20,
    run,
};

#[derive(Clone)]
enum Part {
    /// Grants the lock to one client at a time, for 200 ms.
    Server { token: u64, holder: Option<NodeId> },
    /// Is written to under the lock.
    Store { newest: u64, variant: Variant },
    /// Takes the lock when it is asked to, works for 100 ms, then writes.
    Client { token: u64 },
}

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
enum Letter {
    Acquire,
    Granted(u64),
    Write(u64),
}

impl Message for Letter {
    fn name(&self) -> &'static str {
        match self {
            Self::Acquire => "acquire",
            Self::Granted(_) => "granted",
            Self::Write(_) => "write",
        }
    }
}

#[derive(Clone, Debug)]
enum Event {
    Granted { token: u64, holder: NodeId },
    Written { token: u64, holder: NodeId, is_accepted: bool },
}

impl Node for Part {
    type Message = Letter;
    type Request = ();
    type Record = u64;
    type Observation = Fact<Event>;

    fn handle(&mut self, input: InputOf<Self>, _: &mut Context<'_>, effects: &mut Effects<Self>) {
        match (self, input) {
            (Self::Server { token, .. } | Self::Store { newest: token, .. }, Input::Start { disk }) => {
                *token = disk.last().copied().unwrap_or(0);
            }
            (
                Self::Server { token, holder: holder @ None },
                Input::Message { from, message: Letter::Acquire },
            ) => {
                (*token, *holder) = (*token + 1, Some(from));
                effects.write(*token);
                effects.sync(SyncToken(*token));
            }
            // A token leaves when it is durable: no crash makes the server grant it twice.
            (Self::Server { token, holder: Some(holder) }, Input::Synced(_)) => {
                effects.observe(Event::Granted { token: *token, holder: *holder });
                effects.send(*holder, Letter::Granted(*token));
                effects.set_timer(TimerKey(0), Span::from_ms(200));
            }
            (Self::Server { holder, .. }, Input::Timer(_) | Input::SyncFailed(_)) => *holder = None,
            (Self::Store { newest, variant }, Input::Message { from, message: Letter::Write(token) }) => {
                let is_accepted = token >= *newest || *variant == Variant::Naive;
                *newest = token.max(*newest);
                effects.write(*newest);
                effects.observe(Event::Written { token, holder: from, is_accepted });
            }
            (Self::Client { .. }, Input::Request(())) => effects.send(SERVER, Letter::Acquire),
            (Self::Client { token }, Input::Message { message: Letter::Granted(granted), .. }) => {
                *token = granted;
                effects.set_timer(TimerKey(0), Span::from_ms(100));
            }
            (Self::Client { token }, Input::Timer(_)) => effects.send(STORE, Letter::Write(*token)),
            _ => {}
        }
    }
}

fn run(case: &Case) -> Result<Recorded, OwnError> {
    let mut chance = case.seed.stream("workload", 0);
    let asker =
        |at: u64| (TrueTime::from_ns(at * 20_000_000), NodeId(2 + chance.below(CLIENTS.into()) as u32), ());
    let requests = (0..500).map(asker).collect();
    let mut members = vec![
        Member::new("server", Role::Service, Part::Server { token: 0, holder: None }),
        Member::new("store", Role::Store, Part::Store { newest: 0, variant: case.variant }),
    ];
    let client = |number| Member::new(format!("client-{number}"), Role::Client, Part::Client { token: 0 });
    members.extend((1..=CLIENTS).map(client));
    let nemeses = vec![
        Nemesis::new(NemesisKind::Pause, &[Role::Client], 300),
        Nemesis::new(NemesisKind::Crash, &[Role::Service, Role::Store], 2_000),
        Nemesis::new(NemesisKind::Isolate, &[Role::Client], 2_000),
        Nemesis::new(NemesisKind::ClockDrift, &[Role::Service], 2_000),
        Nemesis::new(NemesisKind::DiskError, &[Role::Service], 2_000),
    ];
    let (chaos, heal) = (Span::from_seconds(8), Span::from_seconds(2));
    let world = World { members, network: NetworkProfile::lan(), nemeses, requests, chaos, heal };
    case.run(world)?.record(|observed| {
        let (records, promise) = (observed.iter().map(record).collect(), Exclusion::Fencing);
        Ok(vec![Family {
            name: "lock".into(),
            kind: FamilyKind::Records(Records::Locks { records, promise }),
        }])
    })
}

/// What the checker is to know of an event; the world has stamped it with the true time.
fn record(seen: &Observed<Fact<Event>>) -> LockRecord {
    let (lock, resource, at_ns) = (0, 0, seen.released_at.as_ns());
    match seen.observation.0 {
        Event::Granted { token, holder } => {
            LockRecord::Grant(Grant { lock, token, holder: holder.0.into(), at_ns })
        }
        Event::Written { token, holder, is_accepted } => {
            LockRecord::Access(Access { lock, resource, token, holder: holder.0.into(), at_ns, is_accepted })
        }
    }
}
