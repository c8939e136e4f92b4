//! Balances that were read, against all that had taken effect by then or may have.

use crate::instants::{interval, seconds, span};
use std::collections::BTreeMap;

use super::workflows::{Attempts, Plans};
use super::{AccountRecord, Balances};
use crate::verdict::Verdict;

/// Effects that may begin or end during a read of which the instant is looked for.
const CHANGES_COUNT_MAX: usize = 256;

/// The changes of every account over time.
pub(super) struct Ledger {
    accounts: BTreeMap<u64, Account>,
}

/// The changes of one account.
#[derive(Default)]
struct Account {
    opening: i128,
    /// By the instant from which each change may be in effect.
    begun: Sums,
    /// By the instant from which each change certainly is in effect, for those that ever are.
    ended: Sums,
}

/// Changes in the order of their instants, with sums.
#[derive(Default)]
struct Sums {
    /// (instant, change).
    changes: Vec<(u64, i128)>,
    /// The sums of those up to each.
    sums: Vec<Sum>,
}

/// A sum, apart for what raises and what lowers.
#[derive(Clone, Copy, Default)]
struct Sum {
    raised: i128,
    lowered: i128,
}

impl Sum {
    fn add(&mut self, change: i128) {
        self.raised += change.max(0);
        self.lowered += change.min(0);
    }

    fn total(self) -> i128 {
        self.raised + self.lowered
    }
}

impl Sums {
    fn settle(&mut self) {
        self.changes.sort_unstable();
        let mut sum = Sum::default();
        self.sums = Vec::with_capacity(self.changes.len());
        for (_, change) in &self.changes {
            sum.add(*change);
            self.sums.push(sum);
        }
    }

    fn count_before(&self, at_ns: u64) -> usize {
        self.changes.partition_point(|(instant, _)| *instant < at_ns)
    }

    fn count_until(&self, at_ns: u64) -> usize {
        self.changes.partition_point(|(instant, _)| *instant <= at_ns)
    }

    fn of_first(&self, count: usize) -> Sum {
        count.checked_sub(1).map_or_else(Sum::default, |last| self.sums[last])
    }
}

/// The least and the most that can have been on an account.
#[derive(Clone, Copy)]
struct Bounds {
    least: i128,
    most: i128,
}

impl Bounds {
    fn hold(self, balance: i64) -> bool {
        (self.least..=self.most).contains(&i128::from(balance))
    }
}

impl Account {
    /// At any instant of an interval, ends included.
    fn between(&self, from_ns: u64, to_ns: u64) -> Bounds {
        let certain = self.ended.of_first(self.ended.count_before(from_ns));
        let possible = self.begun.of_first(self.begun.count_until(to_ns));
        let total = self.opening + certain.total();
        Bounds {
            least: total + possible.lowered - certain.lowered,
            most: total + possible.raised - certain.raised,
        }
    }

    /// Where the bounds change within an interval: from when on, and by what that begins or has ended.
    fn changes(&self, from_ns: u64, to_ns: u64) -> impl Iterator<Item = (u64, Turn)> {
        let begun = &self.begun.changes[self.begun.count_until(from_ns)..self.begun.count_until(to_ns)];
        let first = self.ended.count_before(from_ns);
        let ended = &self.ended.changes[first..self.ended.count_before(to_ns).max(first)];
        let begun = begun.iter().map(|(at_ns, change)| (*at_ns, Turn::Begun(*change)));
        begun.chain(ended.iter().map(|(at_ns, change)| (at_ns + 1, Turn::Ended(*change))))
    }
}

/// A change that becomes possible, or one that becomes certain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Begun(i128),
    Ended(i128),
}

impl Turn {
    fn apply(self, bounds: &mut Bounds) {
        match self {
            Self::Begun(change) => {
                bounds.least += change.min(0);
                bounds.most += change.max(0);
            }
            Self::Ended(change) => {
                bounds.least += change.max(0);
                bounds.most += change.min(0);
            }
        }
    }
}

impl Ledger {
    pub(super) fn of(records: &[AccountRecord], plans: &Plans<'_>) -> Self {
        let mut accounts: BTreeMap<u64, Account> = BTreeMap::new();
        for record in records {
            if let AccountRecord::Opened(opened) = record {
                accounts.entry(opened.account).or_default().opening += i128::from(opened.balance);
            }
        }
        for (step, account, amount) in plans.steps() {
            let account = accounts.entry(account).or_default();
            account.add(&step.forward, i128::from(amount));
            account.add(&step.compensation, -i128::from(amount));
        }
        for account in accounts.values_mut() {
            account.begun.settle();
            account.ended.settle();
        }
        Self { accounts }
    }

    /// A read that found what was not there.
    pub(super) fn never_so(&self, records: &[AccountRecord]) -> Option<Verdict> {
        let none = Account::default();
        (0..).zip(records).find_map(|(place, record)| {
            let AccountRecord::Balances(read) = record else { return None };
            let found = |(account, balance): &(u64, i64)| Found {
                number: *account,
                account: self.accounts.get(account).unwrap_or(&none),
                balance: *balance,
            };
            let read = Read { place, read, found: read.balances.iter().map(found).collect() };
            read.out_of_bounds().or_else(|| read.never_together())
        })
    }
}

impl Account {
    fn add(&mut self, attempts: &Attempts, change: i128) {
        if let Some(from_ns) = attempts.possible_ns() {
            self.begun.changes.push((from_ns, change));
        }
        if let Some(by_ns) = attempts.certain_ns() {
            self.ended.changes.push((by_ns, change));
        }
    }
}

