//! Who writes which register, chain by chain, and who reads it: what the rules look up.

use super::reads_from::{Problem, Source};

/// The writes of one chain to one register: a range of [`Writes::nodes`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    pub(super) chain: u32,
    first: u32,
    end: u32,
}

pub(super) struct Writes {
    /// All writes, register by register, chain by chain, in the order of the chain.
    nodes: Vec<u32>,
    lanes: Vec<Lane>,
    /// The first lane of each register.
    lane_starts: Vec<u32>,
    /// For each node, who found what it wrote.
    readers: Vec<Readers>,
    reader_starts: Vec<u32>,
    /// For each register, how many found in it what was there at first.
    initial_counts: Vec<u32>,
}

/// The nodes of one chain that found in a register what a node wrote there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Readers {
    register: u32,
    /// The last of them.
    pub(super) last: u32,
    /// How many they are.
    pub(super) count: u32,
}

impl Writes {
    pub(super) fn of(problem: &Problem) -> Self {
        let mut writes = Vec::new();
        for chain in 0..problem.chain_count() {
            for node in problem.chain_starts[chain]..problem.chain_starts[chain + 1] {
                for access in problem.accesses(node).iter().filter(|access| access.is_write) {
                    writes.push((access.register, chain as u32, node));
                }
            }
        }
        writes.sort_unstable();
        let mut lanes: Vec<Lane> = Vec::new();
        let mut lane_starts = vec![0; problem.register_count + 1];
        let mut last = None;
        for (at, &(register, chain, _)) in writes.iter().enumerate() {
            if last != Some((register, chain)) {
                last = Some((register, chain));
                lanes.push(Lane { chain, first: at as u32, end: at as u32 });
                lane_starts[register as usize + 1] = lanes.len() as u32;
            }
            if let Some(lane) = lanes.last_mut() {
                lane.end += 1;
            }
        }
        for register in 1..lane_starts.len() {
            lane_starts[register] = lane_starts[register].max(lane_starts[register - 1]);
        }
        let nodes = writes.into_iter().map(|(_, _, node)| node).collect();
        let (readers, reader_starts) = readers(problem);
        let mut initial_counts = vec![0; problem.register_count];
        for node in 0..problem.node_count() as u32 {
            for access in problem.accesses(node).iter().filter(|access| access.source == Source::Initial) {
                initial_counts[access.register as usize] += 1;
            }
        }
        Self { nodes, lanes, lane_starts, readers, reader_starts, initial_counts }
    }

    /// The chains that write a register.
    pub(super) fn lanes(&self, register: u32) -> &[Lane] {
        let register = register as usize;
        &self.lanes[self.lane_starts[register] as usize..self.lane_starts[register + 1] as usize]
    }

    /// The writes of a chain to a register.
    pub(super) fn lane(&self, register: u32, chain: u32) -> &[u32] {
        let lanes = self.lanes(register);
        // Where every chain writes the register, its lane is known by its number.
        let at = match lanes.get(chain as usize) {
            Some(lane) if lane.chain == chain => chain as usize,
            Some(_) | None => match lanes.binary_search_by_key(&chain, |lane| lane.chain) {
                Ok(at) => at,
                Err(_) => return &[],
            },
        };
        self.nodes(lanes[at])
    }

    pub(super) fn nodes(&self, lane: Lane) -> &[u32] {
        &self.nodes[lane.first as usize..lane.end as usize]
    }

    /// Who found in this register what the node wrote there, chain by chain.
    pub(super) fn readers(&self, register: u32, node: u32) -> impl Iterator<Item = Readers> {
        let node = node as usize;
        let readers = &self.readers[self.reader_starts[node] as usize..self.reader_starts[node + 1] as usize];
        readers.iter().filter(move |readers| readers.register == register).copied()
    }

    /// For each register, how many found in it what was there at first.
    pub(super) fn initial_counts(&self) -> &[u32] {
        &self.initial_counts
    }
}

/// For each node, its readers; where those of a node begin.
fn readers(problem: &Problem) -> (Vec<Readers>, Vec<u32>) {
    let mut all: Vec<(u32, u32, u32, u32)> = Vec::new();
    for chain in 0..problem.chain_count() {
        for node in problem.chain_starts[chain]..problem.chain_starts[chain + 1] {
            for access in problem.accesses(node) {
                if let Source::Node(source) = access.source {
                    all.push((source, access.register, chain as u32, node));
                }
            }
        }
    }
    all.sort_unstable();
    let mut readers: Vec<Readers> = Vec::new();
    let mut starts = vec![0];
    let mut at = 0;
    for node in 0..problem.node_count() as u32 {
        let mut same = None;
        while let Some(&(_, register, chain, last)) = all.get(at).filter(|(source, ..)| *source == node) {
            at += 1;
            if same == Some((register, chain))
                && let Some(readers) = readers.last_mut()
            {
                *readers = Readers { register, last, count: readers.count + 1 };
            } else {
                readers.push(Readers { register, last, count: 1 });
            }
            same = Some((register, chain));
        }
        starts.push(readers.len() as u32);
    }
    (readers, starts)
}
