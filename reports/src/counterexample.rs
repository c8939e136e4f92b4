//! The few operations that show a violation, on lanes: geometry first, SVG second.
//!
//! ```text
//!              write 1                 read 0
//!   client 0   ├─────────────┤         ├──────┤
//!                     write 2
//!   client 1          ├┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄►    (its answer never came)
//! ```
//!
//! Places follow the order of events, not their distance: what matters is who was before whom, and microseconds
//! stand beside minutes. A label stands above its bar and may reach beyond it, up to the next bar of its lane.

use std::collections::BTreeMap;

use checker::history::ClientId;

use crate::drawn::{DrawnOperation, Ending};
use crate::frame::{LaneName, Picture, draw_names, shortened};
use crate::svg::{Area, Caption, Path, Point, Px, Svg};

/// The height of a lane.
const LANE_HEIGHT: Px = Px::whole(42);
/// The height of a bar.
const BAR_HEIGHT: Px = Px::whole(11);
/// The least distance of two events.
const EVENT_GAP: Px = Px::whole(26);
/// The room after a label.
const LABEL_MARGIN: Px = Px::whole(12);
/// Where bars begin.
const PLOT_X: Px = Px::whole(2);
/// The longest label.
const LABEL_GLYPHS_MAX: usize = 48;
/// How many operations are drawn.
pub(crate) const DRAWN_MAX: usize = 40;

/// An operation on its lane.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bar {
    lane: usize,
    x: Px,
    /// None if its answer never came: it reaches to the right edge.
    end_x: Option<Px>,
    label: String,
    is_stuck: bool,
}

/// The operations of a violation, laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counterexample {
    clients: Vec<String>,
    bars: Vec<Bar>,
    width: Px,
}

impl Counterexample {
    /// Lays out operations; `stuck` is the one that could not be explained any more.
    ///
    /// Operations beyond [`DRAWN_MAX`] are left out.
    pub(crate) fn new(operations: &[&DrawnOperation], stuck: Option<u64>) -> Self {
        let operations = &operations[..operations.len().min(DRAWN_MAX)];
        let mut lanes: BTreeMap<u64, usize> = BTreeMap::new();
        for operation in operations {
            lanes.entry(operation.client).or_default();
        }
        for (lane, slot) in lanes.values_mut().enumerate() {
            *slot = lane;
        }
        let places = places(operations);
        let end = places.values().copied().max().unwrap_or(PLOT_X);
        let bars = operations.iter().map(|operation| Bar {
            lane: lanes[&operation.client],
            x: places[&operation.invoked],
            end_x: operation.returned.map(|returned| places[&returned]),
            label: label(operation),
            is_stuck: stuck == Some(operation.number),
        });
        let bars: Vec<_> = bars.collect();
        let widest = bars.iter().map(|bar| bar.x + room(&bar.label)).max().unwrap_or(end);
        let clients = lanes.keys().map(|client| lane_name(*client)).collect();
        Self { clients, bars, width: end.max(widest) + EVENT_GAP }
    }

    /// Draws the lanes.
    pub(crate) fn draw(&self) -> Picture {
        let height = lane_top(self.clients.len());
        let list: Vec<_> = self.bars.iter().map(|bar| bar.label.as_str()).collect();
        let description =
            format!("{} operations in the order of their events: {}.", list.len(), list.join("; "));
        let caption = Caption { title: "The smallest failing part", description: &description };
        let mut svg = Svg::new(self.width, height, caption);
        for index in 1..=self.clients.len() {
            let y = lane_top(index);
            svg.line(Point { x: Px::ZERO, y }, Point { x: self.width, y }, "ground");
        }
        for bar in &self.bars {
            self.draw_bar(bar, &mut svg);
        }
        let names = self.clients.iter().enumerate().map(|(index, client)| LaneName {
            name: client.clone(),
            note: String::new(),
            y: lane_top(index) + Px::whole(27),
        });
        Picture { names: draw_names(&names.collect::<Vec<_>>(), height), plot: svg.finish() }
    }

    fn draw_bar(&self, bar: &Bar, svg: &mut Svg) {
        let y = lane_top(bar.lane) + Px::whole(22);
        let end_x = bar.end_x.unwrap_or(self.width - Px::whole(8));
        let area = Area { x: bar.x, y, width: end_x - bar.x, height: BAR_HEIGHT };
        let class = match (bar.is_stuck, bar.end_x) {
            (true, _) => "bar stuck",
            (false, Some(_)) => "bar",
            (false, None) => "bar open",
        };
        svg.area(area, class);
        if bar.end_x.is_none() {
            let (tip, back, middle) =
                (end_x + Px::whole(7), end_x, y + Px::tenths(BAR_HEIGHT.as_tenths() / 2));
            let mut arrow = Path::new();
            arrow.line([
                Point { x: back, y: middle - Px::whole(5) },
                Point { x: tip, y: middle },
                Point { x: back, y: middle + Px::whole(5) },
            ]);
            svg.path(&arrow, "arrow");
        }
        svg.text(Point { x: bar.x, y: y - Px::whole(6) }, "label", &bar.label);
    }
}

