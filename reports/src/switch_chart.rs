//! When each node went over to a configuration version, around the instant when all should have:
//! geometry first, SVG second.
//!
//! ```text
//!            start
//!     slot-1   │ ●         ●  in true time; between the first and the last ● both versions are at work
//!     slot-2  ●│◇          ◇  what the node's own clock showed
//!     slot-3   │    ●
//! ```

use crate::frame::shortened;
use crate::run_folder::SwitchRecord;
use crate::scale::{Scale, signed, signed_span};
use crate::svg::{Area, Caption, Path, Point, Px, Svg};

/// The width of a chart: it fits beside others and on a telephone.
const WIDTH: Px = Px::whole(340);
/// Where the marks begin; left of it stand the names.
const PLOT_X: Px = Px::whole(78);
/// The width of the marks' part; right of it stand the true instants.
const PLOT_WIDTH: Px = Px::whole(180);
/// The room for the axis.
const AXIS_HEIGHT: Px = Px::whole(20);
/// The height of a row whose node is named.
const ROW_HEIGHT: Px = Px::whole(17);
/// The height of a row when there are more nodes than names fit.
const ROW_HEIGHT_DENSE: Px = Px::whole(5);
/// How many nodes are named.
const NAMED_MAX: usize = 24;

/// A node's switch. Unit: ns from the version's start.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    name: String,
    true_ns: i64,
    local_ns: i64,
}

/// The switches to one version, laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SwitchChart {
    version: u64,
    published_ns: i64,
    /// First switch first.
    rows: Vec<Row>,
    scale: Scale,
}

impl SwitchChart {
    /// A chart for each version, in order; `name` names a node.
    pub(crate) fn all(records: &[SwitchRecord], name: impl Fn(u32) -> String) -> Vec<Self> {
        let mut versions: Vec<_> = records
            .iter()
            .filter_map(|record| match *record {
                SwitchRecord::Version { version, published_at_ns, start_at_ns } => {
                    Some((version, published_at_ns, start_at_ns))
                }
                SwitchRecord::Switch { .. } => None,
            })
            .collect();
        versions.sort_unstable();
        versions.dedup_by_key(|(version, _, _)| *version);
        versions.into_iter().map(|version| Self::new(version, records, &name)).collect()
    }

    fn new(
        (of_version, published_at_ns, start_ns): (u64, u64, i64),
        records: &[SwitchRecord],
        name: impl Fn(u32) -> String,
    ) -> Self {
        let mut rows: Vec<_> = records
            .iter()
            .filter_map(|record| match *record {
                SwitchRecord::Switch { version, node, at_ns, local_ns } if version == of_version => {
                    Some(Row {
                        name: name(node),
                        true_ns: signed(at_ns).saturating_sub(start_ns),
                        local_ns: local_ns.saturating_sub(start_ns),
                    })
                }
                SwitchRecord::Switch { .. } | SwitchRecord::Version { .. } => None,
            })
            .collect();
        rows.sort_by_key(|row| row.true_ns);
        let published_ns = signed(published_at_ns).saturating_sub(start_ns);
        Self { version: of_version, published_ns, scale: scale_of(&rows), rows }
    }

    /// Between the first and the last switch both versions are at work. Unit: ns; none below two nodes.
    pub(crate) fn mixed_ns(&self) -> Option<u64> {
        let (first, last) = (self.rows.first()?, self.rows.last()?);
        (self.rows.len() > 1).then(|| last.true_ns.abs_diff(first.true_ns))
    }

    /// One sentence: how many nodes went over, and within what.
    pub(crate) fn summary(&self) -> String {
        let lead = match self.published_ns {
            ..=0 => format!("published {} ahead", crate::scale::span(self.published_ns.unsigned_abs())),
            late => format!("published {} late", crate::scale::span(late.unsigned_abs())),
        };
        match (self.rows.len(), self.rows.first(), self.mixed_ns()) {
            (0, _, _) | (_, None, _) => format!("{lead}; no node went over"),
            (_, Some(only), None) => {
                format!("{lead}; one node went over, {} from start", signed_span(only.true_ns))
            }
            (count, Some(first), Some(mixed_ns)) => format!(
                "{lead}; {count} nodes went over, the first {} from start, the last {} later",
                signed_span(first.true_ns),
                crate::scale::span(mixed_ns)
            ),
        }
    }

    /// The version's number.
    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    fn row_height(&self) -> Px {
        if self.rows.len() > NAMED_MAX { ROW_HEIGHT_DENSE } else { ROW_HEIGHT }
    }

    /// The middle of a row.
    fn y(&self, index: usize) -> Px {
        let height = self.row_height().as_tenths();
        Px::tenths(height * i64::try_from(index).expect("nodes are few") + height / 2)
    }

