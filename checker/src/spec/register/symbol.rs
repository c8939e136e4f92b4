//! Values of registers that are no numbers: each has a number of its own in this process.
//!
//! A register's value is a number or nil, so that the searches compare and copy machine words. Files have
//! strings, keywords and decimals there, too. Each such value gets a number from a reserved range, the same
//! for the same text; wherever a value is shown, the text is shown. A whole number of a file that lies in
//! the reserved range gets such a number as well, so that no two values are one.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// The first number of the range.
const FIRST: i64 = -0x5359_4d42_4f4c_0000;
/// How many there are.
const COUNT: i64 = 1 << 32;

/// The texts by number, and the numbers by text.
#[derive(Default)]
struct Table {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, i64, FxBuildHasher>,
}

fn table() -> &'static RwLock<Table> {
    static TABLE: OnceLock<RwLock<Table>> = OnceLock::new();
    TABLE.get_or_init(RwLock::default)
}

/// Whether no whole number of a file may stand for itself.
pub fn is_reserved(value: i64) -> bool {
    (FIRST..FIRST + COUNT).contains(&value)
}

/// The number of the value that is written so.
pub fn of(written: &str) -> i64 {
    let known = table().read().unwrap_or_else(PoisonError::into_inner).numbers.get(written).copied();
    known.unwrap_or_else(|| {
        let mut table = table().write().unwrap_or_else(PoisonError::into_inner);
        let next = FIRST + i64::try_from(table.texts.len()).expect("2^32 values do not fit memory");
        assert!(is_reserved(next), "2^32 values do not fit memory");
        let text: Arc<str> = written.into();
        // Another thread may have been faster.
        let number = *table.numbers.entry(text.clone()).or_insert(next);
        if number == next {
            table.texts.push(text);
        }
        number
    })
}

/// How the value of this number is written, if it is one of these.
pub fn text(value: i64) -> Option<Arc<str>> {
    if !is_reserved(value) {
        return None;
    }
    let place = usize::try_from(value - FIRST).ok()?;
    table().read().unwrap_or_else(PoisonError::into_inner).texts.get(place).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_number_and_others_another() {
        let (one, other) = (of("\"one\""), of(":one"));
        assert_ne!(one, other);
        assert_eq!(of("\"one\""), one);
        assert_eq!(text(one).as_deref(), Some("\"one\""));
        assert!(is_reserved(one) && is_reserved(other));
        assert_eq!(text(1), None);
        assert_eq!(text(FIRST + COUNT - 1), None);
    }
}
