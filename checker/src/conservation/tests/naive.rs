//! The rules once more, from their definitions: every world that the records allow is tried.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

/// Instants of small histories lie below.
const END_NS: u64 = 5;

/// When each step of a workflow was done, and when it was taken back; never is none.
type World = [[Option<u64>; 2]; 2];

fn effects(records: &[AccountRecord], workflow: u64, step: u32, direction: Direction) -> Vec<&Effect> {
    let is_meant =
        |effect: &&Effect| (effect.workflow, effect.step, effect.direction) == (workflow, step, direction);
    let effects = records.iter().filter_map(|record| match record {
        AccountRecord::Effect(effect) => Some(effect),
        _ => None,
    });
    effects.filter(is_meant).collect()
}

/// All instants at which a step can have been done or taken back.
fn instants(attempts: &[&Effect]) -> Vec<Option<u64>> {
    let Some(from_ns) = attempts.iter().map(|effect| effect.invoked_ns).min() else { return vec![None] };
    let ends = attempts.iter().filter_map(|effect| Some(effect.returned_ns?.max(effect.invoked_ns)));
    match ends.min() {
        Some(by_ns) => (from_ns..=by_ns).map(Some).collect(),
        None => (from_ns..=END_NS).map(Some).chain([None]).collect(),
    }
}

fn is_possible(world: &World, records: &[AccountRecord], workflow: u64, end: End) -> bool {
    let is_in = |[done, undone]: &[Option<u64>; 2]| done.is_some() && undone.is_none();
    let presupposes = world.iter().all(|[done, undone]| done.is_some() || undone.is_none());
    let ended = end == End::CutOff || world.iter().all(is_in) || !world.iter().any(is_in);
    let was_so = |status: &Status| match status.state {
        InProgress => true,
        Completed => world.iter().all(|step| is_in(step) && step[0].unwrap() <= status.at_ns),
        Compensated => world.iter().all(|step| {
            let is_in_then = step[0].is_some_and(|done| done < status.at_ns)
                && step[1].is_none_or(|undone| undone > status.at_ns);
            !is_in(step) && !is_in_then
        }),
    };
    let statuses = records.iter().all(|record| match record {
        AccountRecord::Status(status) => status.workflow != workflow || was_so(status),
        _ => true,
    });
    presupposes && ended && statuses
}

/// Of a workflow with two steps.
fn has_world(records: &[AccountRecord], workflow: u64, end: End) -> bool {
    let of = |step, direction| instants(&effects(records, workflow, step, direction));
    let steps = |step| {
        let undone = of(step, Compensation);
        let pair = move |done| undone.clone().into_iter().map(move |undone| [done, undone]);
        of(step, Forward).into_iter().flat_map(pair).collect::<Vec<_>>()
    };
    let (first, second) = (steps(0), steps(1));
    first.iter().any(|one| second.iter().any(|other| is_possible(&[*one, *other], records, workflow, end)))
}

/// What can have been on an account at one instant, least and most.
fn bounds(records: &[AccountRecord], workflows: &[u64], account: u64, at_ns: u64) -> (i64, i64) {
    let opened = records.iter().map(|record| match record {
        AccountRecord::Opened(opened) if opened.account == account => opened.balance,
        _ => 0,
    });
    let opening: i64 = opened.sum();
    let mut bounds = (opening, opening);
    for (workflow, step, direction) in workflows.iter().flat_map(|workflow| {
        [
            (workflow, 0, Forward),
            (workflow, 0, Compensation),
            (workflow, 1, Forward),
            (workflow, 1, Compensation),
        ]
    }) {
        let attempts = effects(records, *workflow, step, direction);
        let Some(effect) = attempts.iter().find(|effect| effect.account == account) else { continue };
        let instants = instants(&attempts);
        let may_be_out = instants.iter().any(|instant| instant.is_none_or(|instant| instant >= at_ns));
        let may_be_in = instants.iter().any(|instant| instant.is_some_and(|instant| instant <= at_ns));
        let changes = [may_be_out.then_some(0), may_be_in.then_some(effect.amount)];
        bounds.0 += changes.iter().flatten().min().unwrap();
        bounds.1 += changes.iter().flatten().max().unwrap();
    }
    bounds
}

fn is_kept(records: &[AccountRecord], workflows: &[u64], end: End) -> bool {
    let once = workflows.iter().all(|workflow| {
        [(0, Forward), (1, Forward), (0, Compensation), (1, Compensation)].into_iter().all(
            |(step, direction)| {
                let attempts = effects(records, *workflow, step, direction);
                attempts.iter().filter(|effect| effect.returned_ns.is_some()).count() < 2
            },
        )
    });
    let reads = records.iter().all(|record| {
        let AccountRecord::Balances(read) = record else { return true };
        (read.invoked_ns..=read.returned_ns).any(|at_ns| {
            read.balances.iter().all(|(account, balance)| {
                let (least, most) = bounds(records, workflows, *account, at_ns);
                (least..=most).contains(balance)
            })
        })
    });
    once && reads && workflows.iter().all(|workflow| has_world(records, *workflow, end))
}

