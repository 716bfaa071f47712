//! Rules that change the counts of variants, and what they did.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Moment;
use super::endpoint::{Endpoint, Variant, Wish};
use super::phase::Phase;
use super::refusal::{Noun, Refusal};
use super::region::{Region, Tags, find};
use super::schedule::Timed;

/// After the cloud could not scale, it tries again after so many seconds.
const RETRY: u32 = 60;
/// Activities that are kept.
const REMEMBERED: usize = 1000;

/// Which count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetKey {
    /// Of this endpoint.
    pub endpoint: String,
    /// Of this variant.
    pub variant: String,
}

impl fmt::Display for TargetKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.endpoint, self.variant)
    }
}

impl Serialize for TargetKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Bounds of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Envelope {
    /// The least.
    pub min: u32,
    /// The most.
    pub max: u32,
}

/// A least and a most, each of them where it is given.
pub type Bounds = (Option<u32>, Option<u32>);

impl Envelope {
    /// The bounds that are given, and the old ones where they are not.
    fn of((min, max): Bounds, old: Option<Self>) -> Result<Self, Refusal> {
        let missing = |which: &str| Refusal::Invalid(format!("the {which} capacity is missing"));
        let min = min.or(old.map(|old| old.min));
        let min = min.ok_or_else(|| missing("minimum"))?;
        let max = max.or(old.map(|old| old.max));
        let max = max.ok_or_else(|| missing("maximum"))?;
        if min > max {
            let reason = format!("the minimum capacity {min} is above the maximum {max}");
            return Err(Refusal::Invalid(reason));
        }
        Ok(Self { min, max })
    }
}

/// What a target does not do for now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Suspension {
    /// Scale in by policy.
    pub scale_in: bool,
    /// Scale out by policy.
    pub scale_out: bool,
    /// Carry out scheduled actions.
    pub scheduled: bool,
}

/// Keeps the load of each instance near a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Policy {
    /// Requests a minute that each instance should get, if that is what the policy is about.
    pub per_instance: Option<f64>,
    /// Seconds after a scale-in before the next change.
    pub cooldown_in: u32,
    /// Seconds after a scale-out before the next change.
    pub cooldown_out: u32,
    /// Whether it never scales in.
    pub grows_only: bool,
    /// What the face wants to remember of it; the engine does not look into it.
    pub document: Value,
    /// When it was made.
    pub created: Timestamp,
}

/// Gives a target other bounds at a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Action {
    /// When.
    pub timed: Timed,
    /// The new least, if it is to change.
    pub min: Option<u32>,
    /// The new most, if it is to change.
    pub max: Option<u32>,
    /// What the face wants to remember of it; the engine does not look into it.
    pub document: Value,
    /// When it was made.
    pub created: Timestamp,
}

/// A variant whose count rules may change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// Its bounds.
    pub envelope: Envelope,
    /// What it does not do for now.
    pub suspension: Suspension,
    /// By name.
    pub policies: BTreeMap<String, Policy>,
    /// By name.
    pub actions: BTreeMap<String, Action>,
    /// No change before, if that is to come.
    pub quiet_until: Option<Timestamp>,
    /// No change by a policy before, if that is to come.
    pub cooling_until: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
    /// Marks on it.
    pub tags: Tags,
}

/// A change of a count that a rule wanted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Activity {
    /// Which count.
    pub key: TargetKey,
    /// To how many.
    pub count: u32,
    /// Why.
    pub cause: String,
    /// When.
    pub at: Timestamp,
    /// Why it did not happen, if it did not.
    pub refused: Option<String>,
}

/// A count that a rule wants.
struct Desire {
    count: u32,
    cause: String,
    /// Seconds before the next change by a policy, if one wanted this.
    cooldown: Option<u32>,
}

impl Target {
    fn desire(&self, endpoint: &Endpoint, variant: &Variant, now: Timestamp) -> Option<Desire> {
        let Envelope { min, max } = self.envelope;
        let bound = |count: u32, which: &str| Desire {
            count,
            cause: format!("{which} capacity was set to {count}"),
            cooldown: None,
        };
        if variant.count < min {
            return Some(bound(min, "minimum"));
        }
        if variant.count > max {
            return Some(bound(max, "maximum"));
        }
        if self.cooling_until.is_some_and(|until| now < until) {
            return None;
        }
        let load = *endpoint.load.get(&variant.name)?;
        self.follow(load, variant.count)
    }

    /// What the policies want at so many requests a minute.
    fn follow(&self, load: f64, current: u32) -> Option<Desire> {
        let Envelope { min, max } = self.envelope;
        // As the service does it: the policy that wants most decides.
        let wishes = self.policies.iter().filter_map(|(name, policy)| {
            let count = (load / policy.per_instance?).ceil().clamp(0.0, 1e6);
            let cause = format!("policy {name} wants {count}");
            // In bounds by the line above.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Some(((count as u32).clamp(min, max), cause, policy))
        });
        let (count, cause, policy) = wishes.max_by_key(|(count, ..)| *count)?;
        let (allowed, cooldown) = match count.cmp(&current) {
            Ordering::Equal => return None,
            Ordering::Greater => (!self.suspension.scale_out, policy.cooldown_out),
            Ordering::Less => {
                let allowed = !self.suspension.scale_in && !policy.grows_only;
                (allowed, policy.cooldown_in)
            }
        };
        allowed.then_some(Desire {
            count,
            cause,
            cooldown: Some(cooldown),
        })
    }
}

