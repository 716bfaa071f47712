//! What there is without any tool: one zone, a fixed number, and a person on call.

use super::fixed::replicas;
use super::{Kind, Policy, View};
use crate::trace::MINUTE;

/// The person starts the replicas elsewhere so many slots after the home zone was seen to be lost.
const REACTION: usize = 15 * MINUTE;

pub(super) const NONE: Kind = Kind {
    name: "none",
    about: "static-p99, all in the home zone; a person moves it 15 minutes after the zone is lost",
    build: |setting| {
        Ok(Box::new(Unmanaged {
            replicas: replicas(setting, 0.99)?,
            lost_since: None,
            interventions: 0,
        }))
    },
};

struct Unmanaged {
    replicas: u32,
    lost_since: Option<usize>,
    interventions: u32,
}

impl Policy for Unmanaged {
    fn decide(&mut self, view: &View<'_>, wanted: &mut [u32]) {
        wanted.fill(0);
        let Some((home, others)) = view.zones.split_first() else {
            return;
        };
        if home.up {
            if self
                .lost_since
                .take()
                .is_some_and(|since| view.slot >= since + REACTION)
            {
                self.interventions += 1;
            }
            wanted[0] = self.replicas;
            // What stands in for home stays until home serves again.
            if home.ready < self.replicas {
                for (zone, wanted) in others.iter().zip(&mut wanted[1..]) {
                    *wanted = zone.ready.min(self.replicas);
                }
            }
            return;
        }
        let since = *self.lost_since.get_or_insert(view.slot);
        if view.slot < since + REACTION {
            return;
        }
        self.interventions += u32::from(view.slot == since + REACTION);
        if let Some(refuge) = others.iter().position(|zone| zone.up) {
            wanted[refuge + 1] = self.replicas;
        }
    }

    fn interventions(&self) -> u32 {
        self.interventions
    }
}
