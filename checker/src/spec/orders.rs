//! Orders of a bounded counter: what each holds, which of them need no memory, and what comes before a release.

/// Named orders, sorted, and what each holds: none once released.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Orders<U>(Vec<(u64, Option<U>)>);

impl<U: Copy> Orders<U> {
    /// What an order holds: `None` never reserved, `Some(None)` released.
    pub(crate) fn holding(&self, order: u64) -> Option<Option<U>> {
        let place = self.0.binary_search_by_key(&order, |(order, _)| *order).ok()?;
        Some(self.0[place].1)
    }

    /// What all of them hold, one by one.
    pub(crate) fn held(&self) -> impl Iterator<Item = U> {
        self.0.iter().filter_map(|(_, units)| *units)
    }

    /// The order, which never held anything, holds these units.
    pub(super) fn hold(&mut self, order: u64, units: U) {
        let place = self.0.partition_point(|(other, _)| *other < order);
        self.0.insert(place, (order, Some(units)));
    }

    /// The order, which has held something, holds nothing any more: what it held.
    pub(super) fn free(&mut self, order: u64) -> Option<U> {
        let place = self.0.partition_point(|(other, _)| *other < order);
        self.0[place].1.take()
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
    }
}

/// What a step has to do with the order it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// Reserves for it.
    Reserves(u64),
    /// Frees what it holds.
    Frees(u64),
    /// Finds that it holds nothing.
    Misses(u64),
}

impl Naming {
    /// The order.
    pub(super) const fn order(self) -> u64 {
        match self {
            Self::Reserves(order) | Self::Frees(order) | Self::Misses(order) => order,
        }
    }
}

/// A step of a bounded counter.
pub(super) trait OrderStep {
    /// The order that it names, if any.
    fn naming(&self) -> Option<Naming>;

    /// It reserves for nobody in particular from now on.
    fn forget_order(&mut self);

    /// The order that it names, if any.
    fn order(&self) -> Option<u64> {
        self.naming().map(Naming::order)
    }
}

/// An order that one step only names need not be remembered: nobody asks for it again.
pub(super) fn forget_lone_orders<S: OrderStep>(steps: &mut [Option<S>]) {
    let mut orders: Vec<u64> = steps.iter().flatten().filter_map(S::order).collect();
    orders.sort_unstable();
    for step in steps.iter_mut().flatten() {
        if let Some(Naming::Reserves(order)) = step.naming() {
            let first = orders.partition_point(|other| *other < order);
            if orders.get(first + 1) != Some(&order) {
                step.forget_order();
            }
        }
    }
}

/// Places of a reservation and of the release of its order, where only one reserved for it: the one comes first.
pub(super) fn forced_orders<S: OrderStep>(steps: &[Option<S>]) -> Vec<(usize, usize)> {
    let named = |(place, step): (usize, &Option<S>)| Some((step.as_ref()?.naming()?, place));
    let namings: Vec<(Naming, usize)> = steps.iter().enumerate().filter_map(named).collect();
    let mut reserved: Vec<(u64, usize)> = Vec::new();
    for (naming, place) in &namings {
        if let Naming::Reserves(order) = naming {
            reserved.push((*order, *place));
        }
    }
    reserved.sort_unstable();
    let mut forced = Vec::new();
    for (naming, release) in namings {
        let Naming::Frees(order) = naming else { continue };
        let first = reserved.partition_point(|(other, _)| *other < order);
        let end = reserved.partition_point(|(other, _)| *other <= order);
        if let [(_, place)] = reserved[first..end] {
            forced.push((place, release));
        }
    }
    forced
}

#[cfg(test)]
mod tests {
    use super::*;

    impl OrderStep for Naming {
        fn naming(&self) -> Option<Naming> {
            Some(*self).filter(|naming| Naming::order(*naming) != u64::MAX)
        }

        fn forget_order(&mut self) {
            *self = Self::Reserves(u64::MAX);
        }
    }

    use Naming::{Frees, Misses, Reserves};

    #[test]
    fn what_an_order_holds_is_known_after_it_is_freed_too() {
        let mut orders = Orders::default();
        [(5, 50), (3, 30), (9, 90)].into_iter().for_each(|(order, units)| orders.hold(order, units));
        assert_eq!((orders.free(5), orders.free(5)), (Some(50), None));
        let holding = [3, 4, 5, 9].map(|order| orders.holding(order));
        assert_eq!(holding, [Some(Some(30)), None, Some(None), Some(Some(90))]);
        assert_eq!(orders.held().collect::<Vec<_>>(), [30, 90]);
    }

    #[test]
    fn only_an_order_that_nothing_else_names_is_forgotten() {
        let steps =
            [Reserves(1), Reserves(2), Frees(2), Reserves(3), Misses(3), Reserves(4), Reserves(4), Frees(5)];
        let mut steps: Vec<_> = steps.into_iter().map(Some).chain([None]).collect();
        let before = steps.clone();
        forget_lone_orders(&mut steps);
        let changed: Vec<usize> = (0..steps.len()).filter(|place| steps[*place] != before[*place]).collect();
        assert_eq!(changed, [0]);
        assert_eq!(steps[0], Some(Reserves(u64::MAX)));
    }

    #[test]
    fn a_release_comes_after_the_only_reservation_of_its_order() {
        let steps = [
            Frees(1),
            Reserves(2),
            Reserves(1),
            Misses(2),
            Frees(2),
            Reserves(4),
            Reserves(4),
            Frees(4),
            Frees(1),
        ];
        let steps: Vec<_> = [None].into_iter().chain(steps.into_iter().map(Some)).collect();
        assert_eq!(forced_orders(&steps), [(3, 1), (2, 5), (3, 9)]);
    }
}
