//! The autoscaler of Kubernetes, one in every zone.

use std::collections::VecDeque;

use super::{Kind, Policy, View, ZoneView};
use crate::trace::MINUTE;

/// Usual target of utilisation.
const TARGET: f64 = 0.7;

/// Ratios this near to 1 change nothing.
const TOLERANCE: f64 = 0.1;

/// Scale in only to the greatest recommendation of five minutes.
const STABILISATION: usize = 5 * MINUTE;

pub(super) const HPA: Kind = Kind {
    name: "hpa",
    about: "Kubernetes' autoscaler at 70 % busy, with its defaults, in every zone",
    build: |_| Ok(Box::new(Hpa::new(TARGET))),
};

/// Its defaults: every 15 s; tolerance 0.1; at most twice as many, or 4 more, at once; down after
/// 300 s.
pub(super) struct Hpa {
    target: f64,
    zones: Vec<VecDeque<u32>>,
}

impl Hpa {
    pub(super) fn new(target: f64) -> Self {
        Self {
            target,
            zones: Vec::new(),
        }
    }

    /// The replicas for what is busy: those that start count as idle, and where that turns the
    /// decision round nothing changes.
    fn recommendation(target: f64, zone: &ZoneView) -> u32 {
        let current = zone.ready + zone.starting;
        if zone.ready == 0 {
            return current.max(1);
        }
        let used = zone.busy * f64::from(zone.ready) / target;
        let ratio = zone.busy / target;
        if (ratio - 1.0).abs() <= TOLERANCE {
            return current;
        }
        let with_starting = used / f64::from(current);
        if ratio > 1.0 && with_starting <= 1.0 + TOLERANCE {
            return current;
        }
        (used.ceil() as u32).max(1)
    }
}

impl Policy for Hpa {
    fn decide(&mut self, view: &View<'_>, wanted: &mut [u32]) {
        if self.zones.is_empty() {
            // It begins with what it would have come to.
            self.zones = vec![VecDeque::new(); view.zones.len()];
            wanted.fill(view.first(self.target));
            return;
        }
        for (place, zone) in view.zones.iter().enumerate() {
            let recent = &mut self.zones[place];
            if !zone.up {
                recent.clear();
                wanted[place] = 0;
                continue;
            }
            let current = zone.ready + zone.starting;
            let recommended = Self::recommendation(self.target, zone);
            recent.push_back(recommended);
            if recent.len() > STABILISATION {
                recent.pop_front();
            }
            let stable = recent.iter().copied().max().unwrap_or(recommended);
            let most = (2 * current).max(current + 4);
            wanted[place] = if recommended > current {
                recommended.min(most)
            } else {
                stable.min(current).max(1)
            };
        }
    }
}
