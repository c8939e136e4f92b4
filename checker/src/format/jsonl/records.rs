//! Locks, transactions, accounts and chains: a record a line, whose type is that of the line.

use std::io;

use serde::Serialize;

use super::Model;
use super::reading::grow;
use super::record::Kind;
use crate::atomic_commit::CommitRecord;
use crate::chain_audit::ChainRecord;
use crate::conservation::AccountRecord;
use crate::format::FormatError;
use crate::format::text::Line;
use crate::judge::Records;
use crate::mutual_exclusion::LockRecord;

/// How a family of such records is declared.
pub(super) fn records_declared(records: &Records) -> Model {
    match records {
        Records::Locks { promise, .. } => Model::Locks { promise: *promise },
        Records::Commits(_) => Model::Commits,
        Records::Accounts { end, .. } => Model::Accounts { end: *end },
        Records::Chain { rules, .. } => Model::Chain { rules: *rules },
    }
}

/// Reads the line as one more record; none if the family has no records of that type.
pub(super) fn grow_records(
    records: &mut Records,
    kind: Kind,
    line: Line<'_>,
) -> Option<Result<(), FormatError>> {
    Some(match (records, kind) {
        (Records::Locks { records, .. }, Kind::Section | Kind::Grant | Kind::Access) => grow(records, line),
        (Records::Commits(records), Kind::Begun | Kind::Vote | Kind::Decision | Kind::Told) => {
            grow(records, line)
        }
        (
            Records::Accounts { records, .. },
            Kind::Opened | Kind::Workflow | Kind::Effect | Kind::Status | Kind::Balances,
        ) => grow(records, line),
        (Records::Chain { records, .. }, Kind::Block | Kind::Head | Kind::Erasure | Kind::Snapshot) => {
            grow(records, line)
        }
        _ => return None,
    })
}

/// A line: which family, and the record, which says of which type it is.
#[derive(Serialize)]
pub(super) struct RecordLine<'a> {
    family: &'a str,
    #[serde(flatten)]
    record: Record<'a>,
}

/// Any of the records.
#[derive(Serialize)]
#[serde(untagged)]
enum Record<'a> {
    Lock(&'a LockRecord),
    Commit(&'a CommitRecord),
    Account(&'a AccountRecord),
    Chain(&'a ChainRecord),
}

/// Hands out every record as a line, with its instant.
pub(super) fn write_records(
    records: &Records,
    family: &str,
    mut push: impl FnMut(u64, &RecordLine<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut push = |at_ns, record| push(at_ns, &RecordLine { family, record });
    match records {
        Records::Locks { records, .. } => {
            records.iter().try_for_each(|record| push(record.at_ns(), Record::Lock(record)))
        }
        Records::Commits(records) => {
            records.iter().try_for_each(|record| push(record.at_ns(), Record::Commit(record)))
        }
        Records::Accounts { records, .. } => {
            records.iter().try_for_each(|record| push(record.at_ns(), Record::Account(record)))
        }
        Records::Chain { records, .. } => {
            records.iter().try_for_each(|record| push(record.at_ns(), Record::Chain(record)))
        }
    }
}
