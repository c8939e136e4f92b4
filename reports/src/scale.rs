//! From instants to places on a line, and the round instants worth naming.

use crate::svg::Px;

/// A piece of time laid out over a width. Unit of the ends: ns; `from_ns < to_ns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    from_ns: i64,
    to_ns: i64,
    width: Px,
}

/// An instant with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tick {
    /// Where it stands.
    pub(crate) x: Px,
    /// Its name, such as `20 s`.
    pub(crate) label: String,
}

/// Units of time and their names, largest first.
const UNITS: [(i64, &str); 4] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns")];

impl Scale {
    /// The time from `range_ns.0` to `range_ns.1` over `width`; an empty or turned range becomes one ns long.
    pub(crate) fn new(range_ns: (i64, i64), width: Px) -> Self {
        let (from_ns, to_ns) = range_ns;
        let from_ns = from_ns.min(i64::MAX - 1);
        Self { from_ns, to_ns: to_ns.max(from_ns + 1), width }
    }

    /// Where `at_ns` lies; instants outside lie on the nearer edge.
    pub(crate) fn x(&self, at_ns: i64) -> Px {
        let elapsed = i128::from(at_ns.clamp(self.from_ns, self.to_ns)) - i128::from(self.from_ns);
        let length = i128::from(self.to_ns) - i128::from(self.from_ns);
        let tenths = elapsed * i128::from(self.width.as_tenths()) / length;
        Px::tenths(i64::try_from(tenths).expect("a place lies within the width"))
    }

    /// As [`Scale::x`], of an instant of true time.
    pub(crate) fn x_at(&self, at_ns: u64) -> Px {
        self.x(signed(at_ns))
    }

    /// Round instants, at most `count_max` of them, in steps of 1, 2 or 5 times a power of ten.
    pub(crate) fn ticks(&self, count_max: u32) -> Vec<Tick> {
        let length = i128::from(self.to_ns) - i128::from(self.from_ns);
        let step = round_step(length, i128::from(count_max.max(1)));
        let largest = i128::from(self.from_ns).abs().max(i128::from(self.to_ns).abs());
        let unit = UNITS.iter().find(|(unit_ns, _)| largest >= i128::from(*unit_ns)).unwrap_or(&UNITS[3]);
        let first = i128::from(self.from_ns).div_euclid(step) * step;
        let instants = (0..=i128::from(count_max) + 2).map(|index| first + index * step);
        instants
            .filter_map(|at_ns| i64::try_from(at_ns).ok())
            .filter(|at_ns| (self.from_ns..=self.to_ns).contains(at_ns))
            .map(|at_ns| Tick { x: self.x(at_ns), label: in_unit(at_ns, *unit) })
            .collect()
    }
}

/// An unsigned instant as a signed one; beyond 292 years it is 292 years.
pub(crate) fn signed(at_ns: u64) -> i64 {
    i64::try_from(at_ns).unwrap_or(i64::MAX)
}

/// A length of time with its sign, as in `+1.2 ms`.
pub(crate) fn signed_span(length_ns: i64) -> String {
    let sign = match length_ns {
        ..0 => "-",
        0 => "",
        1.. => "+",
    };
    format!("{sign}{}", span(length_ns.unsigned_abs()))
}

/// A length of time in its largest unit, with three significant digits.
pub(crate) fn span(length_ns: u64) -> String {
    checker::instants::span(length_ns)
}

/// A count with its thousands set apart, as in `8,000`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its sign, as in `+8,000`.
pub(crate) fn signed_count(count: i64) -> String {
    let sign = match count {
        ..0 => "-",
        0 => "",
        1.. => "+",
    };
    format!("{sign}{}", grouped(count.unsigned_abs()))
}

/// The smallest step of 1, 2 or 5 times a power of ten that divides `length` into at most `count_max` parts.
pub(crate) fn round_step(length: i128, count_max: i128) -> i128 {
    let mut power = 1;
    loop {
        for factor in [1, 2, 5] {
            if length <= count_max * factor * power {
                return factor * power;
            }
        }
        power *= 10;
    }
}

fn in_unit(at_ns: i64, (unit_ns, unit): (i64, &str)) -> String {
    let (sign, at_ns) = (if at_ns < 0 { "-" } else { "" }, at_ns.unsigned_abs());
    let unit_ns = unit_ns.unsigned_abs();
    let decimals = format!("{:0width$}", at_ns % unit_ns, width = unit_ns.ilog10() as usize);
    let decimals = decimals.trim_end_matches('0');
    let dot = if decimals.is_empty() { "" } else { "." };
    format!("{sign}{}{dot}{decimals} {unit}", at_ns / unit_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_ticks(range_ns: (i64, i64), want: &[&str]) {
        let labels: Vec<_> =
            Scale::new(range_ns, Px::whole(100)).ticks(4).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, want, "{range_ns:?}");
    }

    #[test]
    fn ticks_are_round_and_few() {
        check_ticks((0, 20_000_000_000), &["0 s", "5 s", "10 s", "15 s", "20 s"]);
        check_ticks((-1_500_000, 1_200_000), &["-1 ms", "0 ms", "1 ms"]);
        check_ticks((0, 900_000_000), &["0 ms", "500 ms"]);
        check_ticks((0, 1_200_000_000), &["0 s", "0.5 s", "1 s"]);
        check_ticks((5, 5), &["5 ns", "6 ns"]);
    }

    #[test]
    fn places_stay_within_the_width_for_any_instant() {
        for range_ns in [(0, 1), (0, i64::MAX), (i64::MIN, i64::MAX), (9, 3), (i64::MAX, i64::MAX)] {
            let scale = Scale::new(range_ns, Px::whole(1080));
            for at_ns in [i64::MIN, -1, 0, 1, 1_000_000_000, i64::MAX] {
                let x = scale.x(at_ns);
                assert!(x >= Px::ZERO && x <= scale.width, "{range_ns:?} at {at_ns}: {x}");
            }
            assert!(scale.ticks(8).len() <= 10, "{range_ns:?}");
        }
    }

    #[test]
    fn counts_and_signed_spans_are_readable() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([-1_500_000, 0, 2_000].map(signed_span), ["-1.5 ms", "0 ns", "+2 µs"]);
        assert_eq!(signed_span(i64::MIN), "-9,223,372,036 s");
    }
}
