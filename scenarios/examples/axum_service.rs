//! A plain axum service on turmoil, with our clocks, faults, recorder and checks around it.

mod over_turmoil;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use checker::spec::register::{Register, RegisterAnswer, RegisterCall};
use scenarios::own::prelude::*;
use tokio::sync::Mutex;
use tokio::time::{Duration, sleep, timeout};

use over_turmoil::{NoAnswer, ask, serve};

const CLIENTS: u32 = 3;

type Disk = Arc<Mutex<i64>>;
type Note = Noted<RegisterCall, RegisterAnswer>;

/// The service: a number that can be read and, if it is what one thinks, replaced.
fn service(disk: Disk, variant: Variant) -> Router {
    let replace = match variant {
        Variant::Hardened => post(compare_and_set),
        Variant::Naive => post(look_then_set),
    };
    Router::new().route("/", get(read)).route("/{expected}/{new}", replace).with_state(disk)
}

async fn read(State(disk): State<Disk>) -> String {
    disk.lock().await.to_string()
}

async fn compare_and_set(State(disk): State<Disk>, Path((expected, new)): Path<(i64, i64)>) -> StatusCode {
    let mut value = disk.lock().await;
    sleep(Duration::from_millis(2)).await; // as long as its database takes
    if *value != expected {
        return StatusCode::CONFLICT;
    }
    *value = new;
    StatusCode::OK
}

/// The same with a bug: between the look and the change, others look too.
async fn look_then_set(State(disk): State<Disk>, Path((expected, new)): Path<(i64, i64)>) -> StatusCode {
    let found = *disk.lock().await;
    sleep(Duration::from_millis(2)).await;
    if found != expected {
        return StatusCode::CONFLICT;
    }
    *disk.lock().await = new;
    StatusCode::OK
}

fn main() -> ExitCode {
    own::main(SUITE)
}

/// What tests and runs there are.
pub(crate) const SUITE: Suite = Suite {
    name: "axum_service",
    command: "cargo run --example axum_service --",
    variants: &[Variant::Hardened, Variant::Naive],
    substrates: &[Substrate::Turmoil],
    checks: &["linearizable"],
    seeds: 0..8,
    run,
};

fn run(case: &Case) -> Result<Recorded, OwnError> {
    let mut services = vec![Service { role: Role::Service, guest: server(case.variant) }];
    services.extend((1..=CLIENTS).map(|number| {
        let guest = Guest::new(format!("client-{number}"), ClockProfile::cloud_ntp(), client);
        Service { role: Role::Client, guest }
    }));
    let nemeses = vec![
        Nemesis::new(NemesisKind::Crash, &[Role::Service], 1_000),
        Nemesis::new(NemesisKind::Isolate, &[Role::Client], 1_000),
        Nemesis::new(NemesisKind::ClockStep, &[Role::Service], 1_000),
    ];
    let latency = LatencyProfile::constant(Span::from_ms(1));
    let (chaos, heal) = (Span::from_seconds(3), Span::from_seconds(1));
    case.host(Services { services, latency, nemeses, chaos, heal })?.record(|noted| {
        let (spec, history) = (Register { initial: Some(0) }, history::<Register>(noted)?);
        let history = KeyedHistory::single("number", history);
        Ok(vec![Family { name: "number".into(), kind: FamilyKind::Register { spec, history } }])
    })
}

/// The service as a host: what its closure captured outlives a crash, as a disk does.
fn server(variant: Variant) -> Guest<Note> {
    let disk = Disk::default();
    Guest::new("server", ClockProfile::cloud_ntp(), move |host| {
        let router = service(Arc::clone(&disk), variant);
        async { Ok(serve(host, router).await?) }
    })
}

/// A client: reads the number, replaces what it has read by a number of its own, and notes what it was told.
async fn client(host: Host<Note>) -> Ending {
    let mut session = Session::new(host.clone(), 0);
    let mut own = i64::from(host.id().0) * 1_000_000;
    loop {
        let value = |_, body: String| RegisterAnswer::Value(body.parse().ok());
        let known = session.operation(RegisterCall::Read, told("GET", "/".into(), value)).await;
        if let Known::Told(RegisterAnswer::Value(Some(found))) = known {
            own += 1;
            let call = RegisterCall::CompareAndSet { expected: Some(found), new: Some(own) };
            let done = |status, _| match status {
                StatusCode::OK => RegisterAnswer::Done,
                _ => RegisterAnswer::Mismatch,
            };
            session.operation(call, told("POST", format!("/{found}/{own}"), done)).await;
        }
        host.sleep(Span::from_ms(host.below(20))).await;
    }
}

async fn told(
    method: &str,
    path: String,
    answer: impl Fn(StatusCode, String) -> RegisterAnswer,
) -> Known<RegisterAnswer> {
    match timeout(Duration::from_millis(300), ask("server", method, &path)).await {
        Ok(Ok((status, body))) => Known::Told(answer(status, body)),
        Ok(Err(NoAnswer::Unreached)) => Known::NotDone,
        Ok(Err(NoAnswer::Broken)) | Err(_) => Known::Unknown,
    }
}
