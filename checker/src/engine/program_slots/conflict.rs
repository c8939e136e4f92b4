//! Why nothing moves any more: what waits for what in a circle, too much before a deadline, too few moves.

use std::collections::BTreeSet;

use super::run::Run;
use super::table::NONE;
use crate::engine::forced_order;
use crate::engine::program_slots::{Move, Moves};
use crate::engine::programs::{Contradiction, Others, Programs};

/// Chains up to which those that matter are singled out when there are too few moves.
const CHAIN_COUNT_MAX: usize = 256;

/// What keeps an object where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// This place still has to find this state, or to move on from it.
    Place(usize),
    /// There is no move.
    Lacking,
}

/// An object is held by one place, whose chain has to take another place first.
#[derive(Clone, Copy, Debug)]
struct Link {
    object: usize,
    holder: usize,
    head: usize,
}

/// Two moves name the same state.
pub(super) fn claimed_twice<T>(
    programs: &Programs<T>,
    moves: Moves<'_>,
    (first, second): (usize, usize),
) -> Contradiction {
    let number = |place: usize| programs.at(place).number;
    let reason = format!(
        "operations {} and {} both lead to the same {}",
        number(first),
        number(second),
        moves.words.state
    );
    core(programs, moves, &[first, second], vec![reason])
}

/// Why the run, which is exact, did not reach the end.
pub(super) fn of<T>(run: &Run<'_>, programs: &Programs<T>, moves: Moves<'_>) -> Contradiction {
    let holds = holds(run);
    let heads: Vec<usize> = (0..run.next.len()).filter_map(|chain| run.head(chain)).collect();
    let mut overloaded = None;
    let mut seen = vec![false; run.objects.len()];
    for start in heads.iter().map(|head| run.object(*head)) {
        let mut links: Vec<Link> = Vec::new();
        let mut object = start;
        while let Hold::Place(holder) = holds[object] {
            if let Some(from) = links.iter().position(|link| link.object == object) {
                return circle(programs, moves, &links[from..]);
            }
            if std::mem::replace(&mut seen[object], true) {
                break;
            }
            let head =
                run.head(run.chain_of[holder] as usize).expect("a place that was not taken has a head");
            if run.moves[head] == Move::Next {
                overloaded.get_or_insert((object, holder));
                break;
            }
            links.push(Link { object, holder, head });
            object = run.object(head);
        }
    }
    match overloaded {
        Some((object, holder)) => overload(run, programs, moves, object, holder),
        None => lack(run, programs, moves, &holds),
    }
}

/// What keeps each object where it is. Of several places one whose chain waits is preferred.
fn holds(run: &Run<'_>) -> Vec<Hold> {
    let mut holds: Vec<Hold> = Vec::with_capacity(run.objects.len());
    for object in &run.objects {
        let owner = run.table.owners[object.at as usize];
        let is_exact = run.table.states[object.at as usize] == object.state;
        holds.push(if is_exact && owner != NONE { Hold::Place(owner as usize) } else { Hold::Lacking });
    }
    for &(next, end) in &run.next {
        for place in next as usize..end as usize {
            let object = run.object(place);
            let last = run.table.last[place];
            let at = run.objects[object].at;
            if matches!(run.moves[place], Move::Find { .. }) && last == at && run.bounds[at as usize] > 0 {
                let is_waiting = run.moves[next as usize] != Move::Next;
                let is_first = !matches!(holds[object], Hold::Place(holder) if run.table.last[holder] == at);
                if is_waiting || is_first {
                    holds[object] = Hold::Place(place);
                }
            }
        }
    }
    holds
}

/// A contradiction of these places, and of what tells what they do.
fn core<T>(
    programs: &Programs<T>,
    moves: Moves<'_>,
    places: &[usize],
    reasons: Vec<String>,
) -> Contradiction {
    let all = places.iter().copied().chain(places.iter().filter_map(|place| (moves.told_by)(*place)));
    let all: BTreeSet<usize> = all.collect();
    let (optional, places) = all.into_iter().partition(|place| programs.at(*place).is_optional);
    Contradiction { places, others: Others::Imagined(optional), reasons }
}

