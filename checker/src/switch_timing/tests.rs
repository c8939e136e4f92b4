//! Each rule of a switch, kept and broken.
