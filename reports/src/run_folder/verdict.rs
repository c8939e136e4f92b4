//! What a run was judged to be: `verdict.json`, a line of `run --json`, a line of `verdicts.jsonl`.

use core::fmt;

use checker::verdict::Violation;
use serde::{Deserialize, Serialize};
use sim::fault::Family;
use sim::ledger::{LedgerLine, is_vacuous};

/// What was found out about one promise, or about a run as a whole. The order is the order of attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The promise was broken.
    Violated,
    /// The budget ran out before an answer.
    Undecided,
    /// Faults were planned and none affected anything: the run shows nothing. Only of a run as a whole.
    Vacuous,
    /// The promise was kept.
    Holds,
}

impl Outcome {
    /// Every outcome, in the order of attention.
    pub const ALL: [Self; 4] = [Self::Violated, Self::Undecided, Self::Vacuous, Self::Holds];

    /// The exit code of a command with this as its worst outcome: 1 broken, 3 nothing shown, 0 held.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Violated => 1,
            Self::Undecided | Self::Vacuous => 3,
            Self::Holds => 0,
        }
    }

    /// The outcome of several together: the first in the order of attention; of none, it holds.
    pub fn worst(outcomes: impl IntoIterator<Item = Self>) -> Self {
        outcomes.into_iter().min().unwrap_or(Self::Holds)
    }

    /// Its name, as it stands in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Violated => "violated",
            Self::Undecided => "undecided",
            Self::Vacuous => "vacuous",
            Self::Holds => "holds",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's name, such as `linearizable` or `switch-a`.
    pub name: String,
    /// Its verdict.
    pub verdict: Outcome,
    /// One sentence: what was found, over how much.
    pub detail: String,
    /// The object family that was judged, where the run has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The algorithm that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// The checker's explanation of a violation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Violation>,
}

/// What a run was judged to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunVerdict {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// `hardened` or `naive`.
    pub variant: String,
    /// The planted defect, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutant: Option<String>,
    /// The scenario's file, where it is not one of the catalog's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The command that starts the program which makes such runs, up to its own arguments, where that is not this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// What was set in the scenario, each as `KEY=VALUE`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
    /// What the nodes ran on.
    pub substrate: String,
    /// The run as a whole.
    pub verdict: Outcome,
    /// The digest of everything that happened: 32 hexadecimal digits.
    pub digest: String,
    /// How many operations the clients asked.
    pub operations: u64,
    /// How many events the world processed.
    pub events: u64,
    /// How many messages were sent.
    pub messages: u64,
    /// How long the run lasted in the world. Unit: ns.
    pub simulated_ns: u64,
    /// How long it took here, checks included. Unit: ns. Absent from `verdicts.jsonl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_ns: Option<u64>,
    /// How long the checks took here. Unit: ns. Absent from `verdicts.jsonl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_ns: Option<u64>,
    /// What each check found.
    pub checks: Vec<CheckResult>,
    /// What became of the faults, by family.
    pub ledger: Vec<LedgerLine>,
}

impl RunVerdict {
    /// The verdict of a run from its checks, its ledger and the families that its substrate lacks.
    ///
    /// The worst check decides; a run whose checks all hold while faults were planned and none affected anything
    /// is vacuous, and so is one whose faults were all left out.
    pub fn overall(checks: &[CheckResult], ledger: &[LedgerLine], left_out: &[Family]) -> Outcome {
        let has_lost_all = ledger.is_empty() && !left_out.is_empty();
        let faults = if has_lost_all || is_vacuous(ledger) { Outcome::Vacuous } else { Outcome::Holds };
        Outcome::worst(checks.iter().map(|check| check.verdict).chain([faults]))
    }

    /// The object that `run --json` prints and `verdict.json` holds, on one line without its end.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("a verdict has text keys only")
    }

    /// The object's line of `verdicts.jsonl`, without its end: nothing in it depends on the machine.
    pub fn soak_line(&self) -> String {
        Self { wall_ns: None, check_ns: None, ..self.clone() }.json()
    }

    /// The exit code of a command that made this run.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        self.verdict.exit_code()
    }

    /// The command that makes this run again.
    pub fn replay_command(&self) -> String {
        let scenario = self.path.as_ref().unwrap_or(&self.scenario);
        let program = match &self.program {
            Some(program) => program.clone(),
            None => format!("counterclock run {}", quoted(scenario)),
        };
        let mut command = format!("{program} --seed {}", self.seed);
        if self.variant != "hardened" {
            command += &format!(" --variant {}", quoted(&self.variant));
        }
        if let Some(mutant) = &self.mutant {
            command += &format!(" --mutant {}", quoted(mutant));
        }
        if self.substrate != "kernel" {
            command += &format!(" --substrate {}", quoted(&self.substrate));
        }
        for setting in &self.settings {
            command += &format!(" --set {}", quoted(setting));
        }
        command
    }
}

/// `word` as one word of a shell command, whatever it contains.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_./=".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use sim::fault::Family;

    use super::*;

    /// The verdict of a run with one planned fault, which changed that many things.
    fn check(outcomes: &[Outcome], affected: u64) -> Outcome {
        let checks: Vec<_> = outcomes
            .iter()
            .map(|&verdict| CheckResult {
                name: "linearizable".into(),
                verdict,
                detail: String::new(),
                family: None,
                algorithm: None,
                explanation: None,
            })
            .collect();
        RunVerdict::overall(
            &checks,
            &[LedgerLine { fault: Family::Cut, planned: 1, fired: 1, affected }],
            &[],
        )
    }

    #[test]
    fn worst_check_decides_and_idle_faults_make_a_run_vacuous() {
        use Outcome::{Holds, Undecided, Vacuous, Violated};
        assert_eq!(check(&[Holds, Violated, Undecided], 1), Violated);
        assert_eq!(check(&[Holds, Undecided], 1), Undecided);
        assert_eq!(check(&[Holds], 1), Holds);
        assert_eq!(check(&[Holds], 0), Vacuous);
        assert_eq!(check(&[Violated], 0), Violated);
        assert_eq!(RunVerdict::overall(&[], &[], &[]), Holds);
        assert_eq!(RunVerdict::overall(&[], &[], &[Family::Noise]), Vacuous);
    }

    #[test]
    fn exit_codes_follow_the_precedence_of_outcomes() {
        let codes: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.exit_code()).collect();
        assert_eq!(codes, [1, 3, 3, 0]);
    }

    #[test]
    fn words_of_a_command_stay_one_word_each() {
        assert_eq!(quoted("scenarios/a-b_1.toml"), "scenarios/a-b_1.toml");
        assert_eq!(quoted("a b; it's"), "'a b; it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