/// Two accounts with 10 each, and workflows 3 and 4, which move 4 and 2 from 1 to 2.
fn begun() -> Vec<AccountRecord> {
    let workflow = Workflow { workflow: 4, steps: vec![(1, -2), (2, 2)], at_ns: 0 };
    [moving(&[]), vec![AccountRecord::Workflow(workflow)]].concat()
}

fn of_workflow(record: AccountRecord, workflow: u64) -> AccountRecord {
    let factor = if workflow == 4 { 2 } else { 1 };
    match record {
        AccountRecord::Status(status) => AccountRecord::Status(Status { workflow, ..status }),
        record => change(record, |effect| {
            effect.workflow = workflow;
            effect.amount /= factor;
        }),
    }
}

fn record() -> impl Strategy<Value = AccountRecord> {
    let drawn = (0..16u8, 3..5u64, 0..2u32, 0..END_NS, 0..4u64, 0..4u8, [-3i64..4, -3..4]);
    drawn.prop_map(|(kind, workflow, step, at_ns, long, rare, [less, more])| {
        let until_ns = (at_ns + long).min(END_NS);
        let returned_ns = (rare > 0).then_some(until_ns);
        let record = match kind {
            0..6 => done(step, at_ns, returned_ns),
            6..8 => undone(step, at_ns, returned_ns),
            8..10 => shown([Completed, Compensated, InProgress, Completed][usize::from(rare)], at_ns),
            _ => read(([at_ns, until_ns], &[(1, 10 - 2 * less), (2, 10 + 2 * more)])),
        };
        of_workflow(record, workflow)
    })
}

/// One workflow of a run that keeps the promise: when its steps are done (and how long they take to be
/// answered, if they ever are), and whether and when they are taken back.
#[derive(Clone, Debug)]
struct Course {
    done: [(u64, Option<u64>); 2],
    undone: Option<[u64; 2]>,
    early: u64,
    shown_after: Option<u64>,
}

/// (instant, account, change) of all that truly happened.
type Truth = Vec<(u64, u64, i64)>;

impl Course {
    fn run(&self, workflow: u64, records: &mut Vec<AccountRecord>, truth: &mut Truth) {
        let mut last_ns = 0;
        for (step, (at_ns, answered)) in (0..).zip(self.done) {
            let mut happens = |record: AccountRecord, at_ns: u64| {
                let record = of_workflow(record, workflow);
                if let AccountRecord::Effect(effect) = &record {
                    truth.push((at_ns, effect.account, effect.amount));
                }
                records.push(record);
                last_ns = last_ns.max(at_ns);
            };
            let invoked_ns = at_ns.saturating_sub(self.early);
            happens(done(step, invoked_ns, answered.map(|after| at_ns + after)), at_ns);
            if let Some(undone_ns) = self.undone.map(|undone| at_ns + undone[step as usize]) {
                happens(undone(step, undone_ns.saturating_sub(self.early), Some(undone_ns)), undone_ns);
            }
            // Asked for once more, and refused as done already or lost: another attempt, no other effect.
            if self.early == 2 {
                records.push(of_workflow(done(step, at_ns + 1, None), workflow));
            }
        }
        let state = if self.undone.is_some() { Compensated } else { Completed };
        if let Some(after) = self.shown_after {
            records.push(of_workflow(shown(state, last_ns + after), workflow));
        }
    }
}

fn course() -> impl Strategy<Value = Course> {
    let step = || (2..20u64, proptest::option::of(0..6u64));
    let undone = proptest::option::of([0..9u64, 0..9]);
    (step(), step(), undone, 0..3u64, proptest::option::of(0..9u64)).prop_map(
        |(first, second, undone, early, shown_after)| Course {
            done: [first, second],
            undone,
            early,
            shown_after,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20_000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_small_history_is_judged_as_by_the_definitions(
        drawn in proptest::collection::vec(record(), 0..7),
        is_settled in any::<bool>(),
    ) {
        let end = if is_settled { End::Settled } else { End::CutOff };
        let records = [begun(), drawn].concat();
        let verdict = conservation(&records, end);
        prop_assert_eq!(verdict.holds(), is_kept(&records, &[3, 4], end), "{}", verdict);
    }

    #[test]
    fn no_run_that_keeps_the_promise_is_accused_and_a_wrong_balance_is_found(
        courses in [course(), course()],
        reads in proptest::collection::vec((0..40u64, 0..4u64, 0..4u64), 0..4),
    ) {
        let (mut records, mut truth) = (begun(), Truth::new());
        courses[0].run(3, &mut records, &mut truth);
        courses[1].run(4, &mut records, &mut truth);
        let balance = |account: u64, at_ns: u64| {
            let happened = truth.iter().filter(|(instant, other, _)| *instant <= at_ns && *other == account);
            10 + happened.map(|(_, _, change)| change).sum::<i64>()
        };
        for (at_ns, before, after) in reads {
            let interval = [at_ns.saturating_sub(before), at_ns + after];
            records.push(read((interval, &[(1, balance(1, at_ns)), (2, balance(2, at_ns))])));
        }
        let verdict = conservation(&records, End::Settled);
        prop_assert!(verdict.holds(), "{}\n{:?}", verdict, records);
        let all = truth.iter().map(|(_, _, change)| change.abs()).sum::<i64>();
        records.push(read(([0, 99], &[(1, 11 + all)])));
        prop_assert!(conservation(&records, End::Settled).is_violated());
    }
}
