//! An order of telemetry, and what it was filled with.

use std::time::Duration;

use isobar_sources::{Bands, Extent, Fault, Kept, Reading, Settings, Source, Window};
use jiff::Timestamp;

use super::{Meaning, Series};

/// The history that is asked for where the configuration does not say: four weeks.
const HISTORY: Duration = Duration::from_secs(28 * 86_400);
/// The step that is asked for where the configuration does not say.
pub(crate) const STEP: Duration = Duration::from_secs(300);

/// Telemetry that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The kind of source.
    pub kind: String,
    /// What it is told by the configuration.
    pub settings: Settings,
    /// What its readings mean.
    pub meaning: Meaning,
    /// The forecast that it makes itself, if it can.
    pub engine: Engine,
    /// Whether the last good telemetry will do where the source fails.
    pub last_good: bool,
    /// The present.
    pub now: Timestamp,
}

/// The forecast that a source is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Engine {
    /// How far ahead.
    pub horizon: Duration,
    /// The levels of the quantiles, ascending.
    pub levels: Vec<f64>,
}

/// What an order was filled with.
#[derive(Debug, Clone, PartialEq)]
pub struct Telemetry {
    /// The series.
    pub series: Series,
    /// The forecast of the source itself, in the unit of the series.
    pub bands: Option<Bands>,
    /// Where it comes from and from when to when, for people; without anything secret.
    pub source: String,
    /// Why it is not what the source tells now.
    pub stale: Option<Stale>,
}

/// Why telemetry is not what its source tells now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// When it was taken.
    pub taken: Timestamp,
    /// Why it was not taken now.
    pub reason: Box<TelemetryError>,
}

/// A source that could not be turned into a series: where, what and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}{}: {fault}; {}", fault.line().map(|line| format!(":{line}")).unwrap_or_default(), fault.help())]
pub struct TelemetryError {
    /// Where the readings come from, as the configuration names it.
    pub place: String,
    /// What is wrong.
    pub fault: Fault,
}

impl Order {
    pub(super) fn failed(&self, fault: Fault) -> TelemetryError {
        TelemetryError {
            place: self.kind.clone(),
            fault,
        }
    }

    pub(super) fn window(&self) -> Window {
        let history = self.meaning.history.unwrap_or(HISTORY);
        Window::ending(self.now, self.settings.step, history)
    }

    /// What the readings of this source mean.
    pub(super) fn meaning_of(&self, source: &dyn Source) -> Meaning {
        let mut meaning = self.meaning;
        if source.keeps_step() {
            meaning.step = Some(self.settings.step);
        }
        if source.counts_steps() && !meaning.counter {
            meaning.per = meaning.per.or(Some(self.settings.step));
        }
        meaning
    }

    pub(super) fn telemetry(
        &self,
        source: &dyn Source,
        readings: Vec<Reading>,
    ) -> Result<Telemetry, Fault> {
        if readings.iter().all(|reading| reading.value.is_none())
            && source.extent() == Extent::Windows
        {
            let window = self.window();
            return Err(Fault::Unusable {
                line: None,
                what: format!("there is no value from {} to {}", window.from, window.until),
                help: "check the names in the query, and that `history` reaches back to when something was measured".to_owned(),
            });
        }
        let series = self.meaning_of(source).series(readings)?;
        let place = source.place();
        let source = match source.extent() {
            Extent::Whole => format!("{} {place}", self.kind),
            Extent::Windows => format!(
                "{} {place}, {} to {}",
                self.kind,
                series.start().strftime("%Y-%m-%d %H:%M"),
                series.end().strftime("%Y-%m-%d %H:%M UTC")
            ),
        };
        Ok(Telemetry {
            series,
            bands: None,
            source,
            stale: None,
        })
    }

    /// What was kept, where it is a series.
    pub(super) fn recall(&self, source: &dyn Source, kept: Kept) -> Option<(Timestamp, Telemetry)> {
        let telemetry = self.telemetry(source, kept.readings).ok()?;
        Some((kept.taken, telemetry))
    }

    pub(super) async fn bands(
        &self,
        source: &dyn Source,
        series: &Series,
    ) -> Option<Result<Bands, Fault>> {
        let steps = self.engine.horizon.as_secs_f64() / series.step().as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a ratio of durations; a float beyond usize saturates and is refused as too long"
        )]
        let horizon = (steps.ceil() as usize).max(1);
        let bands = source.forecast(self.window(), horizon, &self.engine.levels)?;
        Some(bands.await)
    }
}
