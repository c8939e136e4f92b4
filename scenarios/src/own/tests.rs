//! What a suite refuses, and what it says.

use std::sync::atomic::{AtomicU64, Ordering};

use checker::spec::register::{Register, RegisterAnswer, RegisterCall};
use sim::chance::Seed;

use super::prelude::*;
use super::{explained, run, run_once};

/// How often a node of this process was started: a state that no seed knows of.
static STARTS: AtomicU64 = AtomicU64::new(0);

/// Says at its start how often any node was started, or nothing but a seven.
#[derive(Clone)]
struct Starter(Variant);

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Nothing;

impl Message for Nothing {
    fn name(&self) -> &'static str {
        "nothing"
    }
}

impl Node for Starter {
    type Message = Nothing;
    type Request = ();
    type Record = ();
    type Observation = Noted<RegisterCall, RegisterAnswer>;

    fn handle(&mut self, input: InputOf<Self>, _: &mut Context<'_>, effects: &mut Effects<Self>) {
        if let Input::Start { .. } = input {
            let value = match self.0 {
                Variant::Hardened => 7,
                Variant::Naive => STARTS.fetch_add(1, Ordering::Relaxed),
            };
            let call = RegisterCall::Write(i64::try_from(value).ok());
            effects.observe(Noted::Asked { session: 0, call });
            effects.observe(Noted::Ended { session: 0, known: Known::Told(RegisterAnswer::Done) });
        }
    }
}

fn start(case: &Case) -> Result<Recorded, OwnError> {
    start_under(Nemesis::new(NemesisKind::Noise, &[Role::Service], 100), case)
}

fn start_under(nemesis: Nemesis, case: &Case) -> Result<Recorded, OwnError> {
    let members = vec![Member::new("starter", Role::Service, Starter(case.variant))];
    let nemeses = vec![nemesis];
    let (chaos, heal) = (Span::from_seconds(2), Span::from_seconds(1));
    let network = NetworkProfile::lan();
    case.run(World { members, network, nemeses, requests: Vec::new(), chaos, heal })?.record(|noted| {
        let history = KeyedHistory::single("only", history::<Register>(noted)?);
        let kind = FamilyKind::Register { spec: Register::default(), history };
        Ok(vec![Family { name: "register".into(), kind }])
    })
}

const SUITE: Suite = Suite {
    name: "starter",
    command: "cargo run --",
    variants: &[Variant::Hardened, Variant::Naive],
    substrates: &Substrate::ALL,
    checks: &["linearizable"],
    seeds: 0..2,
    run: start,
};

fn case(variant: Variant, substrate: Substrate) -> Case {
    Case { seed: Seed(5), variant, substrate }
}

#[test]
fn a_system_that_is_no_function_of_its_seed_is_refused_with_the_first_event_that_differs() {
    let error = run(&SUITE, &case(Variant::Naive, Substrate::Kernel)).unwrap_err().to_string();
    assert!(error.starts_with("the same seed gave two different runs ("), "{error}");
    assert!(error.contains("n0 observes Asked { session: 0, call: Write(Some("), "{error}");
    assert!(run(&SUITE, &case(Variant::Hardened, Substrate::Kernel)).is_ok());
}

#[test]
fn a_run_whose_faults_changed_nothing_is_vacuous_and_names_the_command_that_makes_it_again() {
    let verdict = run_once(&SUITE, &case(Variant::Naive, Substrate::Kernel)).unwrap().verdict;
    assert_eq!(
        verdict.verdict,
        reports::run_folder::Outcome::Vacuous,
        "a node alone has no links to disturb"
    );
    let text = explained(&verdict);
    assert!(text.ends_with("run it again with: cargo run -- --seed 5 --variant naive"), "{text}");
    assert_eq!(verdict.operations, 1);
}

#[test]
fn a_family_that_the_substrate_lacks_is_left_out_and_named() {
    let plan = run_once(&SUITE, &case(Variant::Hardened, Substrate::Turmoil)).unwrap().plan;
    assert_eq!(plan.left_out, [sim::fault::Family::Noise]);
    assert!(plan.faults.faults.is_empty());
}

#[test]
fn a_check_that_judges_nothing_is_refused() {
    let suite = Suite { checks: &["linearizable", "mutual-exclusion"], ..SUITE };
    let error = run(&suite, &case(Variant::Hardened, Substrate::Kernel)).unwrap_err().to_string();
    assert_eq!(error, "the check `mutual-exclusion` judged nothing: no family of the history fits it");
}

#[test]
fn a_nemesis_that_can_do_nothing_is_refused_with_its_place() {
    let refused = |nemesis| match start_under(nemesis, &case(Variant::Hardened, Substrate::Kernel)) {
        Err(error @ OwnError::Nemesis { .. }) => error.to_string(),
        _ => panic!("it is refused"),
    };
    let on = |role| Nemesis::new(NemesisKind::Pause, &[role], 100);
    assert!(refused(on(Role::Log)).starts_with("`nemeses[0]`, `on`: the roles have 0 nodes here"));
    let whom = crate::grammar::Whom::HotKeyOwner;
    assert!(refused(Nemesis { whom, ..on(Role::Service) }).starts_with("`nemeses[0]`, `whom`: "));
    let around_switches_ms = Some(crate::bounded::Bounded::new(5));
    let around = Nemesis { every_ms: None, around_switches_ms, ..on(Role::Service) };
    assert!(refused(around).starts_with("`nemeses[0]`, `around-switches-ms`: "));
}