/// Each holds an object for which the one before waits.
fn circle<T>(programs: &Programs<T>, moves: Moves<'_>, links: &[Link]) -> Contradiction {
    let mut places: Vec<usize> = links.iter().flat_map(|link| [link.head, link.holder]).collect();
    places.sort_unstable();
    places.dedup();
    let at = |place: usize| places.binary_search(&place).expect("every place of a link is listed");
    let by_client: Vec<(usize, usize)> = links.iter().map(|link| (at(link.head), at(link.holder))).collect();
    let mut edges = by_client.clone();
    for (index, link) in links.iter().enumerate() {
        let next = links[(index + 1) % links.len()];
        edges.push((at(next.holder), at(link.head)));
    }
    let number = |at: usize| programs.at(places[at]).number;
    let cycle = forced_order::cycle(places.len(), &edges).unwrap_or_default();
    let hops: Vec<String> = (0..cycle.len())
        .map(|hop| {
            let (from, to) = (cycle[hop], cycle[(hop + 1) % cycle.len()]);
            let why = if by_client.contains(&(from, to)) { "same client" } else { moves.words.by };
            format!("{} ({why})", number(to))
        })
        .collect();
    let first = cycle.first().map_or(String::new(), |first| number(*first).to_string());
    let reason = format!("a cycle: operation {first} before {}", hops.join(" before "));
    core(programs, moves, &places, vec![reason])
}

/// More free moves have to come between two states than there are slots.
fn overload<T>(
    run: &Run<'_>,
    programs: &Programs<T>,
    moves: Moves<'_>,
    object: usize,
    holder: usize,
) -> Contradiction {
    let end = run.objects[object].state;
    let head = run.head(run.chain_of[holder] as usize).expect("a place that was not taken has a head");
    let is_due = |place: usize| match run.moves[place] {
        Move::To(_) => true,
        Move::Next => !run.is_optional(place) && run.deadlines[place] <= end,
        Move::Find { .. } | Move::Never => false,
    };
    let mut jobs = vec![head];
    let mut start = end;
    for (place, reached) in run.moved(object) {
        if reached != start || !is_due(place) {
            break;
        }
        jobs.push(place);
        start -= 1;
    }
    jobs.sort_unstable();
    let mut places: BTreeSet<usize> = jobs.iter().copied().collect();
    for &job in jobs.iter().filter(|job| run.moves[**job] == Move::Next) {
        places.extend(released_by(run, job, start));
        places.extend(due_by(run, job));
    }
    let places: Vec<usize> = places.into_iter().collect();
    let names: Vec<String> = jobs.iter().map(|job| programs.at(*job).number.to_string()).collect();
    let reason = format!(
        "operations {} are {} {} which have to come after {} {start} and not after {} {end}: room for {}",
        names.join(", "),
        jobs.len(),
        moves.words.moves,
        moves.words.state,
        moves.words.state,
        end - start
    );
    core(programs, moves, &places, vec![reason])
}

/// What the client found before this job, so that the job comes after the state.
fn released_by(run: &Run<'_>, job: usize, state: u64) -> Option<usize> {
    let chain = run.chain_of[job];
    let before = (0..job).rev().take_while(|place| run.chain_of[*place] == chain);
    before.filter(|place| run.object(*place) == run.object(job)).find(|place| match run.moves[*place] {
        Move::Find { first, .. } => first >= state,
        Move::To(to) => to >= state,
        Move::Next | Move::Never => false,
    })
}

/// What the client found after this job, so that the job has its deadline, and the moves between them.
fn due_by(run: &Run<'_>, job: usize) -> Vec<usize> {
    let chain = run.chain_of[job];
    let after = (job + 1..run.moves.len()).take_while(|place| run.chain_of[*place] == chain);
    let mut between = Vec::new();
    for place in after.filter(|place| run.object(*place) == run.object(job)) {
        let deadline = match run.moves[place] {
            Move::Find { last, .. } => last,
            Move::To(state) => state - 1,
            Move::Next | Move::Never => {
                between.push(place);
                continue;
            }
        };
        if deadline.saturating_sub(between.len() as u64) == run.deadlines[job] {
            between.push(place);
            return between;
        }
    }
    Vec::new()
}

/// A chain that waits, what it needs, and what comes only after that.
struct Waiting {
    head: usize,
    object: usize,
    needed: u64,
    /// How many moves of which objects.
    behind: Vec<(usize, u64)>,
}

/// An object that cannot leave its state before a chain that waits has gone on.
#[derive(Clone, Copy)]
struct Held {
    /// Which of those that wait.
    waiting: usize,
    holder: usize,
    object: usize,
}

/// Those that wait, those that hold what others wait for, and how far all else can move the objects.
struct Lack<'a> {
    run: &'a Run<'a>,
    waiting: Vec<Waiting>,
    held: Vec<Held>,
    supply: Vec<u64>,
}

