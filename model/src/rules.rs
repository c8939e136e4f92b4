//! The lines in which a naive system, a hardened one and a mutant differ.
//!
//! Every system lists its decisions with [`decisions!`](crate::decisions): a field is one decision. `hardened` takes the
//! sound side of each, `naive` the usual one, a mutant is the hardened system with one decision taken the wrong way.

use core::fmt;

use serde::{Deserialize, Serialize};

/// How a system is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// As such systems are commonly built.
    Naive,
    /// Built to hold its promise.
    #[default]
    Hardened,
}

/// Whether a protocol takes a precaution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precaution {
    /// It does.
    Taken,
    /// It does not.
    Skipped,
}

impl Precaution {
    /// Whether it is taken.
    #[must_use]
    pub const fn is_taken(self) -> bool {
        matches!(self, Self::Taken)
    }
}

/// A planted defect, by name: one decision of the hardened system taken the wrong way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Defect(pub &'static str);

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// All decisions of a system.
pub trait Decisions: Copy + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// The defects that can be planted, in the order of the decisions.
    const DEFECTS: &'static [Defect];

    /// Every precaution taken, or every one skipped.
    fn of(variant: Variant) -> Self;

    /// These decisions with one defect planted; none if the system has no such defect.
    fn with(self, defect: Defect) -> Option<Self>;

    /// Every precaution taken.
    #[must_use]
    fn hardened() -> Self {
        Self::of(Variant::Hardened)
    }

    /// The hardened system with one defect planted.
    ///
    /// # Panics
    /// If the system has no such defect.
    #[must_use]
    fn mutant(name: &'static str) -> Self {
        Self::hardened().with(Defect(name)).expect("the defect is one of this system's")
    }
}

/// Declares the decisions of a system: each a precaution, with the name of the defect that skipping it alone is.
///
/// A decision without a name is one that only the naive system takes the wrong way; one marked `in every variant` is taken
/// the wrong way by its mutant alone.
///
/// ```
/// counterclock_model::decisions! {
///     /// Every decision of a lock.
///     pub struct Rules {
///         /// The resource refuses a token smaller than the largest it has seen.
///         fencing = "no-fencing",
///         /// The holder renews its lease in time.
///         renewal,
///         /// The lock knows its own name.
///         name = "canary" in every variant,
///     }
/// }
/// # use counterclock_model::rules::{Decisions, Defect};
/// assert!(!Rules::mutant("no-fencing").fencing.is_taken());
/// assert_eq!(Rules::DEFECTS, [Defect("no-fencing"), Defect("canary")]);
/// # assert!(Rules::hardened().renewal.is_taken());
/// # use counterclock_model::rules::Variant;
/// assert!(Rules::of(Variant::Naive).name.is_taken() && !Rules::of(Variant::Naive).renewal.is_taken());
/// ```
#[macro_export]
macro_rules! decisions {
    (@of $precaution:ident) => { $precaution };
    (@of $precaution:ident variant) => { $crate::rules::Precaution::Taken };
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$doc:meta])* $field:ident $(= $defect:literal)? $(in every $variant:ident)? ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name { $( $(#[$doc])* pub $field: $crate::rules::Precaution, )* }

        impl $crate::rules::Decisions for $name {
            const DEFECTS: &'static [$crate::rules::Defect] = &[ $( $( $crate::rules::Defect($defect), )? )* ];

            fn of(variant: $crate::rules::Variant) -> Self {
                let precaution = match variant {
                    $crate::rules::Variant::Naive => $crate::rules::Precaution::Skipped,
                    $crate::rules::Variant::Hardened => $crate::rules::Precaution::Taken,
                };
                Self { $( $field: $crate::decisions!(@of precaution $($variant)?), )* }
            }

            fn with(mut self, defect: $crate::rules::Defect) -> Option<Self> {
                match defect.0 {
                    $( $( $defect => self.$field = $crate::rules::Precaution::Skipped, )? )*
                    _ => return None,
                }
                Some(self)
            }
        }
    };
}