/// One balance in a read.
struct Found<'a> {
    number: u64,
    account: &'a Account,
    balance: i64,
}

/// A read of several accounts.
struct Read<'a> {
    place: usize,
    read: &'a Balances,
    found: Vec<Found<'a>>,
}

impl Read<'_> {
    fn to_ns(&self) -> u64 {
        self.read.returned_ns.max(self.read.invoked_ns)
    }

    /// A balance that was there at no instant of the read.
    fn out_of_bounds(&self) -> Option<Verdict> {
        let wrong = self.found.iter().find_map(|found| {
            let bounds = found.account.between(self.read.invoked_ns, self.to_ns());
            (!bounds.hold(found.balance)).then_some((found, bounds))
        });
        let (found, Bounds { least, most }) = wrong?;
        let right = if least == most {
            format!("{least} must have been")
        } else {
            format!("from {least} to {most} can have been")
        };
        let explanation =
            format!("{} found {} on account {}, where {right}", self.in_words(), found.balance, found.number);
        Some(Verdict::by_records(&[self.place], explanation))
    }

    /// Balances that were there, but not all at any one instant.
    fn never_together(&self) -> Option<Verdict> {
        let (from_ns, to_ns) = (self.read.invoked_ns, self.to_ns());
        let mut turns: Vec<(u64, usize, Turn)> = Vec::new();
        for (index, found) in self.found.iter().enumerate() {
            let room = CHANGES_COUNT_MAX + 1 - turns.len();
            let changes = found.account.changes(from_ns, to_ns).take(room);
            turns.extend(changes.map(|(at_ns, turn)| (at_ns, index, turn)));
            if turns.len() > CHANGES_COUNT_MAX {
                return None;
            }
        }
        turns.sort_unstable();
        let mut sweep = Sweep::new(&self.found, from_ns);
        for now in turns.chunk_by(|one, next| one.0 == next.0) {
            if sweep.outside_count == 0 {
                return None;
            }
            now.chunk_by(|one, next| one.1 == next.1).for_each(|turns| sweep.turn(turns));
        }
        (sweep.outside_count > 0).then(|| self.torn(&sweep, to_ns))
    }

    fn torn(&self, sweep: &Sweep<'_>, to_ns: u64) -> Verdict {
        let spans = || sweep.spans(to_ns);
        let early = spans().min_by_key(|span| span.last_ns);
        let late = spans().max_by_key(|span| span.first_ns);
        let why = match (early, late) {
            (Some(early), Some(late)) if early.last_ns < late.first_ns => format!(
                ": {} can have been on account {} until {}, {} on account {} only from {} on, {} later",
                early.balance,
                early.number,
                seconds(early.last_ns),
                late.balance,
                late.number,
                seconds(late.first_ns),
                span(late.first_ns - early.last_ns)
            ),
            _ => String::new(),
        };
        let explanation =
            format!("{} found balances that were not all there at any one instant{why}", self.in_words());
        Verdict::by_records(&[self.place], explanation)
    }

    fn in_words(&self) -> String {
        format!(
            "reader {}, {} (record {}),",
            self.read.reader,
            interval(self.read.invoked_ns, self.to_ns()),
            self.place
        )
    }
}

/// The bounds of all balances of a read while its instant moves on.
struct Sweep<'a> {
    found: &'a [Found<'a>],
    bounds: Vec<Bounds>,
    /// How many balances are outside of their bounds now.
    outside_count: usize,
    /// For each balance, from when to when it was within its bounds: the first and the last time.
    inside: Vec<(Option<u64>, Option<u64>)>,
}

/// Within which instants a balance can have been there.
struct Span {
    number: u64,
    balance: i64,
    first_ns: u64,
    last_ns: u64,
}

impl<'a> Sweep<'a> {
    fn new(found: &'a [Found<'a>], at_ns: u64) -> Self {
        let bounds: Vec<Bounds> = found.iter().map(|found| found.account.between(at_ns, at_ns)).collect();
        let is_inside = |(found, bounds): (&Found<'_>, &Bounds)| bounds.hold(found.balance);
        let inside: Vec<(Option<u64>, Option<u64>)> =
            found.iter().zip(&bounds).map(|pair| (is_inside(pair).then_some(at_ns), None)).collect();
        let outside_count = inside.iter().filter(|(first, _)| first.is_none()).count();
        Self { found, bounds, outside_count, inside }
    }

    /// All turns of one balance at one instant.
    fn turn(&mut self, turns: &[(u64, usize, Turn)]) {
        let (at_ns, index, _) = turns[0];
        let balance = self.found[index].balance;
        let was_inside = self.bounds[index].hold(balance);
        turns.iter().for_each(|(_, _, turn)| turn.apply(&mut self.bounds[index]));
        let is_inside = self.bounds[index].hold(balance);
        let (first, last) = &mut self.inside[index];
        match (was_inside, is_inside) {
            (false, true) => {
                self.outside_count -= 1;
                *first = first.or(Some(at_ns));
                *last = None;
            }
            (true, false) => {
                self.outside_count += 1;
                *last = Some(at_ns.saturating_sub(1));
            }
            (true, true) | (false, false) => {}
        }
    }

    fn spans(&self, to_ns: u64) -> impl Iterator<Item = Span> {
        self.found.iter().zip(&self.inside).filter_map(move |(found, (first_ns, last_ns))| {
            let last_ns = last_ns.unwrap_or(to_ns);
            Some(Span { number: found.number, balance: found.balance, first_ns: (*first_ns)?, last_ns })
        })
    }
}
