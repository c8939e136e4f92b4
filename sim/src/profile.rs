//! Profiles in files: either a name such as `"cloud-ntp"` or a table with every figure.

use core::fmt;
use core::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

/// A set of figures, some of which have a name.
pub(crate) trait Profile: Sized {
    /// The names, for messages.
    const NAMES: &'static [&'static str];

    /// The profile of that name.
    fn named(name: &str) -> Option<Self>;

    /// The profile that a table spells out.
    fn from_table<'de, D: Deserializer<'de>>(table: D) -> Result<Self, D::Error>;
}

/// Reads a name or a table.
pub(crate) fn name_or_table<'de, P: Profile, D: Deserializer<'de>>(deserializer: D) -> Result<P, D::Error> {
    deserializer.deserialize_any(NameOrTable(PhantomData))
}

struct NameOrTable<P>(PhantomData<P>);

impl<'de, P: Profile> Visitor<'de> for NameOrTable<P> {
    type Value = P;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}, or a table of figures", P::NAMES.join(", "))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<P, E> {
        P::named(name).ok_or_else(|| E::unknown_variant(name, P::NAMES))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<P, A::Error> {
        P::from_table(MapAccessDeserializer::new(map))
    }
}

/// `Serialize` and `Deserialize` for a profile that derives both with `#[serde(remote = "Self")]`.
macro_rules! serde_profile {
    ($profile:ty) => {
        impl serde::Serialize for $profile {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$profile>::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $profile {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::profile::name_or_table(deserializer)
            }
        }
    };
}

pub(crate) use serde_profile;
