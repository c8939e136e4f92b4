//! How far each clock was off over true time, a lane for each node: geometry first, SVG second.
//!
//! ```text
//!        ╱▔▔╲▁       the bound it claimed, as a ribbon around zero
//!   ────╱─~~~~~──    its error, as a line; where it leaves the ribbon the claim was a lie, marked below
//! ```
//!
//! Each lane has its own range, a round number that its note names: one clock that steps by seconds would flatten
//! the milliseconds of all others.

use std::collections::BTreeMap;

use crate::frame::{Frame, LaneName, PLOT_WIDTH, Picture, draw_names};
use crate::run_folder::ClockSample;
use crate::scale::{round_step, span};
use crate::svg::{Area, Caption, Path, Point, Px, Svg};

/// The height of a lane.
const LANE_HEIGHT: Px = Px::whole(36);
/// From the middle of a lane to the ends of its range.
const REACH: Px = Px::whole(15);
/// Samples nearer to one another than this are drawn as one column.
const COLUMN: Px = Px::whole(2);

/// What the samples of one column have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Column {
    x: Px,
    error_ns_min: i64,
    error_ns_max: i64,
    bound_ns: u64,
    is_lie: bool,
}

/// The clock of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lane {
    name: String,
    /// What the lane's upper end means. Unit: ns.
    range_ns: u64,
    columns: Vec<Column>,
}

/// All clocks, laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClockLanes {
    lanes: Vec<Lane>,
}

impl ClockLanes {
    /// Lays out samples; `name` names a node.
    pub(crate) fn new(samples: &[ClockSample], frame: &Frame, name: impl Fn(u32) -> String) -> Self {
        let mut lanes: BTreeMap<u32, Vec<&ClockSample>> = BTreeMap::new();
        for sample in samples {
            lanes.entry(sample.node).or_default().push(sample);
        }
        let lanes = lanes.into_iter().map(|(node, samples)| lay_out(name(node), samples, frame)).collect();
        Self { lanes }
    }

    /// Whether there is nothing to draw.
    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// The names of the clocks whose claimed bound did not cover their error.
    pub(crate) fn liars(&self) -> Vec<&str> {
        let lies = |lane: &&Lane| lane.columns.iter().any(|column| column.is_lie);
        self.lanes.iter().filter(lies).map(|lane| lane.name.as_str()).collect()
    }

    /// Draws the lanes.
    pub(crate) fn draw(&self, frame: &Frame) -> Picture {
        let height = lane_top(self.lanes.len());
        let description = format!(
            "The clock error of {} nodes over true time, within the bound each clock claimed; \
             {} clocks left their bound.",
            self.lanes.len(),
            self.liars().len()
        );
        let mut svg = Svg::new(PLOT_WIDTH, height, Caption { title: "Clocks", description: &description });
        frame.draw_ground(&mut svg, height);
        for (index, lane) in self.lanes.iter().enumerate() {
            draw_lane(lane, lane_top(index), &mut svg);
        }
        frame.draw_heal_line(&mut svg, height);
        let names = self.lanes.iter().enumerate().map(|(index, lane)| LaneName {
            name: lane.name.clone(),
            note: format!("±{}", span(lane.range_ns)),
            y: middle(lane_top(index)),
        });
        Picture { names: draw_names(&names.collect::<Vec<_>>(), height), plot: svg.finish() }
    }
}

fn lane_top(index: usize) -> Px {
    Px::tenths(LANE_HEIGHT.as_tenths() * i64::try_from(index).unwrap_or(i64::MAX / 1_000))
}

fn middle(top: Px) -> Px {
    top + Px::tenths(LANE_HEIGHT.as_tenths() / 2)
}

fn lay_out(name: String, mut samples: Vec<&ClockSample>, frame: &Frame) -> Lane {
    samples.sort_by_key(|sample| sample.at_ns);
    let mut columns: Vec<Column> = Vec::new();
    for sample in samples {
        let x = frame.scale.x_at(sample.at_ns);
        let is_lie = sample.is_lie();
        match columns.last_mut().filter(|column| x < column.x + COLUMN) {
            Some(column) => {
                column.error_ns_min = column.error_ns_min.min(sample.error_ns);
                column.error_ns_max = column.error_ns_max.max(sample.error_ns);
                column.bound_ns = column.bound_ns.max(sample.bound_ns);
                column.is_lie |= is_lie;
            }
            None => columns.push(Column {
                x,
                error_ns_min: sample.error_ns,
                error_ns_max: sample.error_ns,
                bound_ns: sample.bound_ns,
                is_lie,
            }),
        }
    }
    Lane { name, range_ns: range_ns(&columns), columns }
}

/// The smallest round range that holds every error, and every bound that is not far beyond the errors.
///
/// A clock may claim a bound of minutes at its start, when it knows nothing: a range for that would hide the rest.
fn range_ns(columns: &[Column]) -> u64 {
    let error = |column: &Column| column.error_ns_min.unsigned_abs().max(column.error_ns_max.unsigned_abs());
    let error_ns_max = columns.iter().map(error).max().unwrap_or(0);
    let mut bounds: Vec<_> = columns.iter().map(|column| column.bound_ns).collect();
    bounds.sort_unstable();
    let usual_bound_ns = bounds.get(bounds.len() * 9 / 10).copied().unwrap_or(0);
    let needed = u128::from(error_ns_max.max(usual_bound_ns).max(1));
    u64::try_from(round_step(needed.cast_signed(), 1)).unwrap_or(u64::MAX)
}

