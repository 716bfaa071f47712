//! Demand in requests per second to replicas, by the waiting time that requests may have.

mod ceiling;
mod erlang;
mod hold;
mod lead;
mod needs;
mod price;
mod schedule;
mod valley;

use std::time::Duration;

pub use self::ceiling::Ceiling;
pub use self::erlang::{erlang_b, erlang_c};
pub use self::hold::{Hold, USUAL_HOLD};
pub use self::lead::Lead;
pub use self::needs::{Bound, Need, Resource};
pub use self::price::{Stakes, Trial, cheapest_within};
pub use self::schedule::{Band, Load, Schedule, Stage};
pub use self::valley::fill_valleys;

/// The share of time that slots are busy where no latency objective says otherwise.
pub const DEFAULT_UTILISATION: f64 = 0.7;

/// The most slots that are sized for.
pub const MOST_SLOTS: u32 = 10_000_000;

/// How precisely [`Capacity::max_rate`] finds the greatest rate, relative to it.
const RATE_PRECISION: f64 = 1e-7;

/// What one replica can do, as measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Performance {
    /// The mean time that a slot is busy with a request.
    pub service_time: Duration,
    /// The time within which 95 % of requests are served once started; `None` takes the mean.
    pub service_p95: Option<Duration>,
    /// How many requests a replica serves at once (its slots).
    pub concurrency: u32,
    /// The squared coefficient of variation of the service time: 0 constant, 1 exponential.
    pub variability: f64,
    /// From the order of a replica until it is ready.
    pub startup: Duration,
}

/// How requests arrive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrivals {
    /// The squared coefficient of variation of the time between requests: 1 for independent users,
    /// more for bursts.
    pub variability: f64,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self { variability: 1.0 }
    }
}

/// A latency objective: at most the share `violations` of requests may take longer than `latency`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slo {
    /// The latency, from arrival to answer.
    pub latency: Duration,
    /// The share of requests that may be slower, between 0 and 1.
    pub violations: f64,
}

/// What the number of replicas is chosen for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// The least that keeps a latency objective.
    Latency(Slo),
    /// The least that keeps the share of busy slots at or below this, above 0 and below 1.
    Utilisation(f64),
}

impl Default for Target {
    fn default() -> Self {
        Self::Utilisation(DEFAULT_UTILISATION)
    }
}

/// Replicas of one kind behind one queue, sized for one target.
///
/// All replicas of a pool serve from one queue, as behind a gateway that sends a request to a free
/// slot. The waiting time is that of the M/M/c queue with the correction of Allen and Cunneen for
/// other arrivals and services (Allen, *Probability, Statistics and Queueing Theory*, 1990): the
/// chance to wait longer than t is C(c, a)·exp(-2(cμ-λ)t / (Ca²+Cs²)).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    performance: Performance,
    arrivals: Arrivals,
    target: Target,
    /// What a replica may serve at most for want of another resource.
    ceiling: Option<Ceiling>,
}

/// How many replicas a demand needs, with the numbers that say why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizing {
    /// The demand, in requests per second.
    pub demand: f64,
    /// The least number of replicas that meets the target.
    pub replicas: u32,
    /// The requests that they serve at once.
    pub slots: u32,
    /// The mean number of busy slots, in erlang: demand times service time.
    pub offered_load: f64,
    /// The share of busy slots.
    pub utilisation: f64,
    /// The demand that a replica carries in a pool of this size within the target.
    pub rate_per_replica: f64,
    /// What made the number.
    pub basis: Basis,
}

/// The distribution of the time that requests wait for a slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Waiting {
    /// The chance to wait at all.
    pub chance: f64,
    /// By how much that falls with every second of waiting: the rate of the exponential
    /// distribution of those that wait; 0 at or beyond full load, where waits have no bound.
    pub decay: f64,
}

impl Waiting {
    /// The chance to wait longer than `wait` seconds, which must be more than 0 or the chance to
    /// wait at all.
    #[must_use]
    pub fn exceeds(&self, wait: f64) -> f64 {
        if wait <= 0.0 {
            return self.chance;
        }
        self.chance * (-self.decay * wait).exp()
    }
}

/// The rule behind a [`Sizing`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Basis {
    /// A latency objective.
    Latency {
        /// How long a request may wait for a slot: the latency less the service time.
        wait: Duration,
        /// The share of requests that may wait longer.
        violations: f64,
        /// The share that does.
        p_wait_exceeds: f64,
    },
    /// A utilisation.
    Utilisation {
        /// The share of busy slots aimed at.
        target: f64,
    },
    /// Another resource than the time of its slots.
    Ceiling(Ceiling),
}

