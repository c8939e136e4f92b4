//! How much work a check may spend before it says *undecided*.

/// A bound on the work of a search.
///
/// A step is one configuration made and kept, of about 64 bytes; larger ones count several times. So
/// the budget bounds memory too: ten million steps take about a gigabyte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Steps after which the search stops.
    pub steps_max: u64,
}

/// Steps spent so far, against the most that may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spending {
    spent: u64,
    budget: Budget,
}

/// The budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Spending {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { spent: 0, budget }
    }

    /// Counts `steps` more.
    pub(crate) fn spend(&mut self, steps: u64) -> Result<(), Exhausted> {
        self.spent = self.spent.saturating_add(steps);
        if self.spent > self.budget.steps_max { Err(Exhausted) } else { Ok(()) }
    }

    pub(crate) fn spent(&self) -> u64 {
        self.spent
    }

    /// The budget as it was at first.
    pub(crate) fn whole(&self) -> Budget {
        self.budget
    }

    /// What is left, as a budget of its own.
    pub(crate) fn rest(&self) -> Budget {
        Budget { steps_max: self.budget.steps_max.saturating_sub(self.spent) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_of_a_budget_may_be_spent_and_no_further_one() {
        let mut spending = Spending::new(Budget { steps_max: 3 });
        assert_eq!(spending.spend(3), Ok(()));
        assert_eq!(spending.rest(), Budget { steps_max: 0 });
        assert_eq!(spending.spend(1), Err(Exhausted));
        assert_eq!(spending.spent(), 4);
    }
}
