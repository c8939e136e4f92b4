//! The clauses of admission, each kept and each broken.
