//! `isobar_data`: a resource that stores a value in the state and nothing else.
