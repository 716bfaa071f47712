//! The M/M/c queue: how likely a request finds every slot busy, and how long it then waits.

use statrs::distribution::{ContinuousCDF, Normal};

/// Erlang's loss formula B(c, a): the chance that an arrival finds all `slots` busy where those who
/// find none leave; `load` is in erlang.
///
/// By the recursion 1/B(n) = 1 + (n/a)·1/B(n-1), which has positive terms only and so loses no
/// precision (Jagerman 1974); time linear in `slots`, at most.
pub fn erlang_b(slots: u32, load: f64) -> f64 {
    if load <= 0.0 {
        return if slots == 0 { 1.0 } else { 0.0 };
    }
    let mut inverse = 1.0;
    for slot in 1..=slots {
        inverse = 1.0 + inverse * f64::from(slot) / load;
        // Beyond the load the inverse only grows, so it stays infinite.
        if inverse.is_infinite() {
            return 0.0;
        }
    }
    1.0 / inverse
}

/// Erlang's waiting formula C(c, a): the chance that an arrival waits, where it may; 1 where the
/// load is not below the number of slots.
pub fn erlang_c(slots: u32, load: f64) -> f64 {
    let count = f64::from(slots);
    if load >= count {
        return 1.0;
    }
    let blocked = erlang_b(slots, load);
    (count * blocked / (count - load * (1.0 - blocked))).clamp(0.0, 1.0)
}

/// The chance to wait longer than `wait` service times, where `variability` is the mean of the
/// squared coefficients of variation of arrivals and services (Allen and Cunneen).
pub(super) fn p_wait_exceeds(slots: u32, load: f64, wait: f64, variability: f64) -> f64 {
    let idle = f64::from(slots) - load;
    if idle <= 0.0 {
        return 1.0;
    }
    // Regular arrivals and services never queue below full load: the limit of the exponential.
    let decay = if variability > 0.0 {
        (-idle * wait / variability).exp()
    } else {
        0.0
    };
    if decay > 0.0 {
        erlang_c(slots, load) * decay
    } else {
        0.0
    }
}

/// The number of slots near which the chance to wait is `share`: a + β√a with β the normal
/// quantile (Halfin and Whitt 1981). A first guess; for long waits it is too high.
pub(super) fn square_root_staffing(load: f64, share: f64) -> f64 {
    let quantile = Normal::standard().inverse_cdf(1.0 - share).max(0.0);
    load + quantile * load.sqrt()
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{Discrete, DiscreteCDF, Poisson};

    use super::*;

    fn assert_close(actual: f64, expected: f64, relative: f64) {
        let error = (actual - expected).abs();
        assert!(
            error <= relative * expected.abs(),
            "{actual} is not {expected}"
        );
    }

    #[test]
    fn textbook_values() {
        assert_close(erlang_b(5, 3.0), 0.110_054, 1e-5);
        assert_close(erlang_b(10, 5.0), 0.018_385, 1e-4);
        assert_close(erlang_b(100, 100.0), 0.075_700, 1e-4);
        assert_close(erlang_c(2, 1.0), 1.0 / 3.0, 1e-12);
        assert_close(erlang_c(5, 4.0), 0.554_113, 1e-5);
        assert_close(erlang_c(10, 8.0), 0.409_18, 1e-4);
        assert_eq!((erlang_c(3, 3.0), erlang_c(0, 0.0)), (1.0, 1.0));
        assert_eq!((erlang_b(0, 2.0), erlang_b(4, 0.0)), (1.0, 0.0));
    }

    #[test]
    fn one_slot_waits_with_the_chance_of_its_utilisation() {
        for load in [0.1, 0.5, 0.9, 0.999] {
            assert_close(erlang_c(1, load), load, 1e-12);
            let wait = 2.5;
            let expected = load * (-(1.0 - load) * wait).exp();
            assert_close(p_wait_exceeds(1, load, wait, 1.0), expected, 1e-12);
        }
    }

    /// B is the chance of c against at most c in the Poisson distribution.
    #[test]
    fn the_recursion_agrees_with_the_poisson_distribution() {
        for load in [0.3, 2.0, 40.0, 1000.0, 100_000.0] {
            let poisson = Poisson::new(load).unwrap();
            for deviations in [-2.0, 0.0, 1.0, 3.0] {
                let slots = (load + deviations * f64::sqrt(load)).max(1.0) as u32;
                let count = u64::from(slots);
                let expected = poisson.pmf(count) / poisson.cdf(count);
                assert_close(erlang_b(slots, load), expected, 1e-7);
            }
        }
    }

    #[test]
    fn many_idle_slots_never_wait() {
        assert!(erlang_c(100_000, 1.0) < 1e-300);
        assert_eq!(p_wait_exceeds(10, 9.0, 0.1, 0.0), 0.0);
        assert_eq!(p_wait_exceeds(10, 10.0, 0.1, 1.0), 1.0);
    }

    #[test]
    fn one_standard_deviation_of_slack_waits_as_halfin_and_whitt_say() {
        let load = 1e6;
        let slots = (load + f64::sqrt(load)) as u32;
        assert_close(erlang_c(slots, load), 0.2234, 2e-3);
    }
}
