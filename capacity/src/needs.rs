//! Needs beside requests: memory, processors and accelerators, each by a forecast of its own.

use std::fmt;

use super::{Capacity, CapacityError, MOST_SLOTS};

/// What a deployment uses of one resource, by its own forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// The resource.
    pub resource: Resource,
    /// What all replicas together will use, in the unit of `per_replica`.
    pub total: f64,
    /// What one replica offers of it, at the utilisation that is aimed at.
    pub per_replica: f64,
}

/// A resource that a replica has so much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Requests per second, sized by waiting time or utilisation.
    Requests,
    /// Busy processors.
    Cpu,
    /// Memory.
    Memory,
    /// Busy accelerators.
    Gpu,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requests => "requests",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Gpu => "gpu",
        })
    }
}

/// The replicas that the tightest resource asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// How many.
    pub replicas: u32,
    /// The resource; of equal ones the first in the order of [`Resource`].
    pub by: Resource,
}

impl Capacity {
    /// The least number of replicas that carries `demand` requests per second and has enough of
    /// every resource.
    ///
    /// # Errors
    ///
    /// As [`Capacity::size`]; and for a need that is not a number, or of which a replica has none.
    pub fn size_for(&self, demand: f64, needs: &[Need]) -> Result<Bound, CapacityError> {
        let mut bound = Bound {
            replicas: self.size(demand)?.replicas,
            by: Resource::Requests,
        };
        let mut needs: Vec<&Need> = needs.iter().collect();
        needs.sort_by_key(|need| need.resource);
        for need in needs {
            let replicas = need.replicas()?;
            if replicas > bound.replicas {
                bound = Bound {
                    replicas,
                    by: need.resource,
                };
            }
        }
        Ok(bound)
    }
}

impl Need {
    /// The replicas that have enough of it.
    ///
    /// # Errors
    ///
    /// When it is not a number, or a replica has none, or more than ten million are needed.
    pub fn replicas(&self) -> Result<u32, CapacityError> {
        let refuse = |name, value, range| CapacityError::OutOfRange { name, value, range };
        if !self.total.is_finite() || self.total < 0.0 {
            return Err(refuse("a need", self.total, "finite and at least 0"));
        }
        if !self.per_replica.is_finite() || self.per_replica <= 0.0 {
            let range = "more than 0";
            return Err(refuse("what a replica offers", self.per_replica, range));
        }
        // A quotient that is whole but for rounding must not cost a replica.
        let replicas = (self.total / self.per_replica * (1.0 - 1e-12)).ceil();
        if replicas > f64::from(MOST_SLOTS) {
            return Err(refuse("a need in replicas", replicas, "at most 10000000"));
        }
        Ok(replicas as u32)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Arrivals, Performance, Target};

    #[test]
    fn the_tightest_resource_sets_the_number() {
        let performance = Performance {
            service_time: Duration::from_millis(100),
            service_p95: None,
            concurrency: 1,
            variability: 1.0,
            startup: Duration::from_secs(180),
        };
        let capacity =
            Capacity::new(performance, Arrivals::default(), Target::Utilisation(0.7)).unwrap();
        let need = |resource, total, per_replica| Need {
            resource,
            total,
            per_replica,
        };
        let bound = |needs: &[Need]| capacity.size_for(70.0, needs);
        let by = |replicas, by| Ok(Bound { replicas, by });
        assert_eq!(bound(&[]), by(10, Resource::Requests));
        let memory = need(Resource::Memory, 200.0, 16.0);
        let cpu = need(Resource::Cpu, 39.0, 3.0);
        assert_eq!(
            bound(std::slice::from_ref(&memory)),
            by(13, Resource::Memory)
        );
        assert_eq!(bound(&[memory, cpu.clone()]), by(13, Resource::Cpu));
        assert_eq!(
            bound(&[need(Resource::Gpu, 7.0, 1.0)]),
            by(10, Resource::Requests)
        );
        for wrong in [
            need(Resource::Gpu, f64::NAN, 1.0),
            need(Resource::Gpu, 1.0, 0.0),
        ] {
            assert!(bound(&[cpu.clone(), wrong]).is_err());
        }
    }
}