fn lane_top(index: usize) -> Px {
    Px::tenths(LANE_HEIGHT.as_tenths() * i64::try_from(index).expect("lanes are few"))
}

fn label(operation: &DrawnOperation) -> String {
    let suffix = match operation.ending {
        Ending::Ok | Ending::Refused | Ending::Unknown => "",
        Ending::DidNotHappen => " (did not happen)",
    };
    format!("#{} {}{suffix}", operation.number, shortened(&operation.label, LABEL_GLYPHS_MAX))
}

fn room(label: &str) -> Px {
    Px::of_text(label) + LABEL_MARGIN
}

fn lane_name(client: u64) -> String {
    if client == ClientId::RECORDER.0 { "recorded".to_owned() } else { format!("client {client}") }
}

/// The place of each event: in order, a question only behind the label of its client's previous one.
fn places(operations: &[&DrawnOperation]) -> BTreeMap<u64, Px> {
    let mut events: BTreeMap<u64, Option<&DrawnOperation>> = BTreeMap::new();
    for operation in operations {
        events.insert(operation.invoked, Some(operation));
        if let Some(returned) = operation.returned {
            events.insert(returned, None);
        }
    }
    let mut label_ends: BTreeMap<u64, Px> = BTreeMap::new();
    let mut places = BTreeMap::new();
    let mut next_x = PLOT_X;
    for (position, question) in events {
        let mut x = next_x;
        if let Some(operation) = question {
            let label_end = label_ends.entry(operation.client).or_insert(x);
            x = x.max(*label_end);
            *label_end = x + room(&label(operation));
        }
        places.insert(position, x);
        next_x = x + EVENT_GAP;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(number: u64, client: u64, events: (u64, Option<u64>)) -> DrawnOperation {
        DrawnOperation {
            number,
            client,
            kind: "write".into(),
            label: "write 1".into(),
            ending: if events.1.is_some() { Ending::Ok } else { Ending::Unknown },
            invoked: events.0,
            returned: events.1,
            invoked_at_ns: 0,
            returned_at_ns: events.1.map(|_| 0),
        }
    }

    #[test]
    fn what_was_recorded_and_not_asked_has_a_lane_of_that_name() {
        assert_eq!(
            (lane_name(3).as_str(), lane_name(ClientId::RECORDER.0).as_str()),
            ("client 3", "recorded")
        );
    }

    #[test]
    fn places_follow_the_order_of_events() {
        let operations = [operation(7, 0, (10, Some(40))), operation(9, 5, (20, Some(30)))];
        let places = places(&operations.iter().collect::<Vec<_>>());
        assert_eq!(places.keys().copied().collect::<Vec<_>>(), [10, 20, 30, 40]);
        assert!(places.values().is_sorted_by(|a, b| **a + EVENT_GAP <= **b), "{places:?}");
    }

    #[test]
    fn labels_of_a_lane_do_not_touch() {
        let operations =
            [operation(7, 0, (1, Some(2))), operation(8, 0, (3, Some(4))), operation(9, 1, (5, None))];
        let drawn = Counterexample::new(&operations.iter().collect::<Vec<_>>(), Some(8));
        assert!(drawn.bars[0].x + Px::of_text(&drawn.bars[0].label) < drawn.bars[1].x, "{drawn:?}");
        assert_eq!(drawn.bars.iter().map(|bar| bar.is_stuck).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn unanswered_operation_reaches_to_the_right_edge_with_room_for_its_label() {
        let operations = [operation(7, 3, (1, None)), operation(8, 4, (2, Some(3)))];
        let drawn = Counterexample::new(&operations.iter().collect::<Vec<_>>(), None);
        assert_eq!(drawn.bars[0].end_x, None);
        assert!(drawn.width >= drawn.bars[0].x + room(&drawn.bars[0].label));
        assert_eq!(drawn.clients, ["client 3", "client 4"]);
    }

    #[test]
    fn no_operations_and_too_many_are_drawn_too() {
        assert!(Counterexample::new(&[], None).bars.is_empty());
        let many: Vec<_> = (0..99).map(|n| operation(n, n, (2 * n, Some(2 * n + 1)))).collect();
        assert_eq!(Counterexample::new(&many.iter().collect::<Vec<_>>(), None).bars.len(), DRAWN_MAX);
    }
}
