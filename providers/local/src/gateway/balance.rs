//! Which version gets a request, and which of its replicas.

use std::collections::BTreeMap;

/// Splits requests between versions in proportion to their weights, as evenly as can be: smooth
/// weighted round robin, as in nginx (commit 52327e0, "Upstream: smooth weighted round-robin
/// balancing"). Each turn every candidate gains its weight, the one that has most is chosen, and
/// pays the sum of all weights. With weights 90 and 10 any ten requests in a row split 9 to 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Split {
    shares: BTreeMap<String, Share>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Share {
    weight: f64,
    credit: f64,
}

impl Split {
    /// A split by these weights. Those that are not above zero get nothing.
    pub(super) fn new(weights: &BTreeMap<String, f64>) -> Self {
        let positive = weights.iter().filter(|(_, weight)| **weight > 0.0);
        let share = |weight: f64| Share {
            weight,
            credit: 0.0,
        };
        Self {
            shares: positive
                .map(|(version, weight)| (version.clone(), share(*weight)))
                .collect(),
        }
    }

    /// The version that gets the next request, out of those for which `is_candidate` holds.
    pub(super) fn next(&mut self, is_candidate: impl Fn(&str) -> bool) -> Option<&str> {
        let mut total = 0.0;
        let mut richest: Option<(&str, &mut Share)> = None;
        for (version, share) in &mut self.shares {
            if !is_candidate(version) {
                continue;
            }
            total += share.weight;
            share.credit += share.weight;
            if richest
                .as_ref()
                .is_none_or(|(_, most)| share.credit > most.credit)
            {
                richest = Some((version, share));
            }
        }
        let (version, share) = richest?;
        share.credit -= total;
        Some(version)
    }
}

/// The position of the least busy replica; among equals the first one after `last` in a circle.
pub(super) fn least_busy(in_flight: &[usize], last: usize) -> Option<usize> {
    let count = in_flight.len();
    (1..=count)
        .map(|distance| (last + distance) % count)
        .min_by_key(|position| in_flight[*position])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Split, least_busy};

    fn split(weights: &[(&str, f64)]) -> Split {
        let weights = weights
            .iter()
            .map(|(version, weight)| ((*version).to_owned(), *weight));
        Split::new(&weights.collect())
    }

    fn counts(split: &mut Split, requests: usize) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for _ in 0..requests {
            *counts
                .entry(split.next(|_| true).unwrap().to_owned())
                .or_default() += 1;
        }
        counts
    }

    #[test]
    fn ninety_to_ten_is_exact_over_any_ten_requests() {
        let mut split = split(&[("1", 90.0), ("2", 10.0)]);
        for _ in 0..10 {
            assert_eq!(
                counts(&mut split, 10),
                [("1".into(), 9), ("2".into(), 1)].into()
            );
        }
        counts(&mut split, 3);
        assert_eq!(
            counts(&mut split, 10),
            [("1".into(), 9), ("2".into(), 1)].into()
        );
    }

    #[test]
    fn a_version_without_weight_or_replica_gets_nothing() {
        let mut split = split(&[("1", 0.0), ("2", 1.0), ("3", 1.0)]);
        assert_eq!(
            counts(&mut split, 10),
            [("2".into(), 5), ("3".into(), 5)].into()
        );
        assert_eq!(split.next(|version| version == "3"), Some("3"));
        assert_eq!(split.next(|version| version == "1"), None);
    }

    #[test]
    fn equals_take_turns_and_the_idle_go_first() {
        assert_eq!(least_busy(&[], 0), None);
        assert_eq!(least_busy(&[0, 0, 0], 0), Some(1));
        assert_eq!(least_busy(&[0, 0, 0], 2), Some(0));
        assert_eq!(least_busy(&[1, 2, 0], 1), Some(2));
        assert_eq!(least_busy(&[1, 2, 2], 1), Some(0));
    }
}
