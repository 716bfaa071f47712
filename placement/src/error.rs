//! Why there is no placement, and what would make one.

use std::fmt::Write as _;

use super::{MaximumCause, Problem, Survive, Zone, micros};
use isobar_capacity::CapacityError;

/// Why there is no placement.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlacementError {
    /// The demand cannot be sized.
    #[error(transparent)]
    Capacity(#[from] CapacityError),
    /// More replicas in one zone than are searched for.
    #[error(
        "a zone would need {needed} replicas, more than the {} that are placed; use larger replicas or split the deployment",
        super::MOST_REPLICAS
    )]
    TooManyReplicas {
        /// How many.
        needed: u32,
    },
    /// The greatest share of a zone is not above 0 and at most 1.
    #[error("max_zone_share is {share}; it must be above 0 and at most 1")]
    ShareOutOfRange {
        /// The share asked for.
        share: f64,
    },
    /// Two zones have the same name.
    #[error("zone {zone} is listed twice; list every zone once")]
    DuplicateZone {
        /// The name.
        zone: String,
    },
    /// No zone can run replicas.
    #[error("no zone is available; add a zone or wait until one is")]
    NoZone,
    /// The loss of a zone cannot be survived with fewer than two.
    #[error(
        "survive = \"zone\" needs at least two available zones, and there is {}; add a zone or leave out survive",
        only.as_deref().map_or("none".to_owned(), |zone| format!("only {zone}"))
    )]
    SurviveNeedsTwoZones {
        /// The one available zone, if there is one.
        only: Option<String>,
    },
    /// A zone must run more than it may.
    #[error(
        "zone {zone} must run at least {minimum} replicas, but its maximum is {maximum} ({cause}); lower the minimum or raise the maximum"
    )]
    MinimumAboveMaximum {
        /// The zone.
        zone: String,
        /// Its least number.
        minimum: u32,
        /// Its greatest number.
        maximum: u32,
        /// What set the greatest number.
        cause: MaximumCause,
    },
    /// With all zones at their maximum the demand is not met.
    #[error(
        "{}only {carried:.1} of {demand:.1} req/s are carried, limited by {}; {} or add a zone",
        lost.as_deref().map(|zone| format!("with {zone} lost ")).unwrap_or_default(),
        limits(raise),
        remedy(raise, *to)
    )]
    TooFewReplicas {
        /// The zone whose loss is not survived; none where the demand is not met anyway.
        lost: Option<String>,
        /// What is carried, in requests per second.
        carried: f64,
        /// The demand, in requests per second.
        demand: f64,
        /// The maxima that are in the way, by zone name.
        raise: Vec<Raise>,
        /// To what they must be raised, all of them.
        to: u32,
    },
    /// The zones suffice, but not within the greatest share of each.
    #[error(
        "no placement keeps every zone within {:.0} % of the replicas with {zones} available zones and their minima and maxima; raise max_zone_share, add a zone or raise the maxima",
        share * 100.0
    )]
    ShareTooSmall {
        /// The greatest share.
        share: f64,
        /// The number of available zones.
        zones: usize,
    },
}

/// A maximum that is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raise {
    /// The zone.
    pub zone: String,
    /// Its greatest number of replicas.
    pub maximum: u32,
    /// What set it.
    pub cause: MaximumCause,
}

fn limits(raise: &[Raise]) -> String {
    raise
        .iter()
        .enumerate()
        .fold(String::new(), |mut text, (place, raise)| {
            let separator = if place == 0 { "" } else { ", " };
            let Raise {
                zone,
                maximum,
                cause,
            } = raise;
            // Writing to a String cannot fail.
            let _ = write!(text, "{separator}{cause} {maximum} in {zone}");
            text
        })
}

fn remedy(raise: &[Raise], to: u32) -> String {
    match raise {
        [_] => format!("raise it to {to}"),
        _ => format!("raise each to {to}"),
    }
}

impl Problem<'_> {
    /// Why the search found nothing.
    pub(super) fn infeasible(&self) -> PlacementError {
        let available: Vec<&Zone> = self.available().collect();
        if available.is_empty() {
            return PlacementError::NoZone;
        }
        let survive = self.request.survive == Survive::Zone;
        if survive && available.len() < 2 {
            let only = available.first().map(|zone| zone.name.clone());
            return PlacementError::SurviveNeedsTwoZones { only };
        }
        if let Some(zone) = available.iter().find(|zone| zone.minimum > zone.maximum) {
            return PlacementError::MinimumAboveMaximum {
                zone: zone.name.clone(),
                minimum: zone.minimum,
                maximum: zone.maximum,
                cause: zone.maximum_cause,
            };
        }
        let worst = self.worst(&available, 0);
        if micros(worst.carried) >= micros(self.request.demand) {
            // Only a share can be in the way of zones that carry the demand.
            let share = self.request.max_zone_share.unwrap_or(1.0);
            return PlacementError::ShareTooSmall {
                share,
                zones: available.len(),
            };
        }
        self.too_few(&available, worst)
    }

    fn too_few(&self, available: &[&Zone], worst: Worst) -> PlacementError {
        let enough =
            |to: u32| micros(self.worst(available, to).carried) >= micros(self.request.demand);
        // Zones that each carry all the demand are enough, and more is never less.
        let (mut short, mut to) = (0, self.needed);
        while to - short > 1 {
            let middle = short + (to - short) / 2;
            if enough(middle) {
                to = middle;
            } else {
                short = middle;
            }
        }
        let raise = available
            .iter()
            .filter(|zone| zone.maximum < to)
            .map(|zone| Raise {
                zone: zone.name.clone(),
                maximum: zone.maximum,
                cause: zone.maximum_cause,
            });
        PlacementError::TooFewReplicas {
            lost: worst.lost,
            carried: worst.carried,
            demand: self.request.demand,
            raise: raise.collect(),
            to,
        }
    }

    /// What is carried in the worst case that must be survived, where every zone runs its maximum,
    /// raised to at least `raised`.
    fn worst(&self, available: &[&Zone], raised: u32) -> Worst {
        // More than carries all the demand is of no use.
        let replicas = |zone: &Zone| zone.maximum.max(raised).min(self.needed.max(zone.minimum));
        let rate = |zone: &&Zone| self.rate(replicas(zone));
        let total: f64 = available.iter().map(rate).sum();
        let whole = Worst {
            lost: None,
            carried: total,
        };
        let short = micros(total) < micros(self.request.demand);
        if short || self.request.survive == Survive::Nothing {
            return whole;
        }
        available.iter().fold(whole, |worst, zone| {
            let carried = total - rate(zone);
            if micros(carried) < micros(worst.carried) {
                Worst {
                    lost: Some(zone.name.clone()),
                    carried,
                }
            } else {
                worst
            }
        })
    }
}

/// A case that must be survived.
struct Worst {
    lost: Option<String>,
    carried: f64,
}
