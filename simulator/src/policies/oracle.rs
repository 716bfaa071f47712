//! What could be reached by someone who knows the future.

use isobar_capacity::fill_valleys;

use super::{Kind, Policy, View};
use crate::fleet::Start;

pub(super) const ORACLE: Kind = Kind {
    name: "oracle",
    about: "knows the demand: the least cost that keeps the objective, in one pool in the cheapest zone",
    build: |setting| {
        let rates = setting.trace.rates.iter();
        let mut needs: Vec<u32> = rates.map(|rate| setting.sizes.size(*rate)).collect();
        // A start is paid for its startup, so a valley as long costs as much.
        fill_valleys(&mut needs, setting.scenario.startup() as usize);
        let zones = setting.scenario.zones.iter().enumerate();
        let cheapest = zones.min_by(|a, b| a.1.price.total_cmp(&b.1.price));
        Ok(Box::new(Oracle {
            needs,
            zone: cheapest.map_or(0, |(place, _)| place),
        }))
    },
};

struct Oracle {
    needs: Vec<u32>,
    zone: usize,
}

impl Policy for Oracle {
    fn decide(&mut self, view: &View<'_>, wanted: &mut [u32]) {
        wanted.fill(0);
        if let (Some(wanted), Some(need)) = (wanted.get_mut(self.zone), self.needs.get(view.slot)) {
            *wanted = *need;
        }
    }

    fn start(&self) -> Start {
        Start::Foreseen
    }
}
