//! The operations of a run, a lane for each client: geometry first, SVG second.
//!
//! ```text
//!   refused ──► hangs from the top    ▔▔  ▔
//!   unknown ──► from top to bottom        ╳┄┄┄┄
//!   ok      ──► stands on the ground  ▁▃▁▁▁█▁▁
//! ```
//!
//! A bar is as wide as its operation is long. Its height is the order of magnitude of that length, so that a slow
//! operation is seen among a thousand quick ones. Bars of a lane that would touch and are of one height become one.

use std::collections::BTreeMap;

use crate::drawn::{DrawnOperation, Ending};
use crate::frame::{Frame, LaneName, PLOT_WIDTH, Picture, draw_names};
use crate::scale::grouped;
use crate::svg::{Area, Caption, Path, Point, Px, Svg};

/// The height of a lane.
const LANE_HEIGHT: Px = Px::whole(22);
/// The heights of bars: below 10 ms, 100 ms, 1 s, and above.
const HEIGHTS: [Px; 4] = [Px::whole(4), Px::whole(7), Px::whole(11), Px::whole(16)];
/// Bars nearer than this touch.
const TOUCH: Px = Px::tenths(6);
/// The width of the shortest bar.
const WIDTH_MIN: Px = Px::tenths(12);
/// How many lanes are drawn; further clients share the last one.
const LANES_MAX: usize = 40;

/// A bar: one operation, or several that touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bar {
    x: Px,
    width: Px,
    /// Index into [`HEIGHTS`].
    magnitude: usize,
    ending: Ending,
}

/// The bars of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lane {
    name: String,
    operation_count: u64,
    bars: Vec<Bar>,
}

/// The operations of all clients, laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timeline {
    lanes: Vec<Lane>,
}

impl Timeline {
    /// Lays out operations; `name` gives the lane on which an operation of a client stands.
    pub(crate) fn new<'a>(
        operations: impl IntoIterator<Item = &'a DrawnOperation>,
        frame: &Frame,
        name: impl Fn(u64) -> (u64, String),
    ) -> Self {
        let mut lanes: BTreeMap<u64, (String, Vec<&DrawnOperation>)> = BTreeMap::new();
        for operation in operations {
            let (order, name) = name(operation.client);
            lanes.entry(order).or_insert_with(|| (name, Vec::new())).1.push(operation);
        }
        let mut lanes: Vec<_> = lanes.into_values().collect();
        if lanes.len() > LANES_MAX {
            let rest: Vec<_> =
                lanes.split_off(LANES_MAX - 1).into_iter().flat_map(|(_, list)| list).collect();
            lanes.push(("all others".to_owned(), rest));
        }
        let lanes = lanes.into_iter().map(|(name, list)| lay_out(name, list, frame)).collect();
        Self { lanes }
    }

    /// Whether there is nothing to draw.
    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Draws the lanes.
    pub(crate) fn draw(&self, frame: &Frame) -> Picture {
        let height = lane_top(self.lanes.len());
        let total: u64 = self.lanes.iter().map(|lane| lane.operation_count).sum();
        let description = format!(
            "{} operations of {} clients over true time; refused ones hang from the top, unknown ones are crossed, \
             taller bars took longer.",
            grouped(total),
            self.lanes.len()
        );
        let mut svg =
            Svg::new(PLOT_WIDTH, height, Caption { title: "Operations", description: &description });
        frame.draw_ground(&mut svg, height);
        for (index, lane) in self.lanes.iter().enumerate() {
            draw_lane(lane, lane_top(index), &mut svg);
        }
        frame.draw_heal_line(&mut svg, height);
        Picture { names: draw_names(&self.names(), height), plot: svg.finish() }
    }

    fn names(&self) -> Vec<LaneName> {
        let lanes = self.lanes.iter().enumerate();
        lanes
            .map(|(index, lane)| LaneName {
                name: lane.name.clone(),
                note: grouped(lane.operation_count),
                y: lane_top(index) + Px::whole(14),
            })
            .collect()
    }
}

fn lane_top(index: usize) -> Px {
    Px::tenths(LANE_HEIGHT.as_tenths() * i64::try_from(index).expect("lanes are few"))
}

fn lay_out(name: String, mut operations: Vec<&DrawnOperation>, frame: &Frame) -> Lane {
    operations.sort_by_key(|operation| (operation.invoked_at_ns, operation.number));
    let mut bars: Vec<Bar> = Vec::new();
    let mut last_of = [None; 4];
    for operation in &operations {
        let bar = bar_of(operation, frame);
        let last: &mut Option<usize> = &mut last_of[operation.ending as usize];
        let touching = last.map(|index| &mut bars[index]).filter(|last| touches(last, &bar));
        if let Some(last) = touching {
            last.width = last.width.max(bar.x + bar.width - last.x);
        } else {
            *last = Some(bars.len());
            bars.push(bar);
        }
    }
    Lane { name, operation_count: operations.len() as u64, bars }
}

fn touches(last: &Bar, bar: &Bar) -> bool {
    last.magnitude == bar.magnitude && bar.x <= last.x + last.width + TOUCH
}

