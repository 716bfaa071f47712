//! A deterministic cloud kept in one file.
