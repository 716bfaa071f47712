//! Why there is no placement, and what would make one.

use std::fmt::Write as _;

use super::fleet::Domain;
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
    /// A zone is not among those of the fleet.
    #[error("there is no zone {zone}; list it among the zones")]
    UnknownZone {
        /// The name.
        zone: String,
    },
    /// The greatest share of spot instances is not from 0 to 1.
    #[error("the greatest share of spot instances is {share}; it must be from 0 to 1")]
    SpotShareOutOfRange {
        /// The share asked for.
        share: f64,
    },
    /// Requests come from more places than are told apart.
    #[error(
        "there are {origins} origins, more than the {} that are told apart; take some together",
        super::fleet::MOST_ORIGINS
    )]
    TooManyOrigins {
        /// How many.
        origins: usize,
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
    /// The loss of a region or provider cannot be survived with fewer than two.
    #[error(
        "survive = \"{0}\" needs zones of at least two {0}s, and all available ones are of {only}; add a zone elsewhere or leave out survive",
        domain.word()
    )]
    SurviveNeedsTwo {
        /// What may be lost.
        domain: Domain,
        /// The one there is.
        only: String,
    },
    /// Every zone is out of the question.
    #[error(
        "no zone can run it: {}; add a zone that can, or lift what rules one out",
        reasons(why)
    )]
    NoZonePermitted {
        /// Every zone, and why not.
        why: Vec<(String, String)>,
    },
    /// Requests from some places have too few zones near enough.
    #[error(
        "{}the requests{} are within the latency bound of no zone; add a zone that is near or raise the latency",
        lost.as_deref().map(|lost| format!("with {lost} lost ")).unwrap_or_default(),
        match origins.is_empty() {
            true => String::new(),
            false => format!(" from {}", origins.join(", ")),
        }
    )]
    OutOfReach {
        /// The places.
        origins: Vec<String>,
        /// What is lost then; none where they are never carried.
        lost: Option<String>,
    },
    /// More zones must run replicas than there are.
    #[error(
        "at least {wanted} zones must run replicas, and {zones} can; add a zone or lower min_zones"
    )]
    TooFewZones {
        /// The fewest zones.
        wanted: u32,
        /// Those that can.
        zones: usize,
    },
    /// Services that each could be placed want more of what they share than there is.
    #[error(
        "{} do not fit together: {}; raise that, or let one of them use other zones or instances",
        services.join(", "),
        shared(limits)
    )]
    SharedLimits {
        /// The services.
        services: Vec<String>,
        /// What runs out.
        limits: Vec<Shared>,
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

/// A limit that services share and that is too small for what each of them would run alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The zone.
    pub zone: String,
    /// The shape.
    pub shape: String,
    /// How many there are.
    pub most: u32,
    /// What set that.
    pub cause: MaximumCause,
    /// How many they would run.
    pub wanted: u32,
}

fn shared(limits: &[Shared]) -> String {
    let texts = limits.iter().map(|limit| {
        let Shared {
            zone,
            shape,
            most,
            cause,
            wanted,
        } = limit;
        format!("of {shape} in {zone} there are {most} ({cause}) and {wanted} are wanted")
    });
    texts.collect::<Vec<_>>().join(", ")
}

fn reasons(why: &[(String, String)]) -> String {
    let texts = why.iter().map(|(zone, why)| format!("{zone}: {why}"));
    texts.collect::<Vec<_>>().join("; ")
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
