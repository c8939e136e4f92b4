//! What a start can make of the records on its disk: how far they can be read, and who wrote them.
//!
//! ```text
//!   [entry][entry][damaged][entry]          a log ends here ─────┘ at the damaged record
//!   [entry][announced][damaged][entry]    a log goes on behind what it can do without
//!   [mark][format 2][mark][format 0][mark]  version 1 reads the first mark and the last
//! ```
//!
//! A program of version `v` writes in format `v`, and says so with a record before its first record. Before
//! the first of these the format is 0. A newer program reads what older ones wrote; an older one never guesses at what a
//! newer one wrote: the log and the store do not begin, and a process takes its mark for unknown.

use sim::node::Context;

/// What a disk keeps, some of it saying which format follows.
pub trait Formatted {
    /// The format that the records behind this one are in, if that is what it says.
    fn format(&self) -> Option<u32>;

    /// The record that says so.
    fn of_format(format: u32) -> Self;

    /// Whether it announces a record that a log can do without.
    fn spares_next(&self) -> bool {
        false
    }
}

/// The records before the first that cannot be read and was not announced as one to do without: where a log ends.
fn sound<'a, R: Formatted>(disk: &'a [R], context: &Context<'_>) -> &'a [R] {
    let damaged = context.damaged();
    // Places count the damaged records, too.
    let read_before = |(index, place): (usize, &usize)| (place - index).min(disk.len());
    let is_spared = |(index, place): (usize, &usize)| {
        let is_next = index == 0 || damaged[index - 1] + 1 < *place;
        is_next && disk[..read_before((index, place))].last().is_some_and(R::spares_next)
    };
    let end = damaged.iter().enumerate().find(|damage| !is_spared(*damage)).map(read_before);
    &disk[..end.unwrap_or(disk.len())]
}

/// The records that a log begins with, and the newest format among them; none if a newer program wrote any of them.
#[must_use]
pub fn log<'a, R: Formatted>(disk: &'a [R], context: &Context<'_>) -> Option<(&'a [R], u32)> {
    let records = sound(disk, context);
    let format = newest_format(records);
    (format <= context.version()).then_some((records, format))
}

/// The newest format that any of `records` is in.
#[must_use]
pub fn newest_format<R: Formatted>(records: &[R]) -> u32 {
    records.iter().filter_map(R::format).max().unwrap_or(0)
}

/// The format that records written behind these are in, unless another is named first.
#[must_use]
pub fn last_format<R: Formatted>(records: &[R]) -> u32 {
    records.iter().rev().find_map(R::format).unwrap_or(0)
}

/// The records that a program of that version can read.
pub fn known<R: Formatted>(records: &[R], version: u32) -> impl Iterator<Item = &R> {
    let mut format = 0;
    records.iter().filter(move |record| {
        format = record.format().unwrap_or(format);
        format <= version
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Member;
    use crate::config::message::Record;
    use crate::ids::Version;
    use crate::message::Record as Logged;
    use crate::probe::Probe;
    use sim::time::Span;

    const fn mark(version: u32) -> Record {
        Record::Mark(Version(version))
    }

    #[test]
    fn a_log_ends_at_its_first_damaged_record() {
        // Places count all records, the damaged among them: [0][1][damaged][3][damaged][5].
        let readable = [mark(0), mark(1), mark(3), mark(5)];
        for (damaged, want) in [(vec![2, 4], 2), (vec![0, 4], 0), (vec![4], 4), (vec![], 4)] {
            let mut probe = Probe::<Member>::new(Span::ZERO).booted(0, damaged);
            assert_eq!(probe.ask(|context, _| sound(&readable, context).len()), want);
        }
    }

    #[test]
    fn a_log_goes_on_behind_what_it_can_do_without() {
        let announced = |places: &[usize], count| {
            let mut records: Vec<_> = (0..count).map(Logged::Format).collect();
            places.iter().for_each(|place| records[*place] = Logged::Announced);
            records
        };
        for (records, damaged, want) in [
            (announced(&[1], 4), vec![2], 4),
            (announced(&[1, 2], 4), vec![2, 4], 4),
            (announced(&[1], 4), vec![2, 3], 2),
            (announced(&[1], 4), vec![1], 1),
            (announced(&[1], 4), vec![2, 5], 4),
            (announced(&[], 4), vec![2], 2),
        ] {
            let mut probe = Probe::<crate::capacity::Member>::new(Span::ZERO).booted(0, damaged.clone());
            assert_eq!(probe.ask(|context, _| sound(&records, context).len()), want, "{damaged:?}");
        }
    }

    #[test]
    fn a_newer_program_reads_what_older_ones_wrote_and_not_the_other_way_round() {
        let records = [mark(1), Record::Format(2), mark(2), Record::Format(0), mark(3)];
        let marks = |version| {
            let known = known(&records, version);
            known.filter(|record| matches!(record, Record::Mark(_))).copied().collect::<Vec<_>>()
        };
        assert_eq!(marks(0), [mark(1), mark(3)]);
        assert_eq!(marks(1), [mark(1), mark(3)]);
        assert_eq!(marks(2), [mark(1), mark(2), mark(3)]);
        assert_eq!((newest_format(&records), last_format(&records)), (2, 0));
    }
}