/// Some wait for states that cannot be reached before they have gone on.
fn lack<T>(run: &Run<'_>, programs: &Programs<T>, moves: Moves<'_>, holds: &[Hold]) -> Contradiction {
    let lack = Lack::of(run, holds);
    let mut waiting: Vec<usize> = (0..lack.waiting.len()).collect();
    let mut held: Vec<usize> = (0..lack.held.len()).collect();
    if waiting.len() <= CHAIN_COUNT_MAX {
        let without = |list: &[usize], spared: usize| -> Vec<usize> {
            list.iter().copied().filter(|other| *other != spared).collect()
        };
        for spared in (0..lack.held.len()).rev() {
            let fewer = without(&held, spared);
            if lack.persists(&waiting, &fewer) {
                held = fewer;
            }
        }
        for spared in (0..lack.waiting.len()).rev() {
            let fewer = without(&waiting, spared);
            if lack.persists(&fewer, &held) {
                waiting = fewer;
            }
        }
        held.retain(|held| waiting.contains(&lack.held[*held].waiting));
    }
    let heads: Vec<usize> = waiting.iter().map(|index| lack.waiting[*index].head).collect();
    let holders: Vec<usize> = held.iter().map(|index| lack.held[*index].holder).collect();
    let numbers = |places: &[usize]| -> String {
        places.iter().map(|place| programs.at(*place).number.to_string()).collect::<Vec<_>>().join(", ")
    };
    let mut reason = format!(
        "all {} that can come before them are too few for operations {}",
        moves.words.moves,
        numbers(&heads)
    );
    if !holders.is_empty() {
        reason.push_str(&format!(", as long as operations {} are still to come", numbers(&holders)));
    }
    let places = [heads, holders].concat();
    Contradiction { others: Others::Settled, ..core(programs, moves, &places, vec![reason]) }
}

impl<'a> Lack<'a> {
    fn of(run: &'a Run<'a>, holds: &[Hold]) -> Self {
        let supply = run.objects.iter().map(|object| object.state + object.spare.len() as u64).collect();
        let mut lack = Self { run, waiting: Vec::new(), held: Vec::new(), supply };
        for chain in 0..run.next.len() {
            let Some(head) = run.head(chain) else { continue };
            let needed = match run.moves[head] {
                Move::Find { first, .. } => Some(first),
                Move::To(state) => Some(state - 1),
                Move::Next | Move::Never => None,
            };
            let behind = behind(run, head);
            match needed.filter(|_| !run.is_optional(head)) {
                Some(needed) => lack.waiting.push(Waiting { head, object: run.object(head), needed, behind }),
                None => behind.iter().for_each(|(object, count)| lack.supply[*object] += count),
            }
        }
        for (object, hold) in holds.iter().enumerate() {
            let Hold::Place(holder) = *hold else { continue };
            let chain = run.chain_of[holder];
            let waiting = lack.waiting.iter().position(|waiting| run.chain_of[waiting.head] == chain);
            let held = |waiting| Held { waiting, holder, object };
            lack.held.extend(waiting.map(held).filter(|_| !run.is_optional(holder)));
        }
        lack
    }

    /// Whether some of these can never go on, though any move may come at any time but after its turn.
    fn persists(&self, waiting: &[usize], held: &[usize]) -> bool {
        let mut supply = self.supply.clone();
        for (_, one) in self.waiting.iter().enumerate().filter(|(index, _)| !waiting.contains(index)) {
            one.behind.iter().for_each(|(object, count)| supply[*object] += count);
        }
        let mut left = waiting.to_vec();
        loop {
            let can_go_on = |index: &usize| {
                let Waiting { object, needed, .. } = self.waiting[*index];
                let is_held = held
                    .iter()
                    .map(|held| self.held[*held])
                    .any(|held| held.object == object && left.contains(&held.waiting));
                let reached = self.run.objects[object].state;
                supply[object].min(if is_held { reached } else { u64::MAX }) >= needed
            };
            let (going, staying): (Vec<usize>, Vec<usize>) = left.iter().copied().partition(can_go_on);
            for index in &going {
                self.waiting[*index].behind.iter().for_each(|(object, count)| supply[*object] += count);
            }
            left = staying;
            if going.is_empty() || left.is_empty() {
                return !left.is_empty();
            }
        }
    }
}

/// The moves of a chain from this place on.
fn behind(run: &Run<'_>, head: usize) -> Vec<(usize, u64)> {
    let end = run.next[run.chain_of[head] as usize].1 as usize;
    let moves = (head..end).filter(|place| !matches!(run.moves[*place], Move::Find { .. }));
    let mut objects: Vec<usize> = moves.map(|place| run.object(place)).collect();
    objects.sort_unstable();
    objects.chunk_by(|one, other| one == other).map(|same| (same[0], same.len() as u64)).collect()
}