/// How far from the middle a value lies, upwards negative, cut off at the lane's ends.
fn offset(value_ns: i128, range_ns: u64) -> Px {
    let tenths = value_ns * i128::from(REACH.as_tenths()) / i128::from(range_ns.max(1));
    let reach = i128::from(REACH.as_tenths());
    Px::tenths(i64::try_from(-tenths.clamp(-reach, reach)).expect("the reach of a lane is short"))
}

fn draw_lane(lane: &Lane, top: Px, svg: &mut Svg) {
    let zero = middle(top);
    let ends = |column: &Column| {
        let half = offset(i128::from(column.bound_ns), lane.range_ns);
        (Point { x: column.x, y: zero + half }, Point { x: column.x, y: zero - half })
    };
    let mut ribbon = Path::new();
    let upper = lane.columns.iter().map(|column| ends(column).0);
    let lower = lane.columns.iter().rev().map(|column| ends(column).1);
    ribbon.line(thinned(upper).into_iter().chain(thinned(lower)));
    ribbon.close();
    svg.path(&ribbon, "ribbon");
    svg.line(Point { x: Px::ZERO, y: zero }, Point { x: PLOT_WIDTH, y: zero }, "ground");
    let mut error = Path::new();
    let at = |x, error_ns: i64| Point { x, y: zero + offset(i128::from(error_ns), lane.range_ns) };
    let points = lane.columns.iter().flat_map(|column| {
        let both = [at(column.x, column.error_ns_min), at(column.x, column.error_ns_max)];
        let count = if both[0] == both[1] { 1 } else { 2 };
        both.into_iter().take(count)
    });
    error.line(thinned(points));
    svg.path(&error, "error");
    draw_lies(lane, top + LANE_HEIGHT - Px::whole(3), svg);
}

/// A bar below the lane wherever the claimed bound does not cover the error.
fn draw_lies(lane: &Lane, y: Px, svg: &mut Svg) {
    let mut lies = Path::new();
    let mut columns = lane.columns.iter().peekable();
    while let Some(column) = columns.next() {
        let next_x = columns.peek().map_or(PLOT_WIDTH, |next| next.x);
        if column.is_lie {
            let width = (next_x - column.x).min(Px::whole(12)).max(COLUMN).min(PLOT_WIDTH - column.x);
            lies.area(Area { x: column.x, y, width, height: Px::whole(3) });
        }
    }
    svg.path(&lies, "lie");
}

/// The points without those that lie level between two others.
fn thinned(points: impl IntoIterator<Item = Point>) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    for point in points {
        let is_level = matches!(kept.as_slice(), [.., a, b] if a.y == b.y && b.y == point.y);
        if is_level {
            kept.pop();
        }
        kept.push(point);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_ns: u64, error_ns: i64, bound_ns: u64) -> ClockSample {
        ClockSample { at_ns, node: 3, error_ns, bound_ns }
    }

    fn lane(samples: &[ClockSample]) -> Lane {
        let lanes = ClockLanes::new(samples, &Frame::new(0, 1_080), |node| format!("n{node}"));
        lanes.lanes[0].clone()
    }

    #[test]
    fn range_is_round_and_holds_errors_and_usual_bounds() {
        let range = |error_ns, bound_ns| lane(&[sample(0, error_ns, bound_ns)]).range_ns;
        assert_eq!([range(-3, 1), range(3, 700), range(0, 0)], [5, 1_000, 1]);
        assert!(range(i64::MIN, u64::MAX) >= u64::MAX / 2);
    }

    #[test]
    fn one_huge_bound_at_the_start_does_not_flatten_the_lane() {
        let mut samples: Vec<_> = (1..20).map(|index| sample(index * 50, 4, 9)).collect();
        samples.insert(0, sample(0, 4, 60_000));
        assert_eq!(lane(&samples).range_ns, 10);
    }

    #[test]
    fn samples_of_one_column_keep_their_extremes_and_their_lie() {
        let columns = lane(&[sample(100, -5, 9), sample(101, 30, 9), sample(200, 1, 9)]).columns;
        assert_eq!(columns.len(), 2);
        assert_eq!((columns[0].error_ns_min, columns[0].error_ns_max, columns[0].is_lie), (-5, 30, true));
        assert!(!columns[1].is_lie);
    }

    #[test]
    fn offsets_point_upwards_and_end_at_the_lane() {
        assert_eq!([offset(10, 10), offset(-5, 10), offset(99, 10)].map(Px::as_tenths), [-150, 75, -150]);
    }

    #[test]
    fn level_stretches_keep_only_their_ends() {
        let points =
            [0, 1, 2, 3].map(|x| Point { x: Px::whole(x), y: if x == 3 { REACH } else { Px::ZERO } });
        assert_eq!(thinned(points), [points[0], points[2], points[3]]);
    }
}
