//! How long operations took, by kind and outcome: percentiles and a histogram, geometry first, SVG second.
//!
//! A bucket is half of a power of two wide, so that each is at most 1.5 times the one before. All histograms of a
//! page share one axis. A percentile is the smallest latency that at least that share of the operations did not
//! exceed, so it is one that really occurred.

use std::collections::BTreeMap;

use crate::drawn::{DrawnOperation, Ending};
use crate::svg::{Area, Path, Point, Px, Svg};

/// The width of a histogram.
const WIDTH: Px = Px::whole(220);
/// The height of a histogram.
const HEIGHT: Px = Px::whole(30);

/// Percentiles, as thousandths.
const SHARES: [u64; 4] = [500, 900, 990, 999];

/// The latencies of operations of one kind and outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LatencyRow {
    /// The kind of operation.
    pub(crate) kind: String,
    /// How they ended.
    pub(crate) ending: Ending,
    /// How many there are, unanswered ones too.
    pub(crate) count: u64,
    /// The shortest, in ns; none if no operation was answered.
    pub(crate) shortest_ns: Option<u64>,
    /// p50, p90, p99, p99.9 and the longest, in ns; none if no operation was answered.
    pub(crate) percentiles_ns: Option<[u64; 5]>,
    /// How many fell into each bucket.
    buckets: BTreeMap<u32, u64>,
}

/// The rows for some operations, by kind, then outcome; what nobody asked took no time.
pub(crate) fn rows<'a>(operations: impl IntoIterator<Item = &'a DrawnOperation>) -> Vec<LatencyRow> {
    let mut groups: BTreeMap<(&str, Ending), (u64, Vec<u64>)> = BTreeMap::new();
    for operation in operations.into_iter().filter(|operation| operation.is_asked()) {
        let group = groups.entry((&operation.kind, operation.ending)).or_default();
        group.0 += 1;
        group.1.extend(operation.latency_ns());
    }
    groups
        .into_iter()
        .map(|((kind, ending), (count, latencies))| row(kind, ending, count, latencies))
        .collect()
}

fn row(kind: &str, ending: Ending, count: u64, mut latencies_ns: Vec<u64>) -> LatencyRow {
    latencies_ns.sort_unstable();
    let mut buckets = BTreeMap::new();
    for &latency_ns in &latencies_ns {
        *buckets.entry(bucket(latency_ns)).or_default() += 1;
    }
    let percentiles_ns = latencies_ns.last().map(|&longest| {
        let [p50, p90, p99, p999] = SHARES.map(|share| percentile(&latencies_ns, share));
        [p50, p90, p99, p999, longest]
    });
    let shortest_ns = latencies_ns.first().copied();
    LatencyRow { kind: kind.to_owned(), ending, count, shortest_ns, percentiles_ns, buckets }
}

/// The smallest of `sorted` that at least `share` thousandths of them do not exceed; `sorted` is not empty.
fn percentile(sorted: &[u64], share: u64) -> u64 {
    let rank = (sorted.len() as u64 * share).div_ceil(1_000).max(1);
    sorted[usize::try_from(rank - 1).expect("a rank is at most the number of operations")]
}

/// The bucket of a latency: two for each power of two.
const fn bucket(latency_ns: u64) -> u32 {
    if latency_ns < 2 {
        return latency_ns as u32;
    }
    let power = latency_ns.ilog2();
    let is_upper_half = latency_ns >> (power - 1) & 1 == 1;
    2 * power + is_upper_half as u32
}

/// The buckets that the histograms of these rows span.
fn axis(rows: &[LatencyRow]) -> (u32, u32) {
    let buckets = || rows.iter().flat_map(|row| row.buckets.keys().copied());
    (buckets().min().unwrap_or(0), buckets().max().unwrap_or(0))
}

/// The shortest and the longest latency of all rows, in ns; none if no operation was answered.
pub(crate) fn extremes_ns(rows: &[LatencyRow]) -> Option<(u64, u64)> {
    let shortest = rows.iter().filter_map(|row| row.shortest_ns).min()?;
    let longest = rows.iter().filter_map(|row| row.percentiles_ns).map(|[.., longest]| longest).max()?;
    Some((shortest, longest))
}