/// The variant of an endpoint in service.
fn scalable<'a>(region: &'a Region, key: &TargetKey) -> Option<(&'a Endpoint, &'a Variant)> {
    let endpoint = region.endpoints.get(&key.endpoint)?;
    let named = |variant: &&Variant| variant.name == key.variant;
    let variant = endpoint.fleet.iter().find(named)?;
    (endpoint.phase == Phase::InService).then_some((endpoint, variant))
}

impl Region {
    /// Puts a variant's count under rules, or changes how it is.
    ///
    /// # Errors
    /// It does not exist, has no count, or there are no bounds or ones that make no sense.
    pub fn register_target(
        &mut self,
        key: TargetKey,
        (min, max): Bounds,
        suspension: Option<Suspension>,
        tags: Option<Tags>,
        moment: &Moment,
    ) -> Result<(), Refusal> {
        let endpoint = find(&self.endpoints, Noun::Endpoint, &key.endpoint)?;
        let named = |variant: &&Variant| variant.name == key.variant;
        let variant = endpoint.fleet.iter().find(named);
        if variant.and_then(Variant::instance_type).is_none() {
            return Err(Refusal::Missing {
                noun: Noun::Variant,
                name: key.variant,
            });
        }
        let old = self.targets.get(&key).map(|target| target.envelope);
        let envelope = Envelope::of((min, max), old)?;
        let target = self.targets.entry(key).or_insert_with(|| Target {
            envelope,
            suspension: Suspension::default(),
            policies: BTreeMap::new(),
            actions: BTreeMap::new(),
            quiet_until: None,
            cooling_until: None,
            created: moment.now,
            tags: Tags::new(),
        });
        target.envelope = envelope;
        target.suspension = suspension.unwrap_or(target.suspension);
        target.tags.extend(tags.into_iter().flatten());
        Ok(())
    }

    /// The rules of a variant's count.
    ///
    /// # Errors
    /// There are none.
    pub fn target(&mut self, key: &TargetKey) -> Result<&mut Target, Refusal> {
        self.targets.get_mut(key).ok_or_else(|| Refusal::Missing {
            noun: Noun::Target,
            name: key.to_string(),
        })
    }

    /// Frees a count of its rules.
    ///
    /// # Errors
    /// There are none.
    pub fn deregister_target(&mut self, key: &TargetKey) -> Result<(), Refusal> {
        self.target(key)?;
        self.targets.remove(key);
        Ok(())
    }

    /// When anything happens next by itself, not before `now`.
    pub(super) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let endpoints = self.endpoints.values();
        let endpoints = endpoints.filter_map(|endpoint| endpoint.due(now, &self.conditions));
        let actions = self
            .targets
            .values()
            .flat_map(|target| target.actions.values());
        let actions = actions.filter_map(|action| action.timed.next());
        let targets = self.targets.iter().filter_map(|(key, target)| {
            let (endpoint, variant) = scalable(self, key)?;
            let rests = [target.quiet_until, target.cooling_until];
            let later = rests
                .into_iter()
                .flatten()
                .filter(|until| *until > now)
                .min();
            let quiet = target.quiet_until.is_some_and(|until| until > now);
            let wants = !quiet && target.desire(endpoint, variant, now).is_some();
            if wants { Some(now) } else { later }
        });
        endpoints.chain(actions).chain(targets).min()
    }

    /// Carries out everything that is due.
    pub(super) fn step(&mut self, moment: &Moment) {
        self.settle_endpoints(moment);
        for target in self.targets.values_mut() {
            act(target, moment.now);
        }
        for key in self.targets.keys().cloned().collect::<Vec<_>>() {
            self.scale(key, moment);
        }
    }

    fn scale(&mut self, key: TargetKey, moment: &Moment) -> Option<()> {
        let (endpoint, variant) = scalable(self, &key)?;
        let target = self.targets.get(&key)?;
        if target.quiet_until.is_some_and(|until| moment.now < until) {
            return None;
        }
        let desire = target.desire(endpoint, variant, moment.now)?;
        let wish = Wish {
            variant: key.variant.clone(),
            weight: None,
            count: Some(desire.count),
        };
        let refused = self.adjust_endpoint(&key.endpoint, &[wish], moment).err();
        let target = self.targets.get_mut(&key)?;
        if refused.is_some() {
            target.quiet_until = Some(moment.after(RETRY));
        }
        if let Some(cooldown) = desire.cooldown {
            target.cooling_until = Some(moment.after(cooldown));
        }
        self.activities.push(Activity {
            key,
            count: desire.count,
            cause: desire.cause,
            at: moment.now,
            refused: refused.map(|refusal| refusal.to_string()),
        });
        let excess = self.activities.len().saturating_sub(REMEMBERED);
        self.activities.drain(..excess);
        Some(())
    }
}

/// Carries out the actions of a target that are due, or lets them pass where they are suspended.
/// Bounds that cross each other give way to the one that the action sets.
fn act(target: &mut Target, now: Timestamp) {
    for action in target.actions.values_mut() {
        while action.timed.next().is_some_and(|next| next <= now) {
            action.timed.pass();
            if target.suspension.scheduled {
                continue;
            }
            let Envelope { min, max } = &mut target.envelope;
            if let Some(new) = action.max {
                *max = new;
                *min = (*min).min(new);
            }
            if let Some(new) = action.min {
                *min = new;
                *max = (*max).max(new);
            }
        }
    }
}

/// The time so many seconds before or after another.
pub(super) fn shift(time: Timestamp, seconds: i64) -> Timestamp {
    let moved = time.checked_add(SignedDuration::from_secs(seconds));
    moved.unwrap_or(if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}
