//! The server as its clients see it, over real connections.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod description;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod running;
