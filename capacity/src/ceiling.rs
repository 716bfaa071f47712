//! What a replica serves at most for want of another resource than the time of its slots.

use super::{Capacity, CapacityError, Need, Resource};

/// The greatest rate of a replica, and the resource that it runs out of there.
///
/// What requests take of a resource is taken to go where they go: a zone that serves the share s of
/// the demand also takes the share s of every need. A replica that has room for the part p of a
/// need so serves at most the part p of the demand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ceiling {
    /// The resource.
    pub resource: Resource,
    /// Requests per second.
    pub rate: f64,
}

impl Ceiling {
    /// The lowest ceiling that `needs` set, where all of them come with `demand` requests per
    /// second. None where nothing is needed or there are no requests to need it.
    ///
    /// # Errors
    ///
    /// As [`Need::replicas`].
    pub fn of(demand: f64, needs: &[Need]) -> Result<Option<Self>, CapacityError> {
        let mut lowest: Option<Self> = None;
        for need in needs {
            need.replicas()?;
            if need.total <= 0.0 || demand <= 0.0 {
                continue;
            }
            let ceiling = Self {
                resource: need.resource,
                rate: need.per_replica / need.total * demand,
            };
            lowest = Some(ceiling.lower(lowest));
        }
        Ok(lowest)
    }

    /// The lower one of two; of equal ones the first in the order of [`Resource`].
    #[must_use]
    pub fn lower(self, other: Option<Self>) -> Self {
        let key = |ceiling: &Self| (ceiling.rate, ceiling.resource);
        match other {
            Some(other) if key(&other) < key(&self) => other,
            _ => self,
        }
    }

    /// What `replicas` serve at most.
    pub(super) fn of_pool(self, replicas: u32) -> f64 {
        f64::from(replicas) * self.rate
    }

    /// Whether `replicas` may serve `demand`.
    pub(super) fn holds(self, replicas: u32, demand: f64) -> bool {
        // The product's rounding must not cost a replica at exactly the greatest rate.
        demand <= self.of_pool(replicas) * (1.0 + 1e-12)
    }
}

impl Capacity {
    /// The same replicas, each of which serves no more than a ceiling; without one, any number.
    #[must_use]
    pub fn under(self, ceiling: Option<Ceiling>) -> Self {
        Self { ceiling, ..self }
    }

    /// The ceiling where it is what bounds a pool of `replicas`; none where waiting time or
    /// utilisation do.
    #[must_use]
    pub fn deciding(&self, replicas: u32) -> Option<Ceiling> {
        let ceiling = self.ceiling?;
        let free = self.under(None).max_rate(replicas);
        (replicas > 0 && ceiling.of_pool(replicas) < free).then_some(ceiling)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::{Arrivals, Basis, Performance, Slo, Target};

    fn capacity(target: Target) -> Capacity {
        let performance = Performance {
            service_time: Duration::from_millis(100),
            service_p95: None,
            concurrency: 1,
            variability: 1.0,
            startup: Duration::from_secs(180),
        };
        Capacity::new(performance, Arrivals::default(), target).unwrap()
    }

    fn need(resource: Resource, total: f64, per_replica: f64) -> Need {
        Need {
            resource,
            total,
            per_replica,
        }
    }

    #[test]
    fn the_scarcest_resource_bounds_the_rate_of_a_replica() {
        let memory = need(Resource::Memory, 200.0, 16.0);
        let cpu = need(Resource::Cpu, 39.0, 3.0);
        let of = |demand, needs: &[Need]| Ceiling::of(demand, needs).unwrap();
        let ceiling = of(65.0, &[memory.clone(), cpu]).unwrap();
        assert_eq!((ceiling.resource, ceiling.rate), (Resource::Cpu, 5.0));
        assert_eq!(of(65.0, &[]), None);
        assert_eq!(of(0.0, &[memory]), None);
        assert_eq!(of(65.0, &[need(Resource::Gpu, 0.0, 1.0)]), None);
        for wrong in [f64::NAN, f64::INFINITY, -1.0, 1e12] {
            assert!(Ceiling::of(65.0, &[need(Resource::Gpu, wrong, 1.0)]).is_err());
        }
    }

    #[test]
    fn a_pool_is_bounded_by_what_runs_out_first() {
        let free = capacity(Target::Utilisation(0.7));
        let ceiling = Ceiling {
            resource: Resource::Memory,
            rate: 5.0,
        };
        let held = free.under(Some(ceiling));
        assert_eq!((free.max_rate(4), held.max_rate(4)), (28.0, 20.0));
        assert_eq!(held.size(65.0).unwrap().replicas, 13);
        assert_eq!(held.size(65.0).unwrap().basis, Basis::Ceiling(ceiling));
        let high = free.under(Some(Ceiling {
            rate: 8.0,
            ..ceiling
        }));
        assert_eq!(high.size(65.0), free.size(65.0));
        assert_eq!(high.deciding(10), None);
        let elsewhere = held.elsewhere(2.0, Duration::ZERO).unwrap();
        assert_eq!(elsewhere.max_rate(4), 20.0);
    }

    proptest! {
        /// A pool of its size has enough of everything, and one replica fewer has not.
        #[test]
        fn the_size_is_the_most_that_anything_asks_for(
            demand in 0.1..500.0f64,
            total in 0.1..500.0f64,
            per_replica in 0.1..20.0f64,
            latency in any::<bool>(),
        ) {
            let target = match latency {
                true => Target::Latency(Slo { latency: Duration::from_millis(300), violations: 0.01 }),
                false => Target::Utilisation(0.7),
            };
            let free = capacity(target);
            let needs = [need(Resource::Memory, total, per_replica)];
            let held = free.under(Ceiling::of(demand, &needs).unwrap());
            let bound = free.size_for(demand, &needs).unwrap();
            prop_assert_eq!(held.size(demand).unwrap().replicas, bound.replicas);
            let decides = held.deciding(bound.replicas).is_some();
            prop_assert!(decides || bound.by == Resource::Requests);
            prop_assert!(held.max_rate(bound.replicas) >= demand * (1.0 - 1e-6));
        }
    }
}