fn bar_of(operation: &DrawnOperation, frame: &Frame) -> Bar {
    let x = frame.scale.x_at(operation.invoked_at_ns);
    let to = operation.returned_at_ns.map_or(x, |returned_at_ns| frame.scale.x_at(returned_at_ns));
    let width = (to - x).max(WIDTH_MIN);
    let x = x.min(PLOT_WIDTH - width);
    Bar { x, width, magnitude: magnitude(operation.latency_ns().unwrap_or(0)), ending: operation.ending }
}

/// The index into [`HEIGHTS`] of an operation that took so long.
const fn magnitude(latency_ns: u64) -> usize {
    match latency_ns {
        0..10_000_000 => 0,
        10_000_000..100_000_000 => 1,
        100_000_000..1_000_000_000 => 2,
        1_000_000_000.. => 3,
    }
}

fn draw_lane(lane: &Lane, top: Px, svg: &mut Svg) {
    let (ground, ceiling) = (top + Px::whole(20), top + Px::whole(2));
    svg.line(Point { x: Px::ZERO, y: ground }, Point { x: PLOT_WIDTH, y: ground }, "ground");
    let mut paths = [const { Path::new() }; 4];
    for bar in &lane.bars {
        let path = &mut paths[bar.ending as usize];
        let height = HEIGHTS[bar.magnitude];
        match bar.ending {
            Ending::Ok => path.area(Area { x: bar.x, y: ground - height, width: bar.width, height }),
            Ending::Refused => path.area(Area { x: bar.x, y: ceiling, width: bar.width, height }),
            Ending::DidNotHappen => {
                path.area(Area { x: bar.x, y: ceiling, width: bar.width, height: Px::whole(2) });
            }
            Ending::Unknown => path.cross(Point { x: bar.x, y: top + Px::whole(11) }, Px::whole(4)),
        }
    }
    for (path, class) in paths.iter().zip(["ok", "refused", "dropped", "unknown"]) {
        svg.path(path, class);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(number: u64, ending: Ending, interval_ns: (u64, u64)) -> DrawnOperation {
        let returned_at_ns = (ending != Ending::Unknown).then_some(interval_ns.1);
        DrawnOperation {
            number,
            client: 0,
            kind: "read".into(),
            label: "read: 1".into(),
            ending,
            invoked: 2 * number,
            returned: returned_at_ns.map(|_| 2 * number + 1),
            invoked_at_ns: interval_ns.0,
            returned_at_ns,
        }
    }

    /// The bars of one lane over 108 s, which makes a pixel 0.1 s, as (tenths from the left, tenths wide).
    fn bars(operations: &[DrawnOperation]) -> Vec<(i64, i64)> {
        let timeline =
            Timeline::new(operations, &Frame::new(0, 108_000_000_000), |client| (client, "c".into()));
        timeline.lanes[0].bars.iter().map(|bar| (bar.x.as_tenths(), bar.width.as_tenths())).collect()
    }

    const S: u64 = 1_000_000_000;

    #[test]
    fn bar_is_as_wide_as_its_operation_is_long() {
        assert_eq!(bars(&[operation(0, Ending::Ok, (S, 3 * S))]), [(100, 200)]);
    }

    #[test]
    fn operations_that_touch_become_one_bar_and_others_do_not() {
        let quick = |number, at_ns| operation(number, Ending::Ok, (at_ns, at_ns + 1_000_000));
        let (first, touching, apart) = (quick(0, S), quick(1, S + 100_000_000), quick(2, 2 * S));
        assert_eq!(bars(&[first, touching, apart]), [(100, 22), (200, 12)]);
    }

    #[test]
    fn slow_operation_is_not_hidden_among_quick_ones() {
        let quick = operation(0, Ending::Ok, (S, S + 1));
        let slow = operation(1, Ending::Ok, (S + 2, 2 * S + 10));
        assert_eq!(bars(&[quick, slow]).len(), 2);
    }

    #[test]
    fn outcomes_do_not_merge_with_one_another() {
        let endings = [Ending::Ok, Ending::Refused, Ending::DidNotHappen, Ending::Unknown];
        let operations = endings.map(|ending| operation(0, ending, (S, S + 1)));
        assert_eq!(bars(&operations).len(), 4);
    }

    #[test]
    fn bars_stay_within_the_picture() {
        let late = operation(0, Ending::Ok, (108 * S, 200 * S));
        for (x, width) in bars(&[late, operation(1, Ending::Unknown, (300 * S, 0))]) {
            assert!(x >= 0 && x + width <= PLOT_WIDTH.as_tenths());
        }
    }

    #[test]
    fn thousands_of_operations_need_no_more_bars_than_there_is_room_for() {
        let step_ns = 108 * S / 8_000;
        let operations: Vec<_> =
            (0..8_000).map(|n| operation(n, Ending::Ok, (n * step_ns, n * step_ns + 1_000_000))).collect();
        assert!(bars(&operations).len() <= 1_080, "{}", bars(&operations).len());
    }
}
