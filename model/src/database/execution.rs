//! What a list of statements does to the rows: everything, or nothing because of one of them.

use std::collections::BTreeMap;

use super::{Change, Found, Otherwise, Outcome, Schema, Statement};

/// The rows of a database.
pub(super) type Rows<S> = BTreeMap<<S as Schema>::Key, <S as Schema>::Value>;

/// What came of a transaction, before it is durable.
#[derive(Debug)]
pub(super) struct Executed<S: Schema> {
    /// What its client is to be told.
    pub(super) outcome: Outcome<S>,
    /// What it changes; nothing if it was aborted.
    pub(super) changes: Vec<Change<S>>,
}

/// Executes `statements` on what is committed.
pub(super) fn execute<S: Schema>(committed: &Rows<S>, statements: &[Statement<S>]) -> Executed<S> {
    let mut view = View { committed, written: BTreeMap::new() };
    let mut found = Vec::with_capacity(statements.len());
    let mut skipped_until = 0;
    for (place, statement) in statements.iter().enumerate() {
        if place < skipped_until {
            found.push(Found::Skipped);
            continue;
        }
        match view.step(statement) {
            Step::Found(what) => found.push(what),
            Step::Otherwise(Otherwise::Skip(count), row) => {
                skipped_until = place + 1 + count as usize;
                found.push(Found::Otherwise(row));
            }
            Step::Otherwise(Otherwise::Abort, row) => {
                let statement = u32::try_from(place).expect("a query has fewer than 2^32 statements");
                return Executed { outcome: Outcome::Aborted { statement, row }, changes: Vec::new() };
            }
        }
    }
    Executed { outcome: Outcome::Committed(found), changes: view.written.into_iter().collect() }
}

/// What one statement did.
enum Step<S: Schema> {
    Found(Found<S>),
    /// It could not be done; the row that stood against it.
    Otherwise(Otherwise, Option<S::Value>),
}

/// The committed rows under a transaction's own writes.
struct View<'a, S: Schema> {
    committed: &'a Rows<S>,
    written: BTreeMap<S::Key, Option<S::Value>>,
}

impl<S: Schema> View<'_, S> {
    fn step(&mut self, statement: &Statement<S>) -> Step<S> {
        match statement {
            Statement::Get(key) => Step::Found(Found::Row(self.get(key).cloned())),
            Statement::Scan { from, to, count_max } => Step::Found(self.scan(from, to, *count_max)),
            Statement::Put(key, value) => self.write(key, Some(value.clone())),
            Statement::Delete(key) => self.write(key, None),
            Statement::Add(key, delta) => self.add(key, *delta),
            Statement::Insert { key, value, otherwise } => match self.get(key).cloned() {
                None => self.write(key, Some(value.clone())),
                row @ Some(_) => Step::Otherwise(*otherwise, row),
            },
            Statement::Expect { key, row, otherwise } => match self.get(key).cloned() {
                found if found == *row => Step::Found(Found::Done),
                found => Step::Otherwise(*otherwise, found),
            },
        }
    }

    fn get(&self, key: &S::Key) -> Option<&S::Value> {
        self.written.get(key).map_or_else(|| self.committed.get(key), Option::as_ref)
    }

    fn write(&mut self, key: &S::Key, row: Option<S::Value>) -> Step<S> {
        self.written.insert(key.clone(), row);
        Step::Found(Found::Done)
    }

    fn add(&mut self, key: &S::Key, delta: i64) -> Step<S> {
        let Some(sum) = S::add(self.get(key), delta) else {
            return Step::Otherwise(Otherwise::Abort, self.get(key).cloned());
        };
        self.written.insert(key.clone(), Some(sum.clone()));
        Step::Found(Found::Row(Some(sum)))
    }

    fn scan(&self, from: &S::Key, to: &S::Key, count_max: u32) -> Found<S> {
        let count_max = count_max as usize;
        if from >= to {
            return Found::Rows(Vec::new());
        }
        // Of either side no more is needed than is asked for and the other may take away.
        let untouched = self.committed.range(from..to).filter(|(key, _)| !self.written.contains_key(*key));
        let mut rows: Vec<_> =
            untouched.take(count_max).map(|(key, row)| (key.clone(), row.clone())).collect();
        let written = self.written.range(from..to);
        rows.extend(written.filter_map(|(key, row)| Some((key.clone(), row.clone()?))));
        rows.sort_by(|one, other| one.0.cmp(&other.0));
        rows.truncate(count_max);
        Found::Rows(rows)
    }
}
