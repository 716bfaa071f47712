//! Demand to come: a series in, quantiles over a horizon out, by the method that a backtest chose.

mod backtest;
mod batch;
mod conformal;
pub mod drift;
mod ets;
mod history;
mod mstl;
mod naive;
mod path;
mod pool;
mod protocol;
mod quantiles;
mod seasonal_drift;
mod seasonal_mean;
mod seasonal_naive;
mod series;
mod tally;

pub use self::backtest::{CLEARLY_BETTER, Candidate, Outcome, Score};
pub use self::batch::in_order;
pub use self::history::History;
pub use self::path::Path;
pub use self::pool::POOL;
pub use self::protocol::{Pace, Protocol};
pub use self::quantiles::{Forecast, Note, Peak};
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
pub static METHODS: [&dyn Method; 9] = [
    &naive::Naive,
    &seasonal_naive::SeasonalNaive::DAY,
    &seasonal_naive::SeasonalNaive::WEEK,
    &seasonal_mean::SeasonalMean::DAY,
    &seasonal_mean::SeasonalMean::WEEK,
    &seasonal_drift::SeasonalDrift,
    &ets::Ets,
    &mstl::Mstl::LINEAR,
    &mstl::Mstl::LOGARITHMIC,
];

/// A way to forecast the next values of a series.
pub trait Method: Sync {
    /// The name in reports, such as `seasonal_naive_day`.
    fn name(&self) -> &'static str;

    /// Learns from a history.
    ///
    /// # Errors
    ///
    /// When the history does not suffice for this method.
    fn fit(&self, history: &History) -> Result<Box<dyn Fitted>, Unfit>;
}

/// What a [`Method`] learned.
pub trait Fitted {
    /// The expected values of the `horizon` slots after the history: that many, and not
    /// necessarily within what demand can be; the caller clips.
    fn point(&self, horizon: usize) -> Vec<f64>;
}

/// Why a method does not serve for a series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
        period: &'static str,
    },
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
}

impl Request {
    /// A request at the usual [`LEVELS`].
    pub fn steps(horizon: usize) -> Self {
        Self {
            horizon,
            levels: LEVELS.to_vec(),
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
    backtest::select(series, request, &METHODS)
}

#[cfg(test)]
mod tests;
