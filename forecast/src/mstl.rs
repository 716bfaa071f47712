//! Decomposition into seasons and a trend, which exponential smoothing continues.

use std::borrow::Cow;
use std::error::Error;

use augurs_core::{Fit as _, Predict as _};
use augurs_ets::trend::AutoETSTrendModel;
use augurs_mstl::{FittedMSTLModel, FittedTrendModel, MSTLModel, TrendModel};

use super::ets::{failed, latest, scaled, search};
use super::{Fitted, History, Method, Unfit};

/// Multiple seasonal-trend decomposition by LOESS (Bandara, Hyndman and Bergmeir 2021): the day,
/// and the week where two are known; the rest is continued by exponential smoothing.
///
/// On the logarithm seasons multiply instead of add, which suits traffic whose swing grows with its
/// level.
pub(super) struct Mstl {
    name: &'static str,
    space: Space,
}

#[derive(Clone, Copy)]
enum Space {
    Linear,
    Logarithmic,
}

/// Added before the logarithm, as a share of the mean, so that zeros stay finite and small.
const SHIFT: f64 = 0.05;

/// Exponential smoothing of the last part of what the decomposition leaves.
#[derive(Debug)]
struct LatestTrend(AutoETSTrendModel);

impl TrendModel for LatestTrend {
    fn name(&self) -> Cow<'_, str> {
        self.0.name()
    }

    fn fit(&self, values: &[f64]) -> Result<FittedTrend, Box<dyn Error + Send + Sync>> {
        self.0.fit(latest(values))
    }
}

type FittedTrend = Box<dyn FittedTrendModel + Sync + Send>;

struct Decomposed {
    model: FittedMSTLModel,
    scale: f64,
    space: Space,
}

impl Mstl {
    pub(super) const LINEAR: Self = Self {
        name: "mstl_ets",
        space: Space::Linear,
    };
    pub(super) const LOGARITHMIC: Self = Self {
        name: "mstl_ets_log",
        space: Space::Logarithmic,
    };
}

impl Method for Mstl {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fit(&self, history: &History) -> Result<Box<dyn Fitted>, Unfit> {
        let values = history.recent();
        let periods: Vec<usize> = [history.day(), history.week()]
            .into_iter()
            .flatten()
            .filter(|period| values.len() >= 2 * period)
            .collect();
        if periods.is_empty() {
            let shortest = history.day().or(history.week());
            let period = shortest.ok_or(Unfit::NoPeriod { period: "day" })?;
            return Err(Unfit::TooShort {
                needed: 2 * period,
                present: values.len(),
            });
        }
        let (mut values, scale) = scaled(values);
        if matches!(self.space, Space::Logarithmic) {
            values
                .iter_mut()
                .for_each(|value| *value = (*value + SHIFT).ln());
        }
        let model = MSTLModel::new(periods, LatestTrend(search()?.into_trend_model()));
        let model = model.fit(&values).map_err(failed)?;
        Ok(Box::new(Decomposed {
            model,
            scale,
            space: self.space,
        }))
    }
}

impl Fitted for Decomposed {
    fn point(&self, horizon: usize) -> Vec<f64> {
        let point = self
            .model
            .predict(horizon, None)
            .map(|forecast| forecast.point);
        // What fails to predict is scored as not a number, which the backtest refuses.
        let point = point.unwrap_or_else(|_| vec![f64::NAN; horizon]);
        let back = |value: f64| match self.space {
            Space::Linear => value * self.scale,
            Space::Logarithmic => (value.exp() - SHIFT) * self.scale,
        };
        point.into_iter().map(back).collect()
    }
}
