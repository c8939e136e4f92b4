//! The workload that a file seems to be of, to be named where the file is refused.

use std::fmt;

use crate::format::{FormatError, Model};

/// What a file seems to be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// A model that is checked.
    Model(Model),
    /// A workload of Jepsen or of its kind that no model here is for.
    Unsupported(&'static str),
    /// None that is known.
    Unknown,
}

impl Workload {
    /// The error with what the file seems to be of, where that says more.
    pub(super) fn explain(self, error: FormatError, asked: Option<Model>) -> FormatError {
        let FormatError::Unexpected { place, found, expected } = error else { return error };
        match (self, asked) {
            (Self::Model(model), Some(asked)) if model == asked => {
                FormatError::Unexpected { place, found, expected }
            }
            (Self::Model(_), None) => FormatError::Unexpected { place, found, expected },
            (Self::Model(_) | Self::Unsupported(_) | Self::Unknown, _) => {
                FormatError::Refused { place, found, expected, workload: self }
            }
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let models = || Model::ALL.map(Model::name).join(", ");
        match self {
            Self::Model(model) => write!(formatter, "this looks like {model}: `--model {model}` reads it"),
            Self::Unsupported(name) => write!(
                formatter,
                "this looks like the workload {name}, for which there is no model here (there are {})",
                models()
            ),
            Self::Unknown => write!(
                formatter,
                "no workload is known that has this operation; `--model` takes the file as one of {}",
                models()
            ),
        }
    }
}
