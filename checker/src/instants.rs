//! Instants and spans as people read them: seconds with three decimals, and three significant digits with a unit.

/// Units of spans, longest first.
const UNITS: [(u64, &str); 3] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs")];

/// An instant, rounded to milliseconds, as in `12.345 s`; in the first millisecond, as a [`span`].
pub fn seconds(at_ns: u64) -> String {
    if at_ns < 1_000_000 {
        return span(at_ns);
    }
    let milliseconds = at_ns.saturating_add(500_000) / 1_000_000;
    format!("{}.{:03} s", milliseconds / 1_000, milliseconds % 1_000)
}

/// A length of time, cut to three significant digits, as in `6.21 ms`; from 1,000 s on, to whole seconds.
pub fn span(length_ns: u64) -> String {
    let Some((unit_ns, unit)) = UNITS.into_iter().find(|(unit_ns, _)| length_ns >= *unit_ns) else {
        return format!("{length_ns} ns");
    };
    let whole = length_ns / unit_ns;
    let decimal_count = match whole {
        ..10 => 2,
        10..100 => 1,
        100.. => 0,
    };
    let thousandths = format!("{:03}", length_ns % unit_ns / (unit_ns / 1_000));
    let decimals = thousandths[..decimal_count].trim_end_matches('0');
    let dot = if decimals.is_empty() { "" } else { "." };
    format!("{}{dot}{decimals} {unit}", crate::judge::grouped(whole))
}

/// The time between two instants: `1.200 s to 1.207 s`; where both read alike, the first and the length.
pub fn interval(from_ns: u64, to_ns: u64) -> String {
    let (from, to) = (seconds(from_ns), seconds(to_ns));
    if from == to {
        return format!("{from} for {}", span(to_ns.saturating_sub(from_ns)));
    }
    format!("{from} to {to}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_three_decimals_and_spans_three_digits() {
        let instants = [0, 999_999, 1_000_000, 12_345_678_901, u64::MAX].map(seconds);
        assert_eq!(instants, ["0 ns", "999 µs", "0.001 s", "12.346 s", "18446744073.709 s"]);
        let spans = [0, 999, 1_000, 6_210_999, 62_109_999, 144_000_000, 1_500_000_000].map(span);
        assert_eq!(spans, ["0 ns", "999 ns", "1 µs", "6.21 ms", "62.1 ms", "144 ms", "1.5 s"]);
        assert_eq!(span(1_234_567_000_000), "1,234 s");
    }

    #[test]
    fn two_instants_that_read_alike_are_told_apart() {
        assert_eq!(interval(12_345_000_000, 12_351_000_000), "12.345 s to 12.351 s");
        assert_eq!(interval(12_345_000_000, 12_345_120_000), "12.345 s for 120 µs");
    }
}
