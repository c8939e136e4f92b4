//! The escapes of strings in EDN, to be read and written.

use std::fmt::Write as _;
use std::str::Chars;

/// The string that is written so between its quotes; none if an escape is none of Clojure's.
pub(super) fn unescaped(written: &str) -> Option<String> {
    let mut content = String::with_capacity(written.len());
    let mut marks = written.chars();
    while let Some(mark) = marks.next() {
        content.push(if mark == '\\' { escaped(&mut marks)? } else { mark });
    }
    Some(content)
}

/// A string in quotes.
pub(in crate::format) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for mark in text.chars() {
        match mark {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control < ' ' => {
                write!(quoted, "\\u{:04x}", u32::from(control)).expect("writing to a string does not fail");
            }
            mark => quoted.push(mark),
        }
    }
    quoted.push('"');
    quoted
}

/// What the marks after a backslash stand for.
fn escaped(marks: &mut Chars<'_>) -> Option<char> {
    match marks.next()? {
        't' => Some('\t'),
        'r' => Some('\r'),
        'n' => Some('\n'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'u' => unicode(marks),
        mark @ ('\\' | '"') => Some(mark),
        digit @ '0'..='7' => octal(digit, marks),
        _ => None,
    }
}

/// Four hexadecimal digits, or two such escapes that are one character beyond them. Half of such a pair, which
/// Clojure takes, is no character here.
fn unicode(marks: &mut Chars<'_>) -> Option<char> {
    const HIGH: std::ops::Range<u32> = 0xd800..0xdc00;
    const LOW: std::ops::Range<u32> = 0xdc00..0xe000;
    let code = four_digits(marks)?;
    let mut rest = marks.clone();
    if HIGH.contains(&code)
        && rest.next() == Some('\\')
        && rest.next() == Some('u')
        && let Some(low) = four_digits(&mut rest).filter(|low| LOW.contains(low))
    {
        *marks = rest;
        return char::from_u32(0x10000 + ((code - HIGH.start) << 10) + (low - LOW.start));
    }
    Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn four_digits(marks: &mut Chars<'_>) -> Option<u32> {
    let digits = marks.as_str().get(..4)?;
    let code = digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16));
    marks.nth(3);
    code?.ok()
}

/// Up to three octal digits, at most 0o377.
fn octal(first: char, marks: &mut Chars<'_>) -> Option<char> {
    let mut code = first.to_digit(8)?;
    for _ in 0..2 {
        let Some(digit) = marks.clone().next().and_then(|mark| mark.to_digit(8)) else { break };
        code = 8 * code + digit;
        marks.next();
    }
    if code <= 0o377 { char::from_u32(code) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_clojure() {
        let cases = [
            (r"a\tb\n", Some("a\tb\n")),
            (r"\u00e9", Some("é")),
            (r"\ud83d\ude00", Some("😀")),
            (r"\101\0", Some("A\0")),
            (r"\377", Some("ÿ")),
            (r"\400", None),
            (r"\ud83dx", Some("\u{fffd}x")),
            (r"\u12", None),
            (r"\u+123", None),
            (r"\x", None),
        ];
        for (written, want) in cases {
            assert_eq!(unescaped(written).as_deref(), want, "{written}");
        }
        let text = "\"\\\n\r\t\u{1}é";
        let written = quoted(text);
        assert_eq!(unescaped(&written[1..written.len() - 1]).as_deref(), Some(text));
    }
}
