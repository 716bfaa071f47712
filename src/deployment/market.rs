//! What a zone sells: what its provider tells, completed by the catalogue, corrected by the
//! configuration.

use isobar_sdk::deployment::{self as told, Grid, Offer};

/// What a zone sells now.
#[derive(Debug, Clone, PartialEq)]
pub enum Market {
    /// The zone works and sells these.
    Open(Vec<Offer>),
    /// The zone is down; the text says since when or why.
    Down(String),
}

/// What is known of a zone's market and of the power that it is run with.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditions {
    /// What it sells.
    pub market: Market,
    /// Its power; `None` where no one tells.
    pub grid: Option<Grid>,
}

impl Conditions {
    /// What holds for a zone whose provider tells this.
    #[must_use]
    pub fn of(told: told::Market) -> Self {
        let market = match told {
            told::Market::Open(offers) => Market::Open(offers),
            told::Market::Listed(_) => Market::Open(Vec::new()),
            told::Market::Down(reason) => Market::Down(reason),
        };
        Self { market, grid: None }
    }
}
