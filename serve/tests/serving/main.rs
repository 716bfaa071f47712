//! The server as its clients see it, over real connections.

mod answers;
mod description;
mod lifecycle;
mod refusals;
mod running;
