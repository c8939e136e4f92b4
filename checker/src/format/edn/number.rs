//! Numbers as Clojure reads them: octal, hexadecimal, any radix, ratios, decimals.
//!
//! ```text
//!   017 ► 15    0x1F ► 31    2r101 ► 5    36rZ ► 35    42N ► 42    4/2 ► 2
//!   1e3, 1.5, 1M, 1/3 ► no whole number, kept as written    08, 1a, 3r7 ► no number: an error
//! ```
//!
//! Source: `matchNumber` of `clojure.lang.EdnReader`, which says what is a number and what is none.

use super::Edn;

/// Whether a token is read as a number: it begins with a digit, or with a sign and a digit.
pub(super) fn is_number(written: &str) -> bool {
    unsigned(written).starts_with(|first: char| first.is_ascii_digit())
}

/// The number; none if Clojure would refuse it.
pub(super) fn number(written: &str) -> Option<Edn> {
    let is_negative = written.starts_with('-');
    let digits = unsigned(written);
    let whole = match digits.parse::<i64>() {
        // Most numbers are small, and the small ones are read several times as fast.
        Ok(small) if !digits.starts_with('0') => i128::from(small),
        Ok(_) | Err(_) => match whole(digits.strip_suffix('N').unwrap_or(digits)) {
            Whole::Number(number) => number,
            Whole::Large => return Some(Edn::Other(written.to_owned())),
            Whole::None if is_decimal(digits) => return Some(Edn::Other(written.to_owned())),
            Whole::None => return ratio(written, digits, is_negative),
        },
    };
    Some(Edn::Integer(if is_negative { -whole } else { whole }))
}

/// Digits that may be a whole number.
enum Whole {
    Number(i128),
    /// A number that is larger than any that is needed.
    Large,
    None,
}

fn unsigned(written: &str) -> &str {
    written.strip_prefix(['+', '-']).unwrap_or(written)
}

fn whole(digits: &str) -> Whole {
    let (radix, digits) = match digits.split_once(['r', 'R']) {
        Some((radix, digits)) if !radix.starts_with('0') => match radix.parse() {
            Ok(radix @ 2..=36) => (radix, digits),
            Ok(_) | Err(_) => return Whole::None,
        },
        Some(_) => return Whole::None,
        None => match digits.strip_prefix('0') {
            None => (10, digits),
            Some("") => return Whole::Number(0),
            Some(rest) => match rest.strip_prefix(['x', 'X']) {
                Some(digits) => (16, digits),
                None => (8, rest),
            },
        },
    };
    let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    match i128::from_str_radix(digits, radix) {
        Ok(number) if is_number => Whole::Number(number),
        Err(_) if is_number => Whole::Large,
        Ok(_) | Err(_) => Whole::None,
    }
}

/// Digits with a point, an exponent or an `M`: without any of them they would be a whole number.
fn is_decimal(written: &str) -> bool {
    let digits = written.strip_suffix('M').unwrap_or(written);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(unsigned(exponent))),
        None => (digits, None),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_given = |text: &str| !text.is_empty() && are_digits(text);
    let is_marked = digits != written || exponent.is_some() || mantissa.contains('.');
    is_marked && is_given(before) && are_digits(after) && exponent.is_none_or(is_given)
}

/// Two whole numbers with a stroke between them, in lowest terms.
fn ratio(written: &str, digits: &str, is_negative: bool) -> Option<Edn> {
    let (above, below) = digits.split_once('/')?;
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(above) || !are_digits(below) {
        return None;
    }
    let (Ok(above), Ok(below)) = (above.parse::<i128>(), below.parse::<i128>()) else {
        return Some(Edn::Other(written.to_owned()));
    };
    if below == 0 {
        return None;
    }
    let sign = if is_negative { -1 } else { 1 };
    let divisor = greatest_divisor(above, below);
    let (above, below) = (sign * above / divisor, below / divisor);
    Some(if below == 1 { Edn::Integer(above) } else { Edn::Other(format!("{above}/{below}")) })
}

fn greatest_divisor(mut one: i128, mut other: i128) -> i128 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_clojure_reads_them() {
        let whole = [
            ("0", 0),
            ("-0", 0),
            ("+7", 7),
            ("017", 15),
            ("-017", -15),
            ("0x1F", 31),
            ("0X1fN", 31),
            ("2r101", 5),
            ("36rZ", 35),
            ("-16Rff", -255),
            ("42N", 42),
            ("0N", 0),
            ("4/2", 2),
            ("0/5", 0),
            ("-6/3", -2),
            ("9223372036854775808", 1 << 63),
        ];
        for (written, want) in whole {
            assert!(is_number(written), "{written}");
            assert_eq!(number(written), Some(Edn::Integer(want)), "{written}");
        }
        for written in ["1e3", "1.", "1.5", "-1.5e-3", "1M", "1.5M", "08.5", "1/3", "00.5e1"] {
            assert_eq!(number(written), Some(Edn::Other(written.to_owned())), "{written}");
        }
        assert_eq!(number("-2/6"), Some(Edn::Other("-1/3".to_owned())));
        for written in
            ["08", "1a", "0x", "0xg", "3r7", "1r0", "37r0", "2r", "02r1", "1/0", "1/", "1e", "1.5N", "1__0"]
        {
            assert!(is_number(written), "{written}");
            assert_eq!(number(written), None, "{written}");
        }
        for word in ["-", "+", "a1", "->x", "-a", ".5", "nil"] {
            assert!(!is_number(word), "{word}");
        }
        let long = "9".repeat(60);
        assert_eq!(number(&long), Some(Edn::Other(long.clone())));
    }
}