/// Why there is no capacity plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CapacityError {
    /// A request cannot be served in time even by an idle replica.
    #[error(
        "the service time {service:?} is not below the latency objective {latency:?}, so no number of replicas meets it; raise the latency or serve faster"
    )]
    ImpossibleSlo {
        /// The time that serving takes.
        service: Duration,
        /// The latency asked for.
        latency: Duration,
    },
    /// A setting is outside of its range.
    #[error("{name} is {value}; it must be {range}")]
    OutOfRange {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        range: &'static str,
    },
    /// The demand needs more than [`MOST_SLOTS`].
    #[error(
        "a demand of {demand} requests/s keeps {load:.0} slots busy, more than the {MOST_SLOTS} that are sized for; check the unit of the demand and the service time"
    )]
    TooMuch {
        /// The demand, in requests per second.
        demand: f64,
        /// The mean number of busy slots.
        load: f64,
    },
}

impl Capacity {
    /// Replicas of this performance under these arrivals, to be sized for `target`.
    ///
    /// # Errors
    ///
    /// When a setting is outside of its range, or the latency objective is out of reach.
    pub fn new(
        performance: Performance,
        arrivals: Arrivals,
        target: Target,
    ) -> Result<Self, CapacityError> {
        let capacity = Self {
            performance,
            arrivals,
            target,
            ceiling: None,
        };
        capacity.check_performance()?;
        let share = |name, value: f64| {
            within(
                name,
                value,
                value > 0.0 && value < 1.0,
                "between 0 and 1, both excluded",
            )
        };
        match target {
            Target::Utilisation(utilisation) => share("utilisation", utilisation)?,
            Target::Latency(slo) => {
                share("violations", slo.violations)?;
                let service = capacity.service_for_latency();
                if service >= slo.latency {
                    return Err(CapacityError::ImpossibleSlo {
                        service,
                        latency: slo.latency,
                    });
                }
            }
        }
        Ok(capacity)
    }

    fn check_performance(&self) -> Result<(), CapacityError> {
        let Performance {
            service_time,
            concurrency,
            variability,
            ..
        } = self.performance;
        let service = service_time.as_secs_f64();
        within(
            "service_time",
            service,
            service > 0.0,
            "more than 0 seconds",
        )?;
        let possible = (1..=MOST_SLOTS).contains(&concurrency);
        within(
            "concurrency",
            f64::from(concurrency),
            possible,
            "1 to 10000000",
        )?;
        for (name, value) in [
            ("the variability of the service", variability),
            ("the variability of the arrivals", self.arrivals.variability),
        ] {
            within(
                name,
                value,
                value.is_finite() && value >= 0.0,
                "finite and at least 0",
            )?;
        }
        Ok(())
    }

    /// The same replicas on instances that serve `speed` times as fast, for requests that are
    /// `travel` on their way there and back: what travel takes is missing from the objective.
    ///
    /// # Errors
    ///
    /// When the speed is not above 0, or the objective is then out of reach.
    pub fn elsewhere(&self, speed: f64, travel: Duration) -> Result<Self, CapacityError> {
        within("speed", speed, speed.is_finite() && speed > 0.0, "above 0")?;
        let faster = |time: Duration| {
            Duration::try_from_secs_f64(time.as_secs_f64() / speed).unwrap_or(Duration::MAX)
        };
        let mut performance = self.performance;
        if speed != 1.0 {
            performance.service_time = faster(performance.service_time);
            performance.service_p95 = performance.service_p95.map(faster);
        }
        let target = match self.target {
            Target::Latency(slo) => Target::Latency(Slo {
                latency: slo.latency.saturating_sub(travel),
                ..slo
            }),
            utilisation @ Target::Utilisation(_) => utilisation,
        };
        let elsewhere = Self::new(performance, self.arrivals, target)?;
        Ok(elsewhere.under(self.ceiling))
    }

    /// What one replica can do.
    pub fn performance(&self) -> &Performance {
        &self.performance
    }

    /// What the number of replicas is chosen for.
    pub fn target(&self) -> Target {
        self.target
    }

    /// The least number of replicas in one pool that carries `demand` requests per second.
    ///
    /// # Errors
    ///
    /// When the demand is not a rate or needs more than [`MOST_SLOTS`].
    pub fn size(&self, demand: f64) -> Result<Sizing, CapacityError> {
        within(
            "demand",
            demand,
            demand.is_finite() && demand >= 0.0,
            "finite and at least 0",
        )?;
        let load = demand * self.performance.service_time.as_secs_f64();
        let most = MOST_SLOTS / self.performance.concurrency;
        let too_much = CapacityError::TooMuch { demand, load };
        let (mut enough, mut short) = match demand {
            0.0 => (0, None),
            _ => {
                let start = erlang::square_root_staffing(load, self.share_allowed());
                let start = start / f64::from(self.performance.concurrency);
                ((start.ceil().max(1.0) as u32).min(most), Some(0))
            }
        };
        // A replica count is enough from some number on, so doubling and halving find the least.
        while !self.carries(enough, demand) {
            if enough == most {
                return Err(too_much);
            }
            short = Some(enough);
            enough = enough.saturating_mul(2).min(most);
        }
        while let Some(low) = short
            && enough - low > 1
        {
            let middle = low + (enough - low) / 2;
            if self.carries(middle, demand) {
                enough = middle;
            } else {
                short = Some(middle);
            }
        }
        Ok(self.sizing(enough, demand))
    }

