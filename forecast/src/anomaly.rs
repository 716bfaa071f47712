//! What in a history was not ordinary demand: outages, bursts, a lasting change of level.

use std::ops::Range;

use super::boosting::median;

/// A value below this share of what its slot usually has is missing demand.
const OUT: f64 = 0.02;
/// The share of zeros from which on they are ordinary.
const ORDINARY_ZEROS: f64 = 0.02;
/// A burst exceeds what its slot usually has by so many times the usual deviation, ...
const FAR: f64 = 12.0;
/// ... is more than so many times the usual value, ...
const TIMES: f64 = 3.0;
/// ... and lasts at most so many slots.
const BRIEF: usize = 3;
/// The share of slots in bursts from which on they are ordinary, and must be reckoned with.
const ORDINARY_BURSTS: f64 = 0.003;
/// A level that lasts and is so many times the one before, or as small a part of it, is a shift.
const SHIFT: f64 = 1.6;
/// The days on both sides of a shift.
const SHIFT_DAYS: usize = 3;
/// How many seasons tell what is usual.
const SEASONS: usize = 7;

/// What stands out, by slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Anomalies {
    /// Slots without demand where there always is some.
    pub(super) outages: Vec<Range<usize>>,
    /// Slots of short, high peaks.
    pub(super) bursts: Vec<Range<usize>>,
    /// The first slot of the level that holds now, where it differs much from the one before.
    pub(super) shift: Option<usize>,
}

impl Anomalies {
    /// Of values with a season of so many slots, if there is one.
    pub(super) fn find(slots: &[Option<f64>], season: Option<usize>) -> Self {
        let Some(season) = season.filter(|season| slots.len() >= 4 * season) else {
            return Self::default();
        };
        let usual = usual(slots, season);
        Self {
            outages: outages(slots, &usual),
            bursts: bursts(slots, &usual),
            shift: shift(slots, season),
        }
    }

    /// The values without outages, and bursts cut to what is still usual.
    pub(super) fn without(&self, slots: &[Option<f64>], season: Option<usize>) -> Vec<Option<f64>> {
        let mut cleaned = slots.to_vec();
        for outage in &self.outages {
            cleaned[outage.clone()].fill(None);
        }
        if let Some(season) = season
            && !self.bursts.is_empty()
        {
            let usual = usual(slots, season);
            for slot in self.bursts.iter().cloned().flatten() {
                let bound = TIMES * usual[slot];
                cleaned[slot] = cleaned[slot].map(|value| value.min(bound));
            }
        }
        cleaned
    }

    /// Whether a slot lies in an outage.
    pub(super) fn is_out(&self, slot: usize) -> bool {
        self.outages.iter().any(|outage| outage.contains(&slot))
    }
}

/// For every slot the median of the same slot in the seasons around it.
fn usual(slots: &[Option<f64>], season: usize) -> Vec<f64> {
    let mut around = Vec::with_capacity(SEASONS);
    (0..slots.len())
        .map(|slot| {
            around.clear();
            let first = slot % season + (slot / season).saturating_sub(SEASONS / 2) * season;
            let same = (first..slots.len()).step_by(season).take(SEASONS);
            around.extend(same.filter_map(|slot| slots[slot]));
            median(&mut around)
        })
        .collect()
}

fn runs(flags: impl Iterator<Item = bool>) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (slot, flag) in flags.enumerate() {
        match found.last_mut() {
            Some(run) if flag && run.end == slot => run.end = slot + 1,
            _ if flag => found.push(slot..slot + 1),
            _ => {}
        }
    }
    found
}

fn outages(slots: &[Option<f64>], usual: &[f64]) -> Vec<Range<usize>> {
    let known: Vec<f64> = slots.iter().flatten().copied().collect();
    let typical = median(&mut known.clone());
    let zeros = known
        .iter()
        .filter(|value| **value <= OUT * typical)
        .count();
    if typical <= 0.0 || zeros as f64 > ORDINARY_ZEROS * known.len() as f64 {
        return Vec::new();
    }
    let out = slots.iter().zip(usual).map(|(value, usual)| {
        value.is_some_and(|value| value <= OUT * usual && *usual > OUT * typical)
    });
    runs(out)
}

