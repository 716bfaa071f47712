//! Valleys of a need that are too short to be worth a scale-in.

use std::collections::VecDeque;

/// Raises `needs` so that no replica is given up for `longest` slots or fewer before it is needed
/// again.
///
/// With a price p for a replica and slot and a price b for its start this is the exact optimum of
/// Σ p·c + b·(c' − c)⁺ over c ≥ needs, where `longest` is the greatest whole number not above b / p:
/// the n-th replica is an interval covering problem of its own, in which a gap is bridged exactly
/// when that costs no more than a start. The gaps of all replicas are closed together by the
/// morphological closing with `longest` + 1 slots, in linear time.
pub fn fill_valleys(needs: &mut [u32], longest: usize) {
    if longest == 0 || needs.is_empty() {
        return;
    }
    // Beyond both ends nothing is needed, and nothing is bridged.
    let padding = std::iter::repeat_n(0, longest);
    let padded: Vec<u32> = padding
        .clone()
        .chain(needs.iter().copied())
        .chain(padding)
        .collect();
    let raised = extremes(&padded, longest + 1, |kept, new| kept <= new);
    let closed = extremes(&raised, longest + 1, |kept, new| kept >= new);
    needs
        .iter_mut()
        .zip(closed)
        .for_each(|(need, closed)| *need = closed);
}

/// The extreme of every window of `width` values, where `gives_way(kept, new)` says that a kept
/// value can no longer be the extreme.
fn extremes(values: &[u32], width: usize, gives_way: fn(u32, u32) -> bool) -> Vec<u32> {
    let mut open: VecDeque<(usize, u32)> = VecDeque::new();
    let mut found = Vec::with_capacity(values.len());
    for (place, value) in values.iter().enumerate() {
        while open
            .back()
            .is_some_and(|(_, kept)| gives_way(*kept, *value))
        {
            open.pop_back();
        }
        open.push_back((place, *value));
        if open
            .front()
            .is_some_and(|(first, _)| first + width <= place)
        {
            open.pop_front();
        }
        if place + 1 >= width {
            found.extend(open.front().map(|(_, extreme)| *extreme));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(needs: &[u32], longest: usize) -> Vec<u32> {
        let mut needs = needs.to_vec();
        fill_valleys(&mut needs, longest);
        needs
    }

    #[test]
    fn short_valleys_are_filled_to_the_lower_rim_and_long_ones_stay() {
        assert_eq!(filled(&[5, 1, 1, 4, 2], 2), [5, 4, 4, 4, 2]);
        assert_eq!(filled(&[5, 1, 1, 1, 4], 2), [5, 1, 1, 1, 4]);
        assert_eq!(
            filled(&[0, 3, 0, 3, 1, 2, 3, 0], 1),
            [0, 3, 3, 3, 2, 2, 3, 0]
        );
        assert_eq!(filled(&[3, 1, 3], 0), [3, 1, 3]);
        assert_eq!(filled(&[], 3), []);
    }

    /// Twice the cost in units of half a slot, so that a start of `longest` + ½ slots is whole.
    fn cost(path: &[u32], longest: u32) -> u32 {
        let rises = path.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
        let starts = path.first().copied().unwrap_or(0) + rises.sum::<u32>();
        2 * path.iter().sum::<u32>() + (2 * longest + 1) * starts
    }

    /// The cheapest path by trying all of them, up to the greatest need.
    fn cheapest(needs: &[u32], longest: u32) -> u32 {
        let most = needs.iter().copied().max().unwrap_or(0);
        let mut paths: Vec<(u32, u32)> = vec![(0, 0)];
        for need in needs {
            paths = (*need..=most)
                .filter_map(|count| {
                    let after = |(last, cost): &(u32, u32)| {
                        cost + 2 * count + (2 * longest + 1) * count.saturating_sub(*last)
                    };
                    Some((count, paths.iter().map(after).min()?))
                })
                .collect();
        }
        paths.into_iter().map(|(_, cost)| cost).min().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn what_is_filled_is_the_cheapest(needs in prop::collection::vec(0..6u32, 0..24), longest in 0..6u32) {
            let path = filled(&needs, longest as usize);
            prop_assert!(path.iter().zip(&needs).all(|(count, need)| count >= need));
            prop_assert_eq!(cost(&path, longest), cheapest(&needs, longest));
        }
    }
}