    /// The greatest demand, in requests per second, that one pool of `replicas` carries within the
    /// target; exact to 1e-7 of it and never above it.
    pub fn max_rate(&self, replicas: u32) -> f64 {
        let slots = f64::from(self.slots(replicas));
        let full = slots / self.performance.service_time.as_secs_f64();
        let held = self
            .ceiling
            .map_or(f64::INFINITY, |ceiling| ceiling.of_pool(replicas));
        if let Target::Utilisation(target) = self.target {
            return (full * target).min(held);
        }
        let (mut low, mut high) = (0.0, full.min(held));
        if self.carries(replicas, high) {
            return high;
        }
        while high - low > RATE_PRECISION * high {
            let middle = low + (high - low) / 2.0;
            if self.carries(replicas, middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// How long requests wait for a slot in a pool of `replicas` at `demand` requests per second.
    #[must_use]
    pub fn waiting(&self, replicas: u32, demand: f64) -> Waiting {
        let service = self.performance.service_time.as_secs_f64();
        let variability = (self.arrivals.variability + self.performance.variability) / 2.0;
        let slots = self.slots(replicas);
        let idle = (f64::from(slots) - demand * service).max(0.0);
        Waiting {
            chance: erlang_c(slots, demand * service),
            decay: idle / variability / service,
        }
    }

    /// The slots of a pool of `replicas`.
    fn slots(&self, replicas: u32) -> u32 {
        replicas.saturating_mul(self.performance.concurrency)
    }

    /// Whether a pool of `replicas` meets the target at `demand`.
    fn carries(&self, replicas: u32, demand: f64) -> bool {
        let slots = self.slots(replicas);
        let load = demand * self.performance.service_time.as_secs_f64();
        match self.target {
            _ if demand <= 0.0 => true,
            _ if load >= f64::from(slots) => false,
            _ if self
                .ceiling
                .is_some_and(|ceiling| !ceiling.holds(replicas, demand)) =>
            {
                false
            }
            // The product's rounding must not cost a replica at exactly the greatest rate.
            Target::Utilisation(target) => load <= f64::from(slots) * target * (1.0 + 1e-12),
            Target::Latency(slo) => self.p_wait_exceeds(slots, load, slo) <= slo.violations,
        }
    }

    /// The chance that a request waits for a slot longer than the objective leaves.
    fn p_wait_exceeds(&self, slots: u32, load: f64, slo: Slo) -> f64 {
        let variability = (self.arrivals.variability + self.performance.variability) / 2.0;
        let wait = self.wait(slo).as_secs_f64() / self.performance.service_time.as_secs_f64();
        erlang::p_wait_exceeds(slots, load, wait, variability)
    }

    /// The time of the objective that is left for waiting.
    fn wait(&self, slo: Slo) -> Duration {
        slo.latency.saturating_sub(self.service_for_latency())
    }

    /// The service time that counts against a latency objective.
    fn service_for_latency(&self) -> Duration {
        self.performance
            .service_p95
            .unwrap_or(self.performance.service_time)
    }

    /// A share for the first guess of the search.
    fn share_allowed(&self) -> f64 {
        match self.target {
            Target::Latency(slo) => slo.violations,
            Target::Utilisation(_) => 0.5,
        }
    }

    fn sizing(&self, replicas: u32, demand: f64) -> Sizing {
        let slots = self.slots(replicas);
        let offered_load = demand * self.performance.service_time.as_secs_f64();
        let basis = match (self.deciding(replicas), self.target) {
            (Some(ceiling), _) => Basis::Ceiling(ceiling),
            (None, Target::Utilisation(target)) => Basis::Utilisation { target },
            (None, Target::Latency(slo)) => Basis::Latency {
                wait: self.wait(slo),
                violations: slo.violations,
                p_wait_exceeds: self.p_wait_exceeds(slots, offered_load, slo),
            },
        };
        Sizing {
            demand,
            replicas,
            slots,
            offered_load,
            utilisation: if slots > 0 {
                offered_load / f64::from(slots)
            } else {
                0.0
            },
            rate_per_replica: self.max_rate(replicas.max(1)) / f64::from(replicas.max(1)),
            basis,
        }
    }
}

fn within(
    name: &'static str,
    value: f64,
    holds: bool,
    range: &'static str,
) -> Result<(), CapacityError> {
    if holds {
        Ok(())
    } else {
        Err(CapacityError::OutOfRange { name, value, range })
    }
}

#[cfg(test)]
mod tests;