fn bursts(slots: &[Option<f64>], usual: &[f64]) -> Vec<Range<usize>> {
    let pairs = || slots.iter().zip(usual);
    let mut deviations: Vec<f64> = pairs()
        .filter_map(|(value, usual)| value.map(|value| (value - usual).abs()))
        .collect();
    let deviation = median(&mut deviations);
    if deviation <= 0.0 {
        return Vec::new();
    }
    let high = pairs().map(|(value, usual)| {
        value.is_some_and(|value| value > usual + FAR * deviation && value > TIMES * usual)
    });
    let mut found = runs(high);
    found.retain(|run| run.len() <= BRIEF);
    let share = found.iter().map(Range::len).sum::<usize>() as f64 / slots.len() as f64;
    if share > ORDINARY_BURSTS {
        Vec::new()
    } else {
        found
    }
}

/// The last season from which on the level is another: the medians of the seasons just before and
/// just after differ by [`SHIFT`], and no season behind it comes back to the old level.
fn shift(slots: &[Option<f64>], season: usize) -> Option<usize> {
    let offset = slots.len() % season;
    let levels: Vec<f64> = slots[offset..]
        .chunks_exact(season)
        .map(|season| {
            let known: Vec<f64> = season.iter().flatten().copied().collect();
            known.iter().sum::<f64>() / known.len().max(1) as f64
        })
        .collect();
    let apart = |before: f64, after: f64| {
        before > 0.0 && after > 0.0 && (after / before).ln().abs() > SHIFT.ln()
    };
    let last = levels.len().checked_sub(SHIFT_DAYS)?;
    (SHIFT_DAYS..=last)
        .rev()
        .find(|place| {
            let before = median(&mut levels[place - SHIFT_DAYS..*place].to_vec());
            let since = &levels[*place..];
            let up = since[0] > before;
            since
                .iter()
                .all(|level| apart(before, *level) && (*level > before) == up)
                && !apart(before, levels[place - 1])
        })
        .map(|place| offset + place * season)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(count: usize) -> Vec<Option<f64>> {
        let value = |slot: usize| 10.0 + (slot % 24) as f64 + (slot % 5) as f64 / 10.0;
        (0..24 * count).map(|slot| Some(value(slot))).collect()
    }

    #[test]
    fn ordinary_days_have_none() {
        assert_eq!(Anomalies::find(&days(14), Some(24)), Anomalies::default());
        assert_eq!(Anomalies::find(&days(14), None), Anomalies::default());
        let quiet: Vec<_> = (0..400)
            .map(|slot| Some(f64::from(u8::from(slot % 10 == 0))))
            .collect();
        assert_eq!(Anomalies::find(&quiet, Some(24)), Anomalies::default());
    }

    #[test]
    fn outages_and_bursts_are_found_and_taken_out() {
        let mut slots = days(14);
        slots[100..104].fill(Some(0.0));
        slots[200] = Some(400.0);
        let found = Anomalies::find(&slots, Some(24));
        assert_eq!(found.outages, std::slice::from_ref(&(100..104)));
        assert_eq!(found.bursts, std::slice::from_ref(&(200..201)));
        assert!(found.is_out(103) && !found.is_out(104));
        let cleaned = found.without(&slots, Some(24));
        assert!(cleaned[100..104].iter().all(Option::is_none));
        assert!(cleaned[200].unwrap() < 60.0);
    }

    #[test]
    fn a_level_that_stays_is_a_shift_and_one_that_goes_is_none() {
        let mut slots = days(14);
        slots[240..]
            .iter_mut()
            .flatten()
            .for_each(|value| *value *= 2.5);
        assert_eq!(Anomalies::find(&slots, Some(24)).shift, Some(240));
        slots[300..]
            .iter_mut()
            .flatten()
            .for_each(|value| *value /= 2.5);
        assert_eq!(Anomalies::find(&slots, Some(24)).shift, None);
    }
}
