//! Target tracking of AWS Application Auto Scaling, one policy in every zone.

use super::{Kind, Policy, View};
use crate::trace::MINUTE;

/// Target of utilisation.
const TARGET: f64 = 0.7;

/// It scales in below this share of the target.
const LOW: f64 = 0.9;

/// Alarms: three minutes above, fifteen minutes below.
const HIGH_MINUTES: usize = 3;
const LOW_MINUTES: usize = 15;

pub(super) const TARGET_TRACKING: Kind = Kind {
    name: "target-tracking",
    about: "AWS target tracking at 70 % busy: out after 3 minutes, in after 15, in every zone",
    build: |_| Ok(Box::new(Tracking { zones: Vec::new() })),
};

/// The minutes in a row with an alarm, by zone.
#[derive(Debug, Clone, Copy, Default)]
struct Alarms {
    sum: f64,
    slots: usize,
    high: usize,
    low: usize,
}

struct Tracking {
    zones: Vec<Alarms>,
}

impl Policy for Tracking {
    fn decide(&mut self, view: &View<'_>, wanted: &mut [u32]) {
        if self.zones.is_empty() {
            self.zones = vec![Alarms::default(); view.zones.len()];
            wanted.fill(view.first(TARGET));
            return;
        }
        for (place, zone) in view.zones.iter().enumerate() {
            let alarms = &mut self.zones[place];
            if !zone.up {
                *alarms = Alarms::default();
                wanted[place] = 0;
                continue;
            }
            wanted[place] = wanted[place].max(1);
            alarms.sum += zone.busy;
            alarms.slots += 1;
            if alarms.slots < MINUTE {
                continue;
            }
            let busy = alarms.sum / MINUTE as f64;
            *alarms = Alarms {
                high: if busy > TARGET { alarms.high + 1 } else { 0 },
                low: if busy < LOW * TARGET {
                    alarms.low + 1
                } else {
                    0
                },
                ..Alarms::default()
            };
            let current = zone.ready + zone.starting;
            let tracked = (f64::from(zone.ready) * busy / TARGET).ceil() as u32;
            if alarms.high >= HIGH_MINUTES {
                wanted[place] = tracked.max(current);
            } else if alarms.low >= LOW_MINUTES {
                wanted[place] = tracked.clamp(1, current.max(1));
                alarms.low = 0;
            }
        }
    }
}
