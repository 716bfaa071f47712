//! Demand to come: a series in, quantiles over a horizon out, by the method that a backtest chose.

mod anomaly;
mod arima;
mod backtest;
mod batch;
mod boosting;
mod calendar;
mod conformal;
mod dice;
pub mod drift;
mod ets;
mod experts;
mod features;
mod folds;
mod forest;
mod history;
mod holidays;
mod linear;
mod linear_median;
mod lstm;
mod mstl;
mod naive;
mod path;
mod pool;
mod protocol;
mod quantiles;
mod season;
mod seasonal_drift;
mod seasonal_mean;
mod seasonal_naive;
mod seasonal_naive_both;
mod select;
mod series;
mod simplex;
mod tally;
mod theta;
mod tree;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

pub use self::batch::in_order;
pub use self::calendar::{Calendar, Event};
pub use self::experts::{Ahead, Experts};
pub use self::history::History;
pub use self::holidays::{countries, holidays};
pub use self::path::Path;
pub use self::pool::POOL;
pub use self::protocol::{Pace, Protocol};
pub use self::quantiles::{Forecast, Mark, Note, Peak};
pub use self::select::{CLEARLY_BETTER, Candidate, Outcome, Score};
pub use self::series::{MAX_SLOTS, Series, SeriesError, offset};
pub use self::tally::{Marks, Scale, Tally};

/// The levels of a forecast unless others are asked for.
pub const LEVELS: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

/// The fewest observations that a forecast can be made from.
pub const FEWEST_OBSERVATIONS: usize = 4;

/// The longest horizon, in steps.
pub const LONGEST_HORIZON: usize = 100_000;

/// The methods that compete in the backtest. The combination of some of them, [`POOL`], is chosen
/// unless one of them has less than half its loss; of equally good ones the first is.
pub static METHODS: [&dyn Method; 19] = [
    &naive::Naive,
    &seasonal_naive::SeasonalNaive::DAY,
    &seasonal_naive::SeasonalNaive::WEEK,
    &seasonal_naive_both::SeasonalNaiveBoth,
    &seasonal_mean::SeasonalMean::DAY,
    &seasonal_mean::SeasonalMean::WEEK,
    &seasonal_drift::SeasonalDrift,
    &ets::Ets,
    &mstl::Mstl::LINEAR,
    &mstl::Mstl::LOGARITHMIC,
    &mstl::Mstl::AUTOREGRESSIVE,
    &theta::Theta,
    &linear::Linear,
    &linear_median::LinearMedian,
    &boosting::Boosting,
    &forest::Forest,
    &arima::Arima,
    &lstm::Lstm,
    &experts::Mixed,
];

/// Raised when the same series and request would give another forecast than before: what was made
/// before and kept is not used then.
pub const EDITION: u32 = 3;

/// The name of a method, of the combination, or of a period.
pub type Name = &'static str;

/// Reads back one of the names that forecasts hold: of a method, of the combination, or of a period.
fn named<'de, D: Deserializer<'de>>(source: D) -> Result<Name, D::Error> {
    let name = String::deserialize(source)?;
    let methods = METHODS.iter().map(|method| method.name());
    let mut names = methods.chain([POOL, "day", "week"]);
    names
        .find(|known| *known == name)
        .ok_or_else(|| serde::de::Error::custom(format!("there is no method {name:?}")))
}

/// A way to forecast the next values of a series.
pub trait Method: Sync {
    /// The name in reports, such as `seasonal_naive_day`.
    fn name(&self) -> &'static str;

    /// What it costs.
    fn effort(&self) -> Effort {
        Effort::Light
    }

    /// Learns from a history how to forecast up to `horizon` slots ahead.
    ///
    /// # Errors
    ///
    /// When the history does not suffice for this method.
    fn fit(&self, history: &History, horizon: usize) -> Result<Box<dyn Fitted>, Unfit>;
}

/// What a method costs, and so how often it learns in the backtest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Next to nothing. It learns where the history stands at its end, at every origin.
    Light,
    /// Much. It learns how what comes follows from what was before, which serves at later origins,
    /// too; so it learns at a few origins only, and is given up where it cannot win.
    Heavy,
    /// Seconds. As [`Heavy`](Self::Heavy), and only where it is asked for by name.
    OnRequest,
}

/// What a [`Method`] learned.
pub trait Fitted {
    /// The expected values of the `horizon` slots after `history`: that many, and not
    /// necessarily within what demand can be; the caller clips. The history is the one that was
    /// learned from, or with [`Effort::Heavy`] one that goes on from there.
    fn point(&self, history: &History, horizon: usize) -> Vec<f64>;
}

