//! Which put or append each text that was found ends with, and what each of them found before it.
//!
//! Known if the parts of every text that was found can be told apart: each place in it continues with
//! one put, append or the initial text, and with one only.

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::TextStep;
use crate::engine::programs::{Contradiction, Others, Programs, Unknown};
use crate::engine::saturation::{Touch, Touching};

/// A text, by what it ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Version {
    /// The text there was at first.
    Initial,
    /// What was put or appended at this place.
    After(usize),
}

/// What every operation found and left, by place.
pub(super) struct Versions {
    /// What gets found.
    found: Vec<Option<Version>>,
    /// For each append, what it was appended to, and which get tells.
    before: Vec<Option<(Version, usize)>>,
}

/// The puts and appends of one object by their text, and how long these texts are.
#[derive(Default)]
struct Tokens {
    places: HashMap<Arc<str>, usize, FxBuildHasher>,
    lengths: Vec<usize>,
}

pub(super) fn versions(programs: &Programs<TextStep>, initial: &Arc<str>) -> Result<Versions, Unknown> {
    let mut tokens: Vec<Tokens> = Vec::new();
    tokens.resize_with(programs.object_count(), Tokens::default);
    for (place, operation) in programs.operations().iter().enumerate() {
        let tokens = &mut tokens[operation.object()];
        if let TextStep::Put(text) | TextStep::Append(text) = &operation.step {
            if text.is_empty() || text == initial || tokens.places.insert(text.clone(), place).is_some() {
                return Err(Unknown::Ambiguous);
            }
            tokens.lengths.push(text.len());
        }
    }
    for tokens in &mut tokens {
        tokens.lengths.sort_unstable();
        tokens.lengths.dedup();
    }
    let count = programs.operations().len();
    let mut versions = Versions { found: vec![None; count], before: vec![None; count] };
    for (place, operation) in programs.operations().iter().enumerate() {
        // What may be left out tells nothing.
        if let TextStep::Get(text) = &operation.step
            && !operation.is_optional
        {
            let parser = Parser { programs, tokens: &tokens[operation.object()], initial, get: place };
            versions.found[place] = Some(parser.parse(text, &mut versions.before)?);
        }
    }
    Ok(versions)
}

struct Parser<'a> {
    programs: &'a Programs<TextStep>,
    tokens: &'a Tokens,
    initial: &'a Arc<str>,
    get: usize,
}

impl Parser<'_> {
    /// What the text ends with; what each of its parts was appended to is noted.
    fn parse(&self, text: &str, before: &mut [Option<(Version, usize)>]) -> Result<Version, Unknown> {
        let mut version = None;
        let mut rest = text;
        if self.initial.is_empty() {
            version = Some(Version::Initial);
        }
        loop {
            let is_first = rest.len() == text.len();
            let mut next = None;
            let initial = Some(self.initial).filter(|initial| is_first && !initial.is_empty());
            if let Some(after) = initial.and_then(|initial| rest.strip_prefix(&**initial)) {
                next = Some((Version::Initial, after));
            }
            for (place, after) in self.continuations(rest, version.is_some(), is_first) {
                if next.replace((Version::After(place), after)).is_some() {
                    return Err(Unknown::Ambiguous);
                }
            }
            match next {
                Some((next, after)) => {
                    self.note(next, version, before)?;
                    (version, rest) = (Some(next), after);
                }
                None if rest.is_empty() => return version.ok_or_else(|| self.never()),
                None => return Err(self.never()),
            }
        }
    }

    /// The puts and appends that may come next, and what is left of the text after each.
    fn continuations<'t>(&self, rest: &'t str, has_text: bool, is_first: bool) -> Vec<(usize, &'t str)> {
        let mut found = Vec::new();
        for &length in &self.tokens.lengths {
            let Some((token, after)) = rest.split_at_checked(length) else { continue };
            let Some(&place) = self.tokens.places.get(token) else { continue };
            let may_come = match &self.programs.at(place).step {
                TextStep::Put(_) => is_first,
                TextStep::Append(_) => has_text,
                TextStep::Get(_) => false,
            };
            if may_come {
                found.push((place, after));
            }
        }
        found
    }

    fn note(
        &self,
        next: Version,
        version: Option<Version>,
        before: &mut [Option<(Version, usize)>],
    ) -> Result<(), Unknown> {
        let (Version::After(place), Some(version)) = (next, version) else { return Ok(()) };
        if !matches!(self.programs.at(place).step, TextStep::Append(_)) {
            return Ok(());
        }
        match before[place] {
            Some((other, get)) if other != version => Err(self.appended_twice(place, get)),
            Some(_) => Ok(()),
            None => {
                before[place] = Some((version, self.get));
                Ok(())
            }
        }
    }

    fn never(&self) -> Unknown {
        let reason =
            format!("operation {} found what nobody put or appended", self.programs.at(self.get).number);
        let places = vec![self.get];
        Unknown::Contradiction(Contradiction { places, others: Others::Settled, reasons: vec![reason] })
    }

    fn appended_twice(&self, place: usize, get: usize) -> Unknown {
        let number = |place: usize| self.programs.at(place).number;
        let reason = format!(
            "operations {} and {} found what operation {} appended after different texts",
            number(get),
            number(self.get),
            number(place)
        );
        let places = vec![get, self.get];
        Unknown::Contradiction(Contradiction { places, others: Others::Settled, reasons: vec![reason] })
    }
}

impl Versions {
    /// A contradiction together with the gets that told what its appends were appended to, and all
    /// that these gets found.
    pub(super) fn with_tellers(&self, mut contradiction: Contradiction) -> Contradiction {
        let Others::Listed(listed) = &mut contradiction.others else { return contradiction };
        let mut all: BTreeSet<usize> = contradiction.places.iter().chain(&*listed).copied().collect();
        let mut waiting: Vec<usize> = all.iter().copied().collect();
        while let Some(place) = waiting.pop() {
            if let Some((version, get)) = self.before[place] {
                contradiction.places.push(get);
                for version in [Some(version), self.found[get]].into_iter().flatten() {
                    if let Version::After(writer) = version
                        && all.insert(writer)
                    {
                        listed.push(writer);
                        waiting.push(writer);
                    }
                }
            }
        }
        contradiction.places.sort_unstable();
        contradiction.places.dedup();
        contradiction
    }
}

/// A text as a register that holds versions.
pub(super) struct AsRegister<'a>(pub(super) &'a Versions);

impl Touching<TextStep> for AsRegister<'_> {
    type Register = ();
    type Value = Version;

    fn initial(&self) -> Version {
        Version::Initial
    }

    fn touches(&self, place: usize, step: &TextStep, into: &mut Vec<Touch<(), Version>>) -> Option<()> {
        let written = Some(Version::After(place));
        into.push(match step {
            TextStep::Get(_) => Touch { register: (), found: self.0.found[place], written: None },
            TextStep::Put(_) => Touch { register: (), found: None, written },
            // Nobody has seen to what it was appended, hence nobody what it made: that may be any text.
            TextStep::Append(_) => {
                let found = self.0.before[place].map(|(before, _)| before);
                Touch { register: (), found, written }
            }
        });
        Some(())
    }
}
