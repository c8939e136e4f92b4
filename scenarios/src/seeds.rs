//! A range of seeds, as arguments of commands say it.

/// Seeds from A up to, not including, B.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub std::ops::Range<u64>);

impl std::str::FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected A..B with A < B, as in 0..100, found `{text}`");
        let (start, end) = text.split_once("..").ok_or_else(expected)?;
        let number = |part: &str| part.parse::<u64>().map_err(|_| expected());
        let range = number(start)?..number(end)?;
        if range.is_empty() { Err(expected()) } else { Ok(Self(range)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_a_beginning_an_end_and_something_between() {
        assert_eq!("3..5".parse(), Ok(Seeds(3..5)));
        for text in ["5..5", "5..3", "5", "..5", "a..b", "1..=5", ""] {
            assert!(text.parse::<Seeds>().is_err(), "{text}");
        }
    }
}
