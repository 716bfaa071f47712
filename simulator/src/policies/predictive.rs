//! Predictive scaling of AWS: an hourly floor from the last two weeks, and an autoscaler above it.

use super::hpa::Hpa;
use super::{Kind, Policy, Setting, View};
use crate::trace::{DAY, HOUR, MINUTE};

/// Target of utilisation.
const TARGET: f64 = 0.7;

/// At most so many days are looked back.
const DAYS: usize = 14;

/// Replicas are started so many slots before the hour: the buffer of 300 s.
const BUFFER: usize = 5 * MINUTE;

/// The forecast is made anew every six hours.
const REFRESH: usize = 6 * HOUR;

pub(super) const AWS_PREDICTIVE: Kind = Kind {
    name: "aws-predictive",
    about: "AWS predictive scaling: an hourly floor from the last 14 days, which only adds to hpa",
    build: |setting| Ok(Box::new(Predictive::new(setting))),
};

struct Predictive {
    hpa: Hpa,
    service: f64,
    made: Option<usize>,
    /// By hour of the day: the load in erlang and replica.
    floors: Vec<f64>,
}

impl Predictive {
    fn new(setting: &Setting<'_>) -> Self {
        let performance = &setting.scenario.service.performance;
        let slots = f64::from(performance.concurrency);
        Self {
            hpa: Hpa::new(TARGET),
            service: performance.service_time.as_secs_f64() / slots,
            made: None,
            floors: Vec::new(),
        }
    }

    /// For every hour of the day the mean of its greatest rates in the last days; nothing with less
    /// than a day of data.
    fn forecast(&mut self, rates: &[f64]) {
        let hour = |hour: usize| {
            let days = rates.len().div_ceil(DAY);
            let of_day = |day: usize| rates.get(day * DAY + hour * HOUR..)?.get(..HOUR);
            let last = (0..days).rev().filter_map(of_day).take(DAYS);
            let peaks: Vec<f64> = last
                .map(|rates| rates.iter().copied().fold(0.0, f64::max))
                .collect();
            peaks.iter().sum::<f64>() / peaks.len().max(1) as f64 * self.service / TARGET
        };
        self.floors = if rates.len() < DAY {
            Vec::new()
        } else {
            (0..24).map(hour).collect()
        };
    }
}

impl Policy for Predictive {
    fn decide(&mut self, view: &View<'_>, wanted: &mut [u32]) {
        if self.made.is_none_or(|made| view.slot >= made + REFRESH) {
            self.made = Some(view.slot);
            self.forecast(view.rates);
        }
        self.hpa.decide(view, wanted);
        let up = view.zones.iter().filter(|zone| zone.up).count().max(1) as f64;
        let hours = [view.slot, view.slot + BUFFER].map(|slot| slot / HOUR % 24);
        let floors = hours.iter().filter_map(|hour| self.floors.get(*hour));
        let floor = (floors.copied().fold(0.0, f64::max) / up).ceil() as u32;
        for (zone, wanted) in view.zones.iter().zip(wanted) {
            if zone.up {
                *wanted = (*wanted).max(floor);
            }
        }
    }
}
