//! What pools of every size carry, computed once.

use std::sync::Arc;
use std::time::Duration;

use isobar_capacity::{Capacity, CapacityError};

use super::waiting::{Tables, Waiting};

/// The greatest rates of pools in ascending order, and so the size for any demand.
#[derive(Debug, Clone)]
pub struct Sizes {
    capacity: Capacity,
    rates: Arc<[f64]>,
    tables: Tables,
}

impl Sizes {
    /// Sizes for demands up to `greatest` requests per second; greater ones are computed when asked
    /// for.
    ///
    /// # Errors
    ///
    /// When that demand cannot be sized for.
    pub fn new(capacity: Capacity, greatest: f64) -> Result<Self, CapacityError> {
        let most = capacity.size(greatest)?.replicas;
        let rates = (0..=most).map(|replicas| capacity.max_rate(replicas));
        Ok(Self {
            capacity,
            rates: rates.collect(),
            tables: Tables::default(),
        })
    }

    /// The same, up to twice `greatest`, since quantiles of a demand lie beyond it.
    #[must_use]
    pub fn reaching(&self, greatest: f64) -> Self {
        let most = self
            .capacity
            .size(2.0 * greatest)
            .map_or(0, |sizing| sizing.replicas);
        let known = self.rates.iter().copied();
        let first = u32::try_from(self.rates.len()).unwrap_or(u32::MAX);
        if first > most {
            return self.clone();
        }
        let more = (first..=most).map(|replicas| self.capacity.max_rate(replicas));
        Self {
            rates: known.chain(more).collect(),
            ..self.clone()
        }
    }

    /// The least pool that carries `demand`; the greatest there can be where none does.
    #[must_use]
    pub fn size(&self, demand: f64) -> u32 {
        let size = self.rates.partition_point(|rate| *rate < demand);
        if size < self.rates.len() {
            return u32::try_from(size).unwrap_or(u32::MAX);
        }
        let sized = self.capacity.size(demand.max(0.0));
        sized.map_or(isobar_capacity::MOST_SLOTS, |sizing| sizing.replicas)
    }

    /// What a pool carries.
    #[must_use]
    pub fn rate(&self, replicas: u32) -> f64 {
        let known = self.rates.get(replicas as usize).copied();
        known.unwrap_or_else(|| self.capacity.max_rate(replicas))
    }

    /// How long requests wait in pools, where they may wait this long.
    pub(super) fn waiting(&self, slack: Duration) -> Arc<Waiting> {
        self.tables.of(self.capacity, slack)
    }

    /// How pools are sized.
    #[must_use]
    pub fn capacity(&self) -> &Capacity {
        &self.capacity
    }
}
