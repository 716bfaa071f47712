//! The vocabulary that the engine and every provider share.
