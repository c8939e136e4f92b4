//! Nodes of a run by their names: `node 3` in a sentence of the checker is `slot-4` for its reader.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use checker::verdict::{Verdict, Violation};
use serde::Deserialize;

use crate::run_folder::NodePlan;

/// The words before the number of a node. But for the first, a node must be called so to be meant.
const ROLES: [&str; 7] = ["node", "holder", "resource", "replica", "witness", "server", "candidate"];

/// The names of a run's nodes, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    by_number: BTreeMap<u32, String>,
}

/// The part of a plan that names nodes.
#[derive(Deserialize)]
struct Nodes {
    nodes: Vec<NodePlan>,
}

impl Names {
    /// Those of the run whose folder holds the history. None if there is no plan beside it.
    pub fn beside(history: &Path) -> Self {
        let plan = fs::read_to_string(history.with_file_name("plan.json")).ok();
        let nodes = plan.and_then(|plan| serde_json::from_str::<Nodes>(&plan).ok());
        nodes.map(|Nodes { nodes }| Self::of(&nodes)).unwrap_or_default()
    }

    /// Those of the nodes of a plan.
    pub fn of(nodes: &[NodePlan]) -> Self {
        Self { by_number: nodes.iter().map(|node| (node.id, node.name.clone())).collect() }
    }

    /// The sentence with the names of nodes.
    #[must_use]
    pub fn named(&self, sentence: &str) -> String {
        let mut words: Vec<String> = Vec::new();
        for word in sentence.split(' ') {
            let previous = words.last().map(String::as_str).unwrap_or_default();
            match self.name(previous, word) {
                Some(name) => {
                    words.pop();
                    words.push(name);
                }
                None => words.push(word.to_owned()),
            }
        }
        words.join(" ")
    }

    /// Puts the names into the sentences of a verdict.
    pub fn put_into_verdict(&self, verdict: &mut Verdict) {
        if let Verdict::Violated(violation) = verdict {
            self.put_into(violation);
        }
    }

    /// Puts the names into all sentences of a violation.
    pub fn put_into(&self, violation: &mut Violation) {
        violation.for_each_sentence(|sentence| *sentence = self.named(sentence));
    }

    /// The name that stands for a role and a number, with the marks around them.
    fn name(&self, role: &str, word: &str) -> Option<String> {
        let plain = role.trim_start_matches(['(', '"']);
        let digits = word.find(|character: char| !character.is_ascii_digit()).unwrap_or(word.len());
        let name = self.by_number.get(&word[..digits].parse().ok()?)?;
        let is_meant = plain == ROLES[0] || name == plain || name.starts_with(&format!("{plain}-"));
        let marks = &role[..role.len() - plain.len()];
        (ROLES.contains(&plain) && is_meant).then(|| format!("{marks}{name}{}", &word[digits..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sentence: &str, want: &str) {
        let node = |(id, name): (u32, &str)| NodePlan { id, name: name.to_owned(), role: String::new() };
        let names = Names::of(&[(0, "server"), (3, "holder-2"), (4, "slot-1")].map(node));
        assert_eq!(names.named(sentence), want);
    }

    #[test]
    fn nodes_are_called_by_their_names() {
        check("node 4 used version 3", "slot-1 used version 3");
        check(
            "holder 3 was inside lock 0 (holder 3, record 4)",
            "holder-2 was inside lock 0 (holder-2, record 4)",
        );
        check("reader r1 on node 0, and node 3's clock", "reader r1 on server, and holder-2's clock");
    }

    #[test]
    fn numbers_of_something_else_stay() {
        // Node 4 is no holder, nobody is node 9, and a version is no node.
        check("holder 4, node 9, version 3", "holder 4, node 9, version 3");
    }
}
