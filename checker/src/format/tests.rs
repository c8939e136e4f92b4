//! Every format: what is read, what is refused and where, and that nothing goes on without end.

use std::io::{self, Read};

use proptest::prelude::*;

use super::test_families::operations_of_any_model;
use super::*;
use crate::budget::Budget;
use crate::judge::{FamilyKind, judge};
use crate::spec::counter::{Counter, CounterKind};

mod bad;
mod jepsen;
mod read;

/// What is asked of a text in one of the formats.
fn options(format: Format) -> Options {
    Options { format: Some(format), ..Options::default() }
}

/// The family of a text that holds one, as its kind.
#[track_caller]
fn only(text: &str, options: &Options) -> FamilyKind {
    let mut families = parse(text.as_bytes(), options).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(families.len(), 1, "{text}");
    families.pop().unwrap().kind
}

/// Gives one byte at a time: whatever can be cut is cut.
struct OneByOne<'a>(&'a [u8]);

impl Read for OneByOne<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let end = buffer.len().min(1);
        self.0.read(&mut buffer[..end])
    }
}

/// What a family is without what Jepsen EDN has no place for.
fn in_edn(kind: FamilyKind) -> FamilyKind {
    match kind {
        FamilyKind::Capacity { spec, history, .. } => {
            let witness = std::collections::BTreeMap::new();
            FamilyKind::Capacity { spec, history, witness, schedule: None, uncertainty_ns: 0 }
        }
        FamilyKind::Tally { history, .. } => {
            FamilyKind::Counter { spec: Counter { kind: CounterKind::AddAndRead }, history }
        }
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn what_is_written_in_edn_is_read_again(kind in operations_of_any_model()) {
        let kind = in_edn(kind);
        let family = Family { name: "family".to_owned(), kind };
        let mut bytes = Vec::new();
        edn_writing::write(&family, &mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let again = read_from(&mut OneByOne(text.as_bytes()), &Options::default());
        match again {
            Ok(contents) => {
                prop_assert_eq!(&contents.families[0].kind, &family.kind, "{}", text);
                prop_assert_eq!(contents.format, Format::JepsenEdn);
            }
            Err(error) => prop_assert!(family.kind.is_empty(), "{}: {}", error, text),
        }
    }

    #[test]
    fn a_file_is_the_same_however_it_comes(kind in operations_of_any_model()) {
        let family = Family { name: "family".to_owned(), kind };
        let mut bytes = Vec::new();
        jsonl::write(std::slice::from_ref(&family), &mut bytes).unwrap();
        let whole = parse(&bytes, &Options::default());
        let pieces = read_from(&mut OneByOne(&bytes), &Options::default());
        prop_assert_eq!(pieces.map(|contents| contents.families), whole);
    }
}
