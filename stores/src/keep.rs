//! How many versions of a state stay in its place.

use jiff::{SignedDuration, Timestamp};

use crate::head::Version;

/// Versions that stay however old they are, or whatever the clock says.
const FEWEST: usize = 5;

/// The bounds of what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// So many versions, at least one: the newest is the state.
    pub count: usize,
    /// Not longer than this.
    pub age: SignedDuration,
    /// What all of them together may take, in bytes; the newest few may take more.
    pub room: u64,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            count: 50,
            age: SignedDuration::from_hours(90 * 24),
            room: 256 << 20,
        }
    }
}

impl Keep {
    /// So many versions, within the usual age and size.
    #[must_use]
    pub fn of(count: usize) -> Self {
        Self {
            count,
            ..Self::default()
        }
    }

    /// Lets go of the oldest beyond the bounds. The order is that in which they were written,
    /// whatever the clock says.
    pub(crate) fn bound(&self, versions: &mut Vec<Version>, now: Timestamp) {
        let count = self.count.max(1);
        let newest_first = versions.iter().rev().enumerate();
        let mut room = self.room;
        let mut kept: Vec<bool> = newest_first
            .map(|(place, version)| {
                let fits = room >= version.stored;
                room = room.saturating_sub(version.stored);
                let old = now.duration_since(version.at) > self.age;
                place < FEWEST.min(count) || (place < count && fits && !old)
            })
            .collect();
        versions.retain(|_| kept.pop().unwrap_or(true));
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::Keep;
    use crate::head::{Entry, Version};

    fn version(serial: u64, days: i64, stored: u64) -> Version {
        Version {
            name: serial.to_string(),
            digest: String::new(),
            stored,
            operation: "apply".to_owned(),
            who: "ann@host".to_owned(),
            at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * days),
            entry: Entry::of("l", serial),
        }
    }

    /// The serials that are left of versions of so many bytes, one a day, at the end of `day`.
    fn left(keep: Keep, sizes: &[u64], day: i64) -> Vec<u64> {
        let numbered = (1..).zip(sizes);
        let mut versions: Vec<Version> = numbered
            .map(|(serial, size)| version(serial, i64::try_from(serial).unwrap_or(0), *size))
            .collect();
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * day);
        keep.bound(&mut versions, now);
        versions
            .iter()
            .map(|version| version.entry.serial)
            .collect()
    }

    #[test]
    fn count_age_and_room_bound_what_is_kept() {
        let sizes = [10; 9];
        assert_eq!(left(Keep::of(3), &sizes, 9), [7, 8, 9]);
        assert_eq!(left(Keep::of(0), &sizes, 9), [9]);
        assert_eq!(left(Keep::default(), &sizes, 9).len(), 9);
        let days = |days: i64| Keep {
            age: SignedDuration::from_hours(24 * days),
            ..Keep::default()
        };
        assert_eq!(left(days(6), &sizes, 9), [3, 4, 5, 6, 7, 8, 9]);
        // Far ahead the newest few stay, and far behind all do.
        assert_eq!(left(days(6), &sizes, 9_000), [5, 6, 7, 8, 9]);
        assert_eq!(left(days(6), &sizes, -9_000).len(), 9);
        let room = Keep {
            room: 70,
            ..Keep::default()
        };
        assert_eq!(left(room, &sizes, 9), [3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(
            left(room, &[10, 10, 50, 50, 50, 50, 50], 9),
            [3, 4, 5, 6, 7]
        );
    }
}
