//! Counters without bound under load.

use counterclock_checker::spec::counter::{Counter, CounterAnswer, CounterCall};

use super::Load;
use super::chance::Chance;
use super::clients::{Asked, Fate, Workload, record};
use super::recorder::Recorder;

/// Increments that return the new value.
pub(crate) fn increments(load: &Load, recorder: &mut impl Recorder<Counter>) {
    record(load, 4, Increments::default(), recorder);
}

/// Additions of one that return nothing, and reads.
pub(crate) fn additions(load: &Load, recorder: &mut impl Recorder<Counter>) {
    record(load, 5, Additions::default(), recorder);
}

#[derive(Default)]
struct Increments {
    value: i64,
    /// The largest value that was answered.
    answered_max: i64,
    /// A value taken for an increment that nobody has asked for yet.
    withheld: Option<i64>,
}

impl Workload for Increments {
    type Model = Counter;

    fn ask(&mut self, _client: usize, _chance: &mut Chance) -> Asked<Counter> {
        Asked { key: 0, call: CounterCall::Increment }
    }

    fn take_effect(&mut self, _asked: &Asked<Counter>) -> CounterAnswer {
        self.value += 1;
        CounterAnswer::Value(self.value)
    }

    fn answered(&mut self, _client: usize, _asked: &Asked<Counter>, answer: &CounterAnswer) {
        if let CounterAnswer::Value(value) = answer {
            self.answered_max = self.answered_max.max(*value);
        }
    }

    fn given_up(&mut self, _asked: &Asked<Counter>, _fate: Fate) {}

    /// An increment asked for after a larger value was answered.
    fn violation(&mut self, _chance: &mut Chance) -> Vec<(Asked<Counter>, CounterAnswer)> {
        let withheld = *self.withheld.get_or_insert_with(|| {
            self.value += 1;
            self.value
        });
        let asked = Asked { key: 0, call: CounterCall::Increment };
        let is_due = self.answered_max > withheld;
        is_due.then_some((asked, CounterAnswer::Value(withheld))).into_iter().collect()
    }
}

#[derive(Default)]
struct Additions {
    value: i64,
    answered_count: i64,
}

impl Workload for Additions {
    type Model = Counter;

    fn ask(&mut self, _client: usize, chance: &mut Chance) -> Asked<Counter> {
        let call = if chance.one_in(2) { CounterCall::Read } else { CounterCall::Add(1) };
        Asked { key: 0, call }
    }

    fn take_effect(&mut self, asked: &Asked<Counter>) -> CounterAnswer {
        match asked.call {
            CounterCall::Read => CounterAnswer::Value(self.value),
            CounterCall::Add(_) | CounterCall::Increment => {
                self.value += 1;
                CounterAnswer::Done
            }
        }
    }

    fn answered(&mut self, _client: usize, asked: &Asked<Counter>, _answer: &CounterAnswer) {
        self.answered_count += i64::from(matches!(asked.call, CounterCall::Add(_)));
    }

    fn given_up(&mut self, _asked: &Asked<Counter>, _fate: Fate) {}

    /// A read of one less than was certainly added before it.
    fn violation(&mut self, _chance: &mut Chance) -> Vec<(Asked<Counter>, CounterAnswer)> {
        let asked = Asked { key: 0, call: CounterCall::Read };
        let is_due = self.answered_count > 0;
        is_due.then_some((asked, CounterAnswer::Value(self.answered_count - 1))).into_iter().collect()
    }
}
