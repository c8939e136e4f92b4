//! Words for registers that are read and written together: names are letters.

use std::sync::Arc;

use super::{read_value, value};
use crate::drawing::Drawable;
use crate::spec::multi_register::{MultiRegister, Part, Reads, Transaction};
use crate::spec::register::Value;

impl Drawable for MultiRegister {
    fn read_word(word: &str) -> Option<(Transaction, Option<Reads>)> {
        let mut parts = Vec::new();
        let mut found = Vec::new();
        for part in word.split(',') {
            let (kind, rest) = part.split_at_checked(1)?;
            let end = rest.find(|mark: char| !mark.is_ascii_lowercase() || mark == 'n').unwrap_or(rest.len());
            let (name, text) = rest.split_at(end);
            if name.is_empty() {
                return None;
            }
            let name: Arc<str> = name.into();
            match kind {
                "r" => {
                    found.push(if text.is_empty() { None } else { Some(read_value(text)?) });
                    parts.push(Part::Read { name });
                }
                "w" => parts.push(Part::Write { name, value: read_value(text)? }),
                _ => return None,
            }
        }
        Some((Transaction(parts.into()), Some(Reads(found.into()))))
    }

    fn word(call: &Transaction, answer: Option<&Reads>) -> String {
        let mut found = answer.iter().flat_map(|reads| reads.0.iter());
        let word = |part: &Part| match part {
            Part::Read { name } => {
                let found: Option<Value> = found.next().copied().flatten();
                format!("r{name}{}", found.map(value).unwrap_or_default())
            }
            Part::Write { name, value: new } => format!("w{name}{}", value(*new)),
        };
        call.0.iter().map(word).collect::<Vec<_>>().join(",")
    }
}
