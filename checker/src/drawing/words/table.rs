//! Words for objects of a table: those of its file.

use std::sync::Arc;

use crate::drawing::Drawable;
use crate::spec::table::{Table, TableAnswer, TableCall};

const ANSWERS: &str = "->";
const REFUSED: char = '!';

impl Drawable for Table {
    fn read_word(word: &str) -> Option<(TableCall, Option<TableAnswer>)> {
        let (asked, answer) = match (word.split_once(ANSWERS), word.strip_suffix(REFUSED)) {
            (Some((asked, told)), _) => (asked, TableAnswer::Values(words(told)?)),
            (None, Some(asked)) => (asked, TableAnswer::Refused),
            (None, None) => (word, TableAnswer::Done),
        };
        Some((TableCall(words(asked)?), Some(answer)))
    }

    fn word(call: &TableCall, answer: Option<&TableAnswer>) -> String {
        let asked = call.in_words_asked();
        match answer {
            None | Some(TableAnswer::Done) => asked,
            Some(TableAnswer::Refused) => format!("{asked}{REFUSED}"),
            Some(TableAnswer::Values(told)) => format!("{asked}{ANSWERS}{}", told.join(" ")),
        }
    }
}

/// What stands between blanks, if anything does.
fn words(text: &str) -> Option<Arc<[Arc<str>]>> {
    let words: Arc<[Arc<str>]> = text.split_whitespace().map(Arc::from).collect();
    (!words.is_empty()).then_some(words)
}
