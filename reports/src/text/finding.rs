//! A violation in lines: the claim, its operations, what stands beside them, and how far all was well.

use checker::verdict::Violation;

use super::{Page, wrapped};
use crate::scale::grouped;

/// Where the lines of a finding begin.
const INDENT: &str = "          ";
/// Where those of its lists begin.
const LIST_INDENT: usize = 12;

/// The lines of a violation of `level`.
pub(super) fn finding(page: &mut Page, level: &str, violation: &Violation) {
    match &violation.claim {
        Some(claim) if !violation.named.is_empty() => claimed(page, level, claim, violation),
        Some(_) | None => page.indented(INDENT, &format!("not {level}: {}", violation.explanation)),
    }
    if !violation.context.is_empty() {
        page.indented(INDENT, "beside them:");
        for line in beside(violation) {
            item(page, &line);
        }
    }
    if violation.steps.is_empty() {
        return;
    }
    if let Some(count) = violation.legal_prefix_count {
        let before = match count {
            0 => "no operation had returned before that:".to_owned(),
            1 => "1 operation had returned before that; up to there this is legal:".to_owned(),
            count => {
                let count = grouped(count as u64);
                format!("{count} operations had returned before that; up to there this order is legal:")
            }
        };
        page.indented(INDENT, &before);
    }
    for step in &violation.steps {
        item(page, step);
    }
}

fn claimed(page: &mut Page, level: &str, claim: &str, violation: &Violation) {
    let on = on(violation).map_or_else(String::new, |key| format!("on {key}, "));
    page.indented(INDENT, &format!("not {level}: {on}{claim}:"));
    for line in core(violation) {
        item(page, &line);
    }
    if let Some(reason) = &violation.reason {
        page.indented(INDENT, &format!("why: {reason}"));
    }
}

/// The object, where the sentence of the violation begins with it.
pub(crate) fn on(violation: &Violation) -> Option<&str> {
    let key = violation.key.as_deref()?;
    violation.explanation.strip_prefix(key).is_some_and(|rest| rest.starts_with(": ")).then_some(key)
}

/// The operations of the failing part, as far as they are named.
pub(crate) fn core(violation: &Violation) -> Vec<String> {
    let named = violation.named.iter().filter(|one| violation.operations.contains(&one.operation));
    let mut lines: Vec<String> = named.map(|one| one.words.clone()).collect();
    let left = violation.operations.len() - lines.len().min(violation.operations.len());
    if left > 0 {
        lines.push(format!("and {} more", grouped(left as u64)));
    }
    lines
}

/// What stands beside the part, with what it has to do with it.
pub(crate) fn beside(violation: &Violation) -> Vec<String> {
    let words = |number| violation.named.iter().find(|one| one.operation == number).map(|one| &one.words);
    let lines =
        violation.context.iter().filter_map(|one| Some(format!("{} {}", words(one.operation)?, one.why)));
    lines.collect()
}

fn item(page: &mut Page, text: &str) {
    let lines = wrapped(text, LIST_INDENT + 2);
    page.text.push_str(&format!("{}- {}", " ".repeat(LIST_INDENT), lines.trim_start()));
}
