//! Words for strings.

use crate::drawing::Drawable;
use crate::spec::text::{Text, TextAnswer, TextCall};

/// What stands for an answer that never came.
const UNKNOWN: &str = "?";

impl Drawable for Text {
    fn read_word(word: &str) -> Option<(TextCall, Option<TextAnswer>)> {
        let (kind, text) = word.split_at_checked(1)?;
        match kind {
            "g" if text == UNKNOWN => Some((TextCall::Get, None)),
            "g" => Some((TextCall::Get, Some(TextAnswer::Found(text.into())))),
            "p" => Some((TextCall::Put(text.into()), Some(TextAnswer::Done))),
            "a" => Some((TextCall::Append(text.into()), Some(TextAnswer::Done))),
            _ => None,
        }
    }

    fn word(call: &TextCall, answer: Option<&TextAnswer>) -> String {
        match (call, answer) {
            (TextCall::Get, Some(TextAnswer::Found(text))) => format!("g{text}"),
            (TextCall::Get, _) => format!("g{UNKNOWN}"),
            (TextCall::Put(text), _) => format!("p{text}"),
            (TextCall::Append(text), _) => format!("a{text}"),
        }
    }
}
