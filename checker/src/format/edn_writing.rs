//! Families to Jepsen EDN.
