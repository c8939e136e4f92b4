//! Words for logs.

use std::sync::Arc;

use crate::drawing::Drawable;
use crate::spec::log::{Log, LogAnswer, LogCall};

/// What stands for an answer that never came.
const UNKNOWN: &str = "?";

impl Drawable for Log {
    fn read_word(word: &str) -> Option<(LogCall, Option<LogAnswer>)> {
        if let Some(rest) = word.strip_prefix('a') {
            return match rest.split_once('@') {
                Some((entry, offset)) => {
                    let answer = LogAnswer::AppendedAt(offset.parse().ok()?);
                    Some((LogCall::Append(entry.parse().ok()?), Some(answer)))
                }
                None => Some((LogCall::Append(rest.parse().ok()?), Some(LogAnswer::Appended))),
            };
        }
        let kind = word.find(['l', 'e'])?;
        let offset = if kind == 0 { 0 } else { word[..kind].parse().ok()? };
        let found = &word[kind + 1..];
        let is_unknown = found == UNKNOWN;
        if word[kind..].starts_with('l') {
            let answer = if is_unknown { None } else { Some(LogAnswer::Entries(entries(found)?)) };
            return Some((LogCall::ReadFrom(offset), answer));
        }
        let entry =
            || Some(LogAnswer::Entry(if found.is_empty() { None } else { Some(found.parse().ok()?) }));
        Some((LogCall::ReadAt(offset), if is_unknown { None } else { Some(entry()?) }))
    }

    fn word(call: &LogCall, answer: Option<&LogAnswer>) -> String {
        let offset = |offset: &u64| if *offset == 0 { String::new() } else { offset.to_string() };
        match (call, answer) {
            (LogCall::Append(entry), Some(LogAnswer::AppendedAt(offset))) => format!("a{entry}@{offset}"),
            (LogCall::Append(entry), _) => format!("a{entry}"),
            (LogCall::ReadFrom(from), Some(LogAnswer::Entries(entries))) => {
                let entries: Vec<String> = entries.iter().map(i64::to_string).collect();
                format!("{}l{}", offset(from), entries.join(","))
            }
            (LogCall::ReadFrom(from), _) => format!("{}l{UNKNOWN}", offset(from)),
            (LogCall::ReadAt(at), Some(LogAnswer::Entry(entry))) => {
                format!("{}e{}", offset(at), entry.map(|entry| entry.to_string()).unwrap_or_default())
            }
            (LogCall::ReadAt(at), _) => format!("{}e{UNKNOWN}", offset(at)),
        }
    }
}

fn entries(text: &str) -> Option<Arc<[i64]>> {
    if text.is_empty() {
        return Some([].into());
    }
    text.split(',').map(|entry| entry.parse().ok()).collect()
}
