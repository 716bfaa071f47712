//! Forecasts as a plan file holds them.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::exact::Text;
use crate::plan::FrozenForecast;

#[derive(Serialize, Deserialize)]
pub(super) struct ForecastDocument {
    source: String,
    series_digest: String,
    observations: usize,
    gaps: usize,
    method: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wape: Option<f64>,
    folds: usize,
    start: Text<Timestamp>,
    step_seconds: f64,
    levels: Vec<f64>,
    quantiles: Vec<Vec<f64>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    history: Vec<Option<f64>>,
    notes: Vec<String>,
    expires: Text<Timestamp>,
}

impl From<&FrozenForecast> for ForecastDocument {
    fn from(forecast: &FrozenForecast) -> Self {
        Self {
            source: forecast.source.clone(),
            series_digest: forecast.series_digest.clone(),
            observations: forecast.observations,
            gaps: forecast.gaps,
            method: forecast.method.clone(),
            wape: forecast.wape,
            folds: forecast.folds,
            start: Text(forecast.start),
            step_seconds: forecast.step.as_secs_f64(),
            levels: forecast.levels.clone(),
            quantiles: forecast.quantiles.clone(),
            history: forecast.history.clone(),
            notes: forecast.notes.clone(),
            expires: Text(forecast.expires),
        }
    }
}

impl From<ForecastDocument> for FrozenForecast {
    fn from(document: ForecastDocument) -> Self {
        Self {
            source: document.source,
            series_digest: document.series_digest,
            observations: document.observations,
            gaps: document.gaps,
            method: document.method,
            wape: document.wape,
            folds: document.folds,
            start: document.start.0,
            step: Duration::try_from_secs_f64(document.step_seconds).unwrap_or_default(),
            levels: document.levels,
            quantiles: document.quantiles,
            history: document.history,
            notes: document.notes,
            expires: document.expires.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_forecast_without_a_measured_error_comes_back_without_one() {
        let mut text = json!({
            "source": "bigquery shop.requests", "series_digest": "ab", "observations": 3, "gaps": 0,
            "method": "AI.FORECAST", "folds": 0, "start": "2026-01-01T00:00:00Z",
            "step_seconds": 60.0, "levels": [0.5], "quantiles": [[1.0]], "notes": [],
            "expires": "2026-01-01T04:00:00Z",
        });
        let read =
            |text| FrozenForecast::from(serde_json::from_value::<ForecastDocument>(text).unwrap());
        let frozen = read(text.clone());
        assert_eq!(frozen.wape, None);
        let written = serde_json::to_value(ForecastDocument::from(&frozen)).unwrap();
        assert_eq!(written, text);
        text["wape"] = json!(0.0);
        assert_eq!(read(text).wape, Some(0.0));
    }
}
