//! Every small history of each model, at every level, against the naive answer.
//!
//! Three operations of up to three clients; `COUNTERCLOCK_OPERATIONS` asks for more.

use crate::agreement::every_level_agrees;
use crate::drawing::Drawable;
use crate::spec::capacity::Capacity;
use crate::spec::counter::{Counter, CounterKind};
use crate::spec::kinds::Kinds;
use crate::spec::log::Log;
use crate::spec::multi_register::MultiRegister;
use crate::spec::mutex::Mutex;
use crate::spec::register::Register;
use crate::spec::text::Text;
use crate::test_histories::{Shape, every_history};

const CLIENTS: usize = 3;
const OPERATIONS: usize = 3;

#[expect(clippy::disallowed_methods, reason = "how large histories to try is a setting of the host")]
fn operation_count() -> usize {
    let wanted = std::env::var("COUNTERCLOCK_OPERATIONS").ok();
    wanted.map_or(OPERATIONS, |count| count.parse().expect("COUNTERCLOCK_OPERATIONS is a number"))
}

#[track_caller]
fn check<S: Drawable>(spec: &S, words: &[&str]) {
    let mut count = 0_u64;
    for operations in 0..=operation_count() {
        for history in every_history::<S>(words, Shape { operations, clients: CLIENTS }) {
            every_level_agrees(spec, &history);
            count += 1;
        }
    }
    assert!(count > 100, "{count} histories only");
}

#[test]
fn every_small_register_is_judged_by_the_definitions() {
    check(&Register::default(), &["w1", "w2", "r1", "rn", "c1>2", "c1>2!"]);
}

#[test]
fn every_small_string_is_judged_by_the_definitions() {
    check(&Text::default(), &["pa", "ab", "g", "ga", "gab"]);
}

#[test]
fn every_small_counter_of_increments_is_judged_by_the_definitions() {
    check(&Counter { kind: CounterKind::Increment }, &["i1", "i2", "=0", "=1"]);
}

#[test]
fn every_small_counter_of_additions_is_judged_by_the_definitions() {
    check(&Counter { kind: CounterKind::AddAndRead }, &["+1", "+2", "=1", "=3"]);
}

#[test]
fn every_small_bounded_counter_is_judged_by_the_definitions() {
    check(&Capacity { capacity: Some(3) }, &["+a2", "!2", "-a", "~a", "=2"]);
}

#[test]
fn every_small_counter_of_several_kinds_is_judged_by_the_definitions() {
    let spec = Kinds { shares: [100, 50, 0], capacity: Some(4) };
    check(&spec, &["+a3,1", "!b1,2", "?c1#", "-a", "~a", "=3,1"]);
}

#[test]
fn every_small_log_is_judged_by_the_definitions() {
    check(&Log, &["a1", "a2", "a2@0", "l2", "l1,2"]);
}

#[test]
fn every_small_lock_is_judged_by_the_definitions() {
    check(&Mutex, &["a", "r"]);
}

#[test]
fn every_small_set_of_transactions_is_judged_by_the_definitions() {
    check(&MultiRegister::default(), &["wx1,wy1", "rx1,ry0", "rx0,wy2", "ry2"]);
}