/// Why a method does not serve for a series.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize, Deserialize)]
pub enum Unfit {
    /// The history is shorter than the method needs.
    #[error("needs {needed} slots of history, has {present}")]
    TooShort {
        /// How many slots it needs.
        needed: usize,
        /// How many there are.
        present: usize,
    },
    /// The day or week is not a whole number, at least 2, of steps.
    #[error("the {period} is not a multiple of the step")]
    NoPeriod {
        /// `day` or `week`.
        #[serde(deserialize_with = "named")]
        period: Name,
    },
    /// It was so far behind on the first folds that it could not win any more.
    #[error(
        "given up: its errors were {times:.1} times those of the best on the first {folds} tests"
    )]
    Outpaced {
        /// The folds that it was tried on.
        folds: usize,
        /// Its errors over the best ones.
        times: f64,
    },
    /// A simpler method makes no error.
    #[error("not tried, because a simpler method makes no error")]
    NothingToGain,
    /// The method's own computation failed.
    #[error("{reason}")]
    Failed {
        /// In the words of the library.
        reason: String,
    },
}

/// What to forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// How many steps of the series ahead.
    pub horizon: usize,
    /// The levels of the quantiles, each between 0 and 1, ascending.
    pub levels: Vec<f64>,
    /// What is known of the times to come.
    pub calendar: Arc<Calendar>,
    /// Who competes.
    pub methods: Competitors,
}

/// The methods that compete in the backtest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Competitors {
    /// All but those that are [on request](Effort::OnRequest).
    #[default]
    Usual,
    /// Those of these names, and their combination where enough of its members are among them.
    Named(BTreeSet<String>),
}

impl Request {
    /// A request at the usual [`LEVELS`].
    #[must_use]
    pub fn steps(horizon: usize) -> Self {
        Self {
            horizon,
            levels: LEVELS.to_vec(),
            calendar: Arc::default(),
            methods: Competitors::Usual,
        }
    }

    fn competitors(&self) -> Result<Vec<&'static dyn Method>, ForecastError> {
        let all = METHODS.iter().copied();
        match &self.methods {
            Competitors::Usual => Ok(all.filter(|m| m.effort() != Effort::OnRequest).collect()),
            Competitors::Named(names) => {
                let known = |name: &String| METHODS.iter().any(|method| method.name() == name);
                match names.iter().find(|name| !known(name)) {
                    Some(unknown) => Err(ForecastError::UnknownMethod {
                        name: unknown.clone(),
                    }),
                    None => Ok(all.filter(|m| names.contains(m.name())).collect()),
                }
            }
        }
    }
}

/// Why there is no forecast.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ForecastError {
    /// There is less than a forecast can be made from.
    #[error(
        "the series has {present} observations; a forecast needs at least {needed}: give a longer history or a shorter step"
    )]
    TooFewObservations {
        /// How many observations there are.
        present: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The horizon is 0 or longer than [`LONGEST_HORIZON`].
    #[error(
        "the horizon is {steps} steps; it must be 1 to {LONGEST_HORIZON}: choose another horizon or step"
    )]
    Horizon {
        /// The number of steps asked for.
        steps: usize,
    },
    /// There is no level, or they are not ascending within (0, 1).
    #[error(
        "the quantile levels {levels:?} are not ascending numbers between 0 and 1, such as 0.5 and 0.95"
    )]
    Levels {
        /// The levels asked for.
        levels: Vec<f64>,
    },
    /// There is no method of this name.
    #[error(
        "there is no method \"{name}\"; there are {}",
        METHODS.iter().map(|method| method.name()).collect::<Vec<_>>().join(", ")
    )]
    UnknownMethod {
        /// The name that was asked for.
        name: String,
    },
    /// No method could be fitted.
    #[error("no forecasting method fits the series; give a longer history")]
    NoMethod,
}

/// Forecasts `series` by the method that a rolling-origin backtest on it favours.
///
/// Deterministic: equal series and requests give equal bits. The time grows with the length of the
/// history, up to the 28 days that the costly methods look back.
///
/// # Errors
///
/// See [`ForecastError`]; any series of enough observations gives a forecast.
pub fn forecast(series: &Series, request: &Request) -> Result<Forecast, ForecastError> {
    let present = series.observations();
    if present < FEWEST_OBSERVATIONS {
        return Err(ForecastError::TooFewObservations {
            present,
            needed: FEWEST_OBSERVATIONS,
        });
    }
    if request.horizon == 0 || request.horizon > LONGEST_HORIZON {
        return Err(ForecastError::Horizon {
            steps: request.horizon,
        });
    }
    let within = |level: &f64| *level > 0.0 && *level < 1.0;
    let ascending = request.levels.is_sorted_by(|a, b| a < b);
    if request.levels.is_empty() || !request.levels.iter().all(within) || !ascending {
        return Err(ForecastError::Levels {
            levels: request.levels.clone(),
        });
    }
    select::select(series, request, &request.competitors()?)
}

#[cfg(test)]
mod tests;
