//! The forecast: quantiles of demand over the horizon, and how far to trust them.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Candidate, Name, named};
use crate::series::offset;

/// Quantiles of demand over a horizon, with the method that made them and its record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// The start of the first slot: the end of the series.
    pub start: Timestamp,
    /// The length of a slot.
    pub step: Duration,
    /// The levels of the quantiles, ascending within (0, 1).
    pub levels: Vec<f64>,
    /// For every level the quantile in every slot; never lower at a higher level, at least 0, at
    /// most three times the greatest value of the series.
    pub quantiles: Vec<Vec<f64>>,
    /// The chosen method.
    #[serde(deserialize_with = "named")]
    pub method: Name,
    /// The chosen method's weighted absolute percentage error in the backtest, as a share: the sum
    /// of the absolute errors of the median over the sum of the demand; none where another program
    /// made the forecast and nobody tested it.
    pub wape: Option<f64>,
    /// For every level the share of backtest values at or below their quantile.
    pub coverage: Vec<f64>,
    /// How many origins the backtest forecast from.
    pub folds: usize,
    /// How every method did, in the order of [`METHODS`](super::METHODS), then the combination.
    pub candidates: Vec<Candidate>,
    /// The digest of the series ([`Series::digest`](crate::series::Series::digest)).
    pub series_digest: String,
    /// How many slots of the series hold a value.
    pub observations: usize,
    /// How many do not.
    pub gaps: usize,
    /// What weakens the forecast.
    pub notes: Vec<Note>,
}

/// The greatest demand at a level, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// The start of the first slot that reaches it.
    pub at: Timestamp,
    /// The demand, in the unit of the series.
    pub value: f64,
}

/// Slots that were treated in their own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// How many, one behind the other.
    pub slots: usize,
    /// The start of the first.
    pub at: Timestamp,
}

/// A weakness of a forecast that its reader should know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Note {
    /// The history was too short to try the whole horizon; errors further ahead are taken to be
    /// like the last ones tried.
    HorizonBeyondBacktest {
        /// The steps ahead that the backtest tried.
        tried: usize,
        /// The steps ahead that were asked for.
        horizon: usize,
    },
    /// A level rests on the greatest error seen, because there are too few errors for a quantile.
    FewErrors {
        /// The level.
        level: f64,
        /// How many errors there are.
        errors: usize,
    },
    /// There was room for one origin only, so the errors judge the method that they calibrate.
    OneFold,
    /// Slots without demand where there always is some: they taught nothing.
    Outages(Vec<Mark>),
    /// Short, high peaks: they were cut before learning, and count among the errors.
    Bursts(Vec<Mark>),
    /// The level changed and stayed: what was before counts less.
    Shift(Timestamp),
    /// Values repeat in a season that no calendar has.
    Season {
        /// Its length.
        slots: usize,
    },
    /// Readings were dropped because a later one has the same time.
    Duplicates {
        /// How many.
        readings: usize,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HorizonBeyondBacktest { tried, horizon } => write!(
                f,
                "the history is too short to test {horizon} steps ahead; tested {tried} and assumed the later ones alike"
            ),
            Self::FewErrors { level, errors } => write!(
                f,
                "the quantile {level} rests on {errors} past errors; it is the greatest of them"
            ),
            Self::Outages(marks) => write!(
                f,
                "{} without demand {} taken for outages, which taught nothing",
                Listed(marks),
                was(marks)
            ),
            Self::Bursts(marks) => write!(
                f,
                "{} of a short, high peak {} cut before learning",
                Listed(marks),
                was(marks)
            ),
            Self::Shift(at) => write!(
                f,
                "the level changed at {} and stayed; what was before counts less",
                minute(*at)
            ),
            Self::Season { slots } => {
                write!(
                    f,
                    "the values repeat every {slots} steps, which no calendar says"
                )
            }
            Self::OneFold => {
                f.write_str("the history has room for one test only; its error is likely too low")
            }
            Self::Duplicates { readings } => {
                write!(
                    f,
                    "{readings} readings were replaced by later ones of the same time"
                )
            }
        }
    }
}

fn minute(at: Timestamp) -> impl fmt::Display {
    at.strftime("%Y-%m-%d %H:%M UTC")
}

fn was(marks: &[Mark]) -> &'static str {
    match marks {
        [Mark { slots: 1, .. }] => "was",
        _ => "were",
    }
}

/// How many slots, and where: the first few of the places.
struct Listed<'a>(&'a [Mark]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        let slots: usize = self.0.iter().map(|mark| mark.slots).sum();
        let noun = if slots == 1 { "slot" } else { "slots" };
        write!(f, "{slots} {noun} (")?;
        for (place, mark) in self.0.iter().take(SHOWN).enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{}", minute(mark.at))?;
        }
        match self.0.len().checked_sub(SHOWN) {
            Some(more) if more > 0 => write!(f, " and {more} more)"),
            _ => f.write_str(")"),
        }
    }
}

impl Forecast {
    /// The quantiles at exactly this level, if it was asked for.
    pub fn at(&self, level: f64) -> Option<&[f64]> {
        let place = self
            .levels
            .iter()
            .position(|known| known.total_cmp(&level).is_eq())?;
        self.quantiles.get(place).map(Vec::as_slice)
    }

    /// The greatest quantile at exactly this level, if it was asked for, and when it is first
    /// reached.
    pub fn peak(&self, level: f64) -> Option<Peak> {
        let quantiles = self.at(level)?;
        let mut peak: Option<(usize, f64)> = None;
        for (slot, value) in quantiles.iter().copied().enumerate() {
            if peak.is_none_or(|(_, most)| value > most) {
                peak = Some((slot, value));
            }
        }
        peak.map(|(slot, value)| Peak {
            at: self.slot_start(slot),
            value,
        })
    }

    /// The start of a slot, from 0.
    pub fn slot_start(&self, slot: usize) -> Timestamp {
        offset(self.start, self.step, slot).unwrap_or(Timestamp::MAX)
    }

    /// The end of the last slot: the forecast says nothing about later times.
    pub fn end(&self) -> Timestamp {
        self.slot_start(self.quantiles.first().map_or(0, Vec::len))
    }
}
