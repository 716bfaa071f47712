//! Decomposition into seasons and a trend, which exponential smoothing or an autoregression
//! continues.

use super::arima::Model;
use super::ets::{FEWEST, Smoothed, latest};
use super::{Effort, Fitted, History, Method, Unfit};

/// Multiple seasonal-trend decomposition by LOESS (Bandara, Hyndman and Bergmeir 2021): the day,
/// and the week where two are known; the last season is repeated, and what is left is continued.
///
/// On the logarithm seasons multiply instead of add, which suits traffic whose swing grows with its
/// level.
pub(super) struct Mstl {
    name: &'static str,
    space: Space,
    rest: Rest,
}

#[derive(Clone, Copy)]
enum Space {
    Linear,
    Logarithmic,
}

/// What continues the trend and the remainder.
#[derive(Clone, Copy)]
enum Rest {
    Smoothing,
    Autoregression,
}

/// Added before the logarithm, as a share of the mean, so that zeros stay finite and small.
const SHIFT: f64 = 0.05;

impl Mstl {
    pub(super) const LINEAR: Self = Self {
        name: "mstl_ets",
        space: Space::Linear,
        rest: Rest::Smoothing,
    };
    pub(super) const LOGARITHMIC: Self = Self {
        name: "mstl_ets_log",
        space: Space::Logarithmic,
        rest: Rest::Smoothing,
    };
    pub(super) const AUTOREGRESSIVE: Self = Self {
        name: "mstl_arima",
        space: Space::Linear,
        rest: Rest::Autoregression,
    };
}

struct Decomposed {
    /// The last season of every component.
    seasons: Vec<Vec<f64>>,
    rest: Continued,
    scale: f64,
    space: Space,
}

enum Continued {
    Smoothed(Smoothed),
    Regressed(Model),
}

impl Method for Mstl {
    fn name(&self) -> &'static str {
        self.name
    }

    fn effort(&self) -> Effort {
        match self.rest {
            Rest::Smoothing => Effort::Light,
            // It differs little from the others, and would be a second voice of their kind.
            Rest::Autoregression => Effort::OnRequest,
        }
    }

    fn fit(&self, history: &History, _: usize) -> Result<Box<dyn Fitted>, Unfit> {
        let values = history.recent();
        let periods = history.seasons();
        if periods.is_empty() || values.len() < FEWEST {
            let shortest = history.day().or(history.week());
            let period = shortest.ok_or(Unfit::NoPeriod { period: "day" })?;
            return Err(Unfit::TooShort {
                needed: FEWEST.max(2 * period),
                present: values.len(),
            });
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let scale = if mean > 0.0 { mean } else { 1.0 };
        let enter = |value: &f64| match self.space {
            Space::Linear => value / scale,
            Space::Logarithmic => (value / scale + SHIFT).ln(),
        };
        let values: Vec<f64> = values.iter().map(enter).collect();
        let parts = stlrs::Mstl::fit(&values, &periods).map_err(|error| Unfit::Failed {
            reason: error.to_string(),
        })?;
        let rest = parts.trend().iter().zip(parts.remainder());
        let rest: Vec<f64> = rest.map(|(trend, remainder)| trend + remainder).collect();
        let seasons = parts.seasonal().iter().zip(&periods);
        Ok(Box::new(Decomposed {
            seasons: seasons
                .map(|(season, period)| season[season.len() - period..].to_vec())
                .collect(),
            rest: self.rest(latest(&rest)),
            scale,
            space: self.space,
        }))
    }
}

impl Mstl {
    fn rest(&self, rest: &[f64]) -> Continued {
        let regressed = match self.rest {
            Rest::Smoothing => None,
            Rest::Autoregression => Model::choose(rest, None),
        };
        regressed.map_or_else(
            || Continued::Smoothed(Smoothed::choose(rest, None)),
            Continued::Regressed,
        )
    }
}

impl Fitted for Decomposed {
    fn point(&self, _: &History, horizon: usize) -> Vec<f64> {
        let mut path = match &self.rest {
            Continued::Smoothed(model) => model.ahead(horizon),
            Continued::Regressed(model) => model.predict(horizon),
        };
        for season in &self.seasons {
            for (value, seasonal) in path.iter_mut().zip(season.iter().cycle()) {
                *value += seasonal;
            }
        }
        let leave = |value: f64| match self.space {
            Space::Linear => value * self.scale,
            Space::Logarithmic => (value.exp() - SHIFT) * self.scale,
        };
        path.into_iter().map(leave).collect()
    }
}