/// Draws a histogram for each row, on one axis.
pub(crate) fn draw(rows: &[LatencyRow]) -> Vec<String> {
    let axis = axis(rows);
    rows.iter().map(|row| draw_row(row, axis)).collect()
}

/// The bars of a row: tallest where most operations fell, at least a pixel where any did.
fn bars(row: &LatencyRow, (first, last): (u32, u32)) -> Vec<Area> {
    let step = WIDTH.as_tenths() / i64::from(last - first + 1).max(24);
    let most = row.buckets.values().copied().max().unwrap_or(1);
    let bar = |(&bucket, &count): (&u32, &u64)| {
        let tenths = u128::from(HEIGHT.as_tenths().unsigned_abs()) * u128::from(count) / u128::from(most);
        let height =
            Px::tenths(i64::try_from(tenths).expect("a bar is at most as high as its row")).max(Px::whole(1));
        let x = Px::tenths(step * i64::from(bucket - first));
        Area { x, y: HEIGHT - height, width: Px::tenths(step - 8), height }
    };
    row.buckets.iter().map(bar).collect()
}

fn draw_row(row: &LatencyRow, axis: (u32, u32)) -> String {
    let mut svg = Svg::silent(WIDTH, HEIGHT + Px::whole(1));
    let mut path = Path::new();
    for area in bars(row, axis) {
        path.area(area);
    }
    svg.path(
        &path,
        match row.ending {
            Ending::Ok => "ok",
            Ending::Refused => "refused",
            Ending::DidNotHappen => "dropped",
            Ending::Unknown => "unknown",
        },
    );
    svg.line(Point { x: Px::ZERO, y: HEIGHT }, Point { x: WIDTH, y: HEIGHT }, "ground");
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row_of(latencies_ns: Vec<u64>) -> LatencyRow {
        row("read", Ending::Ok, latencies_ns.len() as u64, latencies_ns)
    }

    #[test]
    fn what_nobody_asked_took_no_time_that_counts() {
        let operation = |client: u64| DrawnOperation {
            number: client,
            client,
            kind: "write".into(),
            label: "write".into(),
            ending: Ending::Ok,
            invoked: 0,
            returned: Some(1),
            invoked_at_ns: 5,
            returned_at_ns: Some(7),
        };
        let operations = [3, checker::history::ClientId::RECORDER.0].map(operation);
        let rows = rows(&operations);
        assert_eq!((rows.len(), rows[0].count, rows[0].shortest_ns), (1, 1, Some(2)));
    }

    #[test]
    fn percentiles_are_latencies_that_occurred() {
        let want = Some([500, 900, 990, 999, 1_000]);
        assert_eq!(row_of((1..=1_000).rev().collect()).percentiles_ns, want);
        assert_eq!(row_of(vec![7]).percentiles_ns, Some([7; 5]));
        assert_eq!(row_of(Vec::new()).percentiles_ns, None);
    }

    #[test]
    fn buckets_grow_by_half_powers_of_two_and_never_shrink() {
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 8, 12].map(bucket), [0, 1, 2, 3, 4, 4, 5, 6, 7]);
        let edges: Vec<_> =
            (0..64).flat_map(|power| [1u64 << power, (1 << power) + (1 << power) / 2]).collect();
        assert!(edges.into_iter().map(bucket).is_sorted());
        assert_eq!(bucket(u64::MAX), 127);
    }

    #[test]
    fn bars_stay_within_their_picture_however_far_apart_latencies_are() {
        let row = row_of(vec![0, 1, u64::MAX, u64::MAX]);
        for bar in bars(&row, axis(std::slice::from_ref(&row))) {
            assert!(bar.x + bar.width <= WIDTH && bar.y >= Px::ZERO && bar.width > Px::ZERO, "{bar:?}");
        }
    }
}
