//! An object that holds one value at a time: values that come too early, never, or too late.
//!
//! One sweep over the events in order of time, O(n log n) for the sort of the returns. Of a value it is
//! known when the first operation that makes it begins, and when the last one that has begun is over.

use std::hash::Hash;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::Spoken;
use crate::engine::shortcut::Conflict;

/// What an operation shows of an object that holds one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glance<V> {
    /// What the object holds after it.
    pub(crate) made: Option<V>,
    /// What the object holds before it.
    pub(crate) found: Option<V>,
    /// What the object does not hold before it.
    pub(crate) missed: Option<V>,
    /// Position of the invocation.
    pub(crate) invoked: u64,
    /// Position of the answer; `u64::MAX` if its outcome is unknown.
    pub(crate) returned: u64,
}

/// No value, or no operation.
const NONE: u32 = u32::MAX;
/// After every position.
const NEVER: u32 = u32::MAX;

/// One operation, its values by number.
#[derive(Clone, Copy)]
struct Item {
    place: u32,
    made: u32,
    found: u32,
    missed: u32,
    invoked: u32,
    /// [`NEVER`] if its outcome is unknown.
    returned: u32,
    /// How many showings there were when it was invoked.
    showings_count: u32,
}

/// What is known of a value.
#[derive(Clone, Copy)]
struct Known {
    /// Whether something that makes it has begun.
    is_begun: bool,
    /// When the last of those that have begun is over; counted from 1.
    over: u32,
    /// The operation invoked last of those that missed it and have returned: from when to when, and its place.
    missed: (u32, u32, u32),
}

/// Another value than some value is held after this operation.
#[derive(Clone, Copy)]
struct Showing {
    value: u32,
    invoked: u32,
    place: u32,
}

impl Showing {
    const NONE: Self = Self { value: NONE, invoked: 0, place: NONE };

    fn is_some(&self) -> bool {
        self.place != NONE
    }

    /// Whether it begins after that position, which is counted from 1.
    fn is_after(&self, over: u32) -> bool {
        over <= self.invoked
    }
}

/// The first answered operations of an object that rule out every order at first sight; none if
/// nothing does. `glance` says what the operation at a place shows; none if nothing.
pub(crate) fn conflict_of_holder<V: Clone + Eq + Hash + Spoken>(
    initial: &V,
    count: usize,
    glance: impl Fn(usize) -> Option<Glance<V>>,
) -> Option<Conflict> {
    let mut numbers = Numbers { by_value: HashMap::default() };
    numbers.of(initial);
    let mut items = Vec::with_capacity(count);
    for place in 0..count {
        if let Some(glance) = glance(place) {
            items.push(numbers.item(place, glance)?);
        }
    }
    let mut sweep = Sweep::new(items, numbers.by_value.len());
    let (item, reason) = sweep.run()?;
    let name = |number: u32| numbers.spoken(number);
    let (places, reason) = match reason {
        Reason::Never(value) => {
            let later =
                sweep.items.iter().filter(|other| other.made == value).map(|other| other.invoked).min();
            let reason = match later {
                None => format!("{} is found, but no operation makes it", name(value)),
                Some(invoked) => format!(
                    "{} is found by event {}, but made only from event {invoked} on",
                    name(value),
                    item.returned
                ),
            };
            (vec![item.place], reason)
        }
        Reason::NothingElse(value) => {
            let reason = format!("it finds another value than {}, and nothing made one by then", name(value));
            (vec![item.place], reason)
        }
        Reason::Over { value, shown_by } => {
            let reason = format!(
                "{} is found, but all that makes it was over before the operation at event {} showed another",
                name(value),
                shown_by.invoked
            );
            (vec![shown_by.place, item.place], reason)
        }
        Reason::OnlyThis { value, shown_by } => {
            let reason = format!(
                "it finds another value than {}, but all that makes another was over before event {}",
                name(value),
                shown_by.invoked
            );
            (vec![shown_by.place, item.place], reason)
        }
    };
    let mut places: Vec<usize> = places.into_iter().map(|place| place as usize).collect();
    places.sort_unstable();
    Some(Conflict { places, reason })
}

/// Values by number, in the order in which they were met.
struct Numbers<V> {
    by_value: HashMap<V, u32, FxBuildHasher>,
}

impl<V: Clone + Eq + Hash + Spoken> Numbers<V> {
    fn of(&mut self, value: &V) -> u32 {
        if let Some(number) = self.by_value.get(value) {
            return *number;
        }
        let number = self.by_value.len() as u32;
        self.by_value.insert(value.clone(), number);
        number
    }

    /// None if there are more operations or events than can be counted.
    fn item(&mut self, place: usize, glance: Glance<V>) -> Option<Item> {
        let Glance { made, found, missed, invoked, returned } = glance;
        let mut of = |value: Option<V>| value.map_or(NONE, |value| self.of(&value));
        let (made, found, missed) = (of(made), of(found), of(missed));
        let counted = |position: u64| u32::try_from(position).ok().filter(|position| *position < NEVER);
        let returned = if returned == u64::MAX { NEVER } else { counted(returned)? };
        let place = u32::try_from(place).ok()?;
        Some(Item { place, made, found, missed, invoked: counted(invoked)?, returned, showings_count: 0 })
    }

