//! What a client that sees prefixes of all clients must agree on: which writes come before what it reads.
//!
//! Of each client, only the latest visible write of a key matters, for arbitration keeps the order of
//! each client; and only if it is another one than when the key was last read, for what was visible
//! then comes before what was read then, and that before what is read now. So there are O(n * clients)
//! comparisons and few edges: L. Møldrup and A. Pavlogiannis, "AWDIT: an optimal weak database
//! isolation tester", arXiv 2504.06975 (2025).

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::accesses::{Accesses, Kind, number};
use crate::engine::visibility_graph::{Edge, Reason};

/// No write.
const NOTHING: u32 = u32::MAX;

/// The writes of one key by one client: a range of `Overwrites::writes`.
#[derive(Clone, Copy, Debug)]
struct Group {
    session: u32,
    start: u32,
    end: u32,
}

/// The first write of a group that was not visible yet.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    /// Where it stands in `Overwrites::writes`.
    place: u32,
    /// How many writes of its client there are up to it; more than any, if there is none.
    rank: u32,
}

/// What one client saw of one key when it read it last.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Where its cursors begin, one for each group of the key.
    cursors: u32,
    /// What it read.
    source: u32,
}

/// The writes by key, client and order, and what has been seen of them.
pub(crate) struct Overwrites {
    writes: Vec<u32>,
    groups: Vec<Group>,
    /// Where the groups of each key begin, and the end.
    keys: Vec<u32>,
    /// How many writes of its client there are up to each item, itself included.
    ranks: Vec<u32>,
    seen: HashMap<(u32, u32), Seen, FxBuildHasher>,
    /// How far each group was visible: by client and key, as `seen` says.
    cursors: Vec<Cursor>,
    edges: Vec<Edge>,
}

impl Overwrites {
    pub(crate) fn of(accesses: &Accesses) -> Self {
        let mut overwrites = Self {
            writes: Vec::new(),
            groups: Vec::new(),
            keys: vec![0],
            ranks: ranks(accesses),
            seen: HashMap::default(),
            cursors: Vec::new(),
            edges: Vec::new(),
        };
        overwrites.group(accesses);
        overwrites
    }

    /// How many writes of its client there are up to this item.
    pub(crate) fn rank(&self, item: u32) -> u32 {
        self.ranks[item as usize]
    }

    /// All edges found so far.
    pub(crate) fn into_edges(self) -> Vec<Edge> {
        self.edges
    }

    /// The reader sees, of each client, so many writes: what that forces.
    ///
    /// # Errors
    /// With a visible write, if it reads what the object held at first.
    pub(crate) fn read(&mut self, accesses: &Accesses, reader: u32, clock: &[u32]) -> Result<(), u32> {
        let item = accesses.item(reader);
        let groups = self.keys[item.key as usize] as usize..self.keys[item.key as usize + 1] as usize;
        let source = match item.kind {
            Kind::Read(source) => source,
            Kind::ReadInitial => return self.visible(&self.groups[groups], clock).map_or(Ok(()), Err),
            Kind::Write | Kind::ReadNothing => return Ok(()),
        };
        let next = Seen { cursors: number(self.cursors.len()), source: NOTHING };
        let seen = self.seen.entry((item.session, item.key)).or_insert(next);
        if seen.cursors == next.cursors {
            let rank = |group: &Group| self.ranks[self.writes[group.start as usize] as usize];
            let first = |group: &Group| Cursor { place: group.start, rank: rank(group) };
            self.cursors.extend(self.groups[groups.clone()].iter().map(first));
        }
        let reason = Reason::Overwritten(reader);
        if seen.source != source && seen.source != NOTHING {
            self.edges.push(Edge { before: seen.source, after: source, reason });
        }
        seen.source = source;
        let cursors = &mut self.cursors[seen.cursors as usize..][..groups.len()];
        for (group, cursor) in self.groups[groups].iter().zip(cursors) {
            let visible = clock[group.session as usize];
            if cursor.rank > visible {
                continue;
            }
            while cursor.rank <= visible {
                cursor.place += 1;
                let next = self.writes[..group.end as usize].get(cursor.place as usize);
                cursor.rank = next.map_or(NOTHING, |next| self.ranks[*next as usize]);
            }
            let latest = self.writes[cursor.place as usize - 1];
            if latest != source {
                self.edges.push(Edge { before: latest, after: source, reason });
            }
        }
        Ok(())
    }

    /// A visible write of these groups.
    fn visible(&self, groups: &[Group], clock: &[u32]) -> Option<u32> {
        let first = |group: &Group| self.writes[group.start as usize];
        let is_visible = |group: &&Group| self.rank(first(group)) <= clock[group.session as usize];
        groups.iter().find(is_visible).map(first)
    }

    fn group(&mut self, accesses: &Accesses) {
        let mut starts = vec![0u32; accesses.key_count() + 1];
        for item in accesses.items().iter().filter(|item| item.kind == Kind::Write) {
            starts[item.key as usize + 1] += 1;
        }
        for key in 0..accesses.key_count() {
            starts[key + 1] += starts[key];
        }
        self.writes = vec![0; starts[accesses.key_count()] as usize];
        let mut places = starts.clone();
        for (item, access) in (0..).zip(accesses.items()) {
            if access.kind == Kind::Write {
                let place = &mut places[access.key as usize];
                self.writes[*place as usize] = item;
                *place += 1;
            }
        }
        for key in 0..accesses.key_count() {
            for place in starts[key]..starts[key + 1] {
                let session = accesses.item(self.writes[place as usize]).session;
                match self.groups.last_mut().filter(|group| place > starts[key] && group.session == session) {
                    Some(group) => group.end = place + 1,
                    None => self.groups.push(Group { session, start: place, end: place + 1 }),
                }
            }
            self.keys.push(number(self.groups.len()));
        }
    }
}

fn ranks(accesses: &Accesses) -> Vec<u32> {
    let mut ranks = vec![0; accesses.items().len()];
    for session in 0..accesses.session_count() {
        let mut rank = 0;
        for item in accesses.session(session) {
            rank += u32::from(accesses.is_write(item));
            ranks[item as usize] = rank;
        }
    }
    ranks
}