    /// Draws the chart.
    pub(crate) fn draw(&self) -> String {
        let rows_height = self.y(self.rows.len()) - Px::tenths(self.row_height().as_tenths() / 2);
        let title = format!("Switch to version {}", self.version);
        let caption = Caption { title: &title, description: &self.summary() };
        let mut svg = Svg::new(WIDTH, rows_height + AXIS_HEIGHT, caption);
        self.draw_ground(&mut svg, rows_height);
        let (mut truths, mut locals) = (Path::new(), Path::new());
        for (index, row) in self.rows.iter().enumerate() {
            let radius = if self.rows.len() > NAMED_MAX { Px::whole(2) } else { Px::whole(4) };
            let at = |ns| Point { x: PLOT_X + self.scale.x(ns), y: self.y(index) };
            truths.dot(at(row.true_ns), radius);
            locals.diamond(at(row.local_ns), radius);
            if self.rows.len() <= NAMED_MAX {
                let y = self.y(index) + Px::whole(4);
                svg.text(Point { x: Px::ZERO, y }, "name", &shortened(&row.name, 12));
                svg.text(Point { x: WIDTH, y }, "note end", &signed_span(row.true_ns));
            }
        }
        svg.path(&truths, "truth");
        svg.path(&locals, "local");
        svg.finish()
    }

    fn draw_ground(&self, svg: &mut Svg, height: Px) {
        let x = |ns| PLOT_X + self.scale.x(ns);
        if let (Some(first), Some(last)) = (self.rows.first(), self.rows.last()) {
            let width = (x(last.true_ns) - x(first.true_ns)).max(Px::tenths(5));
            svg.area(Area { x: x(first.true_ns), y: Px::ZERO, width, height }, "mixed");
        }
        let mut grid = Path::new();
        let y = height + Px::whole(14);
        for tick in self.scale.ticks(3) {
            let x = PLOT_X + tick.x;
            grid.line([Point { x, y: Px::ZERO }, Point { x, y: height }]);
            let label = if tick.label.starts_with("0 ") { "start" } else { &tick.label };
            svg.text(Point { x, y }, "axis middle", label);
        }
        svg.path(&grid, "grid");
        svg.line(Point { x: x(0), y: Px::ZERO }, Point { x: x(0), y: height }, "start");
    }
}

/// A scale that holds every mark and the start, with some air at both ends.
fn scale_of(rows: &[Row]) -> Scale {
    let instants = || rows.iter().flat_map(|row| [row.true_ns, row.local_ns]).chain([0]);
    let (from, to) = (instants().min().unwrap_or(0), instants().max().unwrap_or(0));
    let air = i64::try_from(to.abs_diff(from) / 12 + 1).unwrap_or(i64::MAX / 12);
    Scale::new((from.saturating_sub(air), to.saturating_add(air)), PLOT_WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 60_000_000_000;
    const START_NS: i64 = 60_000_000_000;

    fn chart(switches: &[(u64, i64)]) -> SwitchChart {
        let mut records =
            vec![SwitchRecord::Version { version: 2, published_at_ns: 0, start_at_ns: START_NS }];
        for (node, &(at_ns, local_ns)) in (0..).zip(switches) {
            records.push(SwitchRecord::Switch { version: 2, node, at_ns, local_ns });
        }
        SwitchChart::all(&records, |node| format!("n{node}")).remove(0)
    }

    #[test]
    fn mixed_window_reaches_from_the_first_to_the_last_switch() {
        let chart = chart(&[(START + 700, 60_000_000_000), (START - 300, 60_000_000_001)]);
        assert_eq!(chart.mixed_ns(), Some(1_000));
        assert_eq!(
            chart.summary(),
            "published 60 s ahead; 2 nodes went over, the first -300 ns from start, the last 1 µs later"
        );
    }

    #[test]
    fn version_that_nobody_adopted_is_shown_as_such() {
        assert_eq!(chart(&[]).summary(), "published 60 s ahead; no node went over");
        assert_eq!(chart(&[]).mixed_ns(), None);
        assert!(chart(&[]).draw().contains("start"));
    }

    #[test]
    fn every_mark_and_the_start_lie_within_the_chart() {
        for switches in [[(0, i64::MIN), (u64::MAX, i64::MAX)], [(START, 0), (START, 0)]] {
            let chart = chart(&switches);
            for ns in chart.rows.iter().flat_map(|row| [row.true_ns, row.local_ns]).chain([0]) {
                assert!(chart.scale.x(ns) <= PLOT_WIDTH);
            }
        }
    }

    #[test]
    fn many_nodes_take_thin_rows() {
        let switches: Vec<_> = (0..150).map(|node| (START + node, 60_000_000_000)).collect();
        let text = chart(&switches).draw();
        assert!(text.contains("height=\"770\"") && !text.contains("class=\"name\""), "{text}");
    }
}