    fn spoken(&self, number: u32) -> String {
        let value = self.by_value.iter().find(|(_, other)| **other == number).map(|(value, _)| value);
        value.map_or_else(String::new, Spoken::spoken)
    }
}

/// Why an answer is out of reach.
enum Reason {
    /// Nothing that makes this value had begun.
    Never(u32),
    /// Nothing that makes another value than this had begun.
    NothingElse(u32),
    /// All that makes this value was over before another was shown.
    Over { value: u32, shown_by: Showing },
    /// All that makes another value was over before this one was shown.
    OnlyThis { value: u32, shown_by: Showing },
}

struct Sweep {
    items: Vec<Item>,
    known: Vec<Known>,
    /// The two values of which something is over last, with that position.
    last: [(u32, u32); 2],
    /// The latest showing after each return, and the latest of another value.
    showings: Vec<[Showing; 2]>,
}

impl Sweep {
    fn new(items: Vec<Item>, value_count: usize) -> Self {
        let unknown = Known { is_begun: false, over: 0, missed: (0, NEVER, NONE) };
        let mut known = vec![unknown; value_count];
        // The initial value was made before every event.
        known[0].is_begun = true;
        Self { items, known, last: [(0, 0), (0, NONE)], showings: vec![[Showing::NONE; 2]] }
    }

    /// The first operation to return with an answer out of reach, and why.
    fn run(&mut self) -> Option<(Item, Reason)> {
        let mut returns: Vec<(u32, u32)> =
            (0..).zip(&self.items).map(|(index, item)| (item.returned, index)).collect();
        returns.retain(|(returned, _)| *returned < NEVER);
        returns.sort_unstable();
        let mut next = 0;
        for (returned, index) in returns {
            while let Some(item) = self.items.get_mut(next).filter(|item| item.invoked < returned) {
                item.showings_count = self.showings.len() as u32;
                let (made, over) = (item.made, item.returned.saturating_add(1));
                if made != NONE {
                    self.begin(made, over);
                }
                next += 1;
            }
            let item = self.items[index as usize];
            if let Some(reason) = self.reason(&item) {
                return Some((item, reason));
            }
            self.show(&item);
        }
        None
    }

    fn begin(&mut self, value: u32, over: u32) {
        let known = &mut self.known[value as usize];
        known.is_begun = true;
        known.over = known.over.max(over);
        let over = known.over;
        let [first, second] = &mut self.last;
        if first.1 == value {
            first.0 = over;
        } else if over > first.0 {
            (*second, *first) = (*first, (over, value));
        } else if second.1 == value || second.1 == NONE || over > second.0 {
            *second = (over, value);
        }
    }

    /// Why the answer of an operation is out of reach, if it is.
    fn reason(&self, item: &Item) -> Option<Reason> {
        let before = self.showings[item.showings_count as usize - 1];
        let mut before = before.iter().filter(|showing| showing.is_some());
        if item.found != NONE {
            let value = item.found;
            let Known { is_begun, over, missed: (invoked, returned, place) } = self.known[value as usize];
            if !is_begun {
                return Some(Reason::Never(value));
            }
            let missed = Showing { value: NONE, invoked, place };
            let missed = Some(&missed).filter(|_| place != NONE && returned < item.invoked);
            let another = before.find(|showing| showing.value != value);
            return another
                .into_iter()
                .chain(missed)
                .find(|showing| showing.is_after(over))
                .map(|&shown_by| Reason::Over { value, shown_by });
        }
        if item.missed != NONE {
            let value = item.missed;
            let (over, other) = self.last[usize::from(self.last[0].1 == value)];
            if other == NONE {
                return Some(Reason::NothingElse(value));
            }
            let same = before.find(|showing| showing.value == value && showing.is_after(over));
            return same.map(|&shown_by| Reason::OnlyThis { value, shown_by });
        }
        None
    }

    /// Notes what an operation shows that has returned.
    fn show(&mut self, item: &Item) {
        if item.missed != NONE {
            let missed = &mut self.known[item.missed as usize].missed;
            if missed.2 == NONE || item.invoked > missed.0 {
                *missed = (item.invoked, item.returned, item.place);
            }
        }
        let value = if item.made == NONE { item.found } else { item.made };
        if value == NONE {
            return;
        }
        let Some([first, second]) = self.showings.last().copied() else { return };
        let new = Showing { value, invoked: item.invoked, place: item.place };
        let is_later = |than: &Showing| !than.is_some() || item.invoked > than.invoked;
        let next = if first.value == value {
            if !is_later(&first) {
                return;
            }
            [new, second]
        } else if is_later(&first) {
            [new, first]
        } else if is_later(&second) {
            [first, new]
        } else {
            return;
        };
        self.showings.push(next);
    }
}
