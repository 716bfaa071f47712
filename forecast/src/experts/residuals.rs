//! The last errors of a forecaster, from which any quantile is read in a few steps.

use std::collections::VecDeque;

/// Errors are logarithms of ratios; what is further off than this counts as this.
const WIDEST: f64 = 4.0;

/// Cells of equal width, 0.4 % each.
const CELLS: usize = 2048;

/// Fewer errors than this say nothing about a tail.
const FEWEST: usize = 30;

/// A sliding window of errors as counts per cell in a Fenwick tree: adding, forgetting and asking
/// for a quantile take eleven steps each, whatever the window.
#[derive(Debug, Clone)]
pub(super) struct Residuals {
    window: usize,
    recent: VecDeque<u16>,
    /// By place p from 1: the count of the cells (p - lowest bit of p, p].
    tree: Vec<u16>,
}

impl Residuals {
    /// At most `window` errors, and at most 65,535.
    pub(super) fn new(window: usize) -> Self {
        Self {
            window: window.clamp(1, usize::from(u16::MAX)),
            recent: VecDeque::new(),
            tree: vec![0; CELLS + 1],
        }
    }

    pub(super) fn add(&mut self, error: f64) {
        if self.recent.len() == self.window
            && let Some(oldest) = self.recent.pop_front()
        {
            self.count(oldest, u16::MAX);
        }
        let cell = (error.clamp(-WIDEST, WIDEST) + WIDEST) / (2.0 * WIDEST) * CELLS as f64;
        let cell = (cell as u16).min(CELLS as u16 - 1);
        self.count(cell, 1);
        self.recent.push_back(cell);
    }

    /// Adds to the count of a cell; adding `u16::MAX` takes one away.
    fn count(&mut self, cell: u16, change: u16) {
        let mut place = usize::from(cell) + 1;
        while let Some(count) = self.tree.get_mut(place) {
            *count = count.wrapping_add(change);
            place += place & place.wrapping_neg();
        }
    }

    /// The error that the share `level` of the window does not exceed, interpolated within its
    /// cell; none while there are too few. Conformal: of n errors the ⌈(n+1)·level⌉-th smallest,
    /// or the greatest.
    pub(super) fn quantile(&self, level: f64) -> Option<f64> {
        let count = self.recent.len();
        if count < FEWEST {
            return None;
        }
        let rank = ((count + 1) as f64 * level).ceil().clamp(1.0, count as f64);
        let (mut place, mut before, mut step) = (0, 0.0, CELLS);
        while step > 0 {
            let next = place + step;
            if let Some(inside) = self.tree.get(next).map(|count| f64::from(*count))
                && before + inside < rank
            {
                place = next;
                before += inside;
            }
            step /= 2;
        }
        // `place` cells hold fewer than `rank`, so the error lies in the next one.
        let width = 2.0 * WIDEST / CELLS as f64;
        Some((place as f64 + 1.0) * width - WIDEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    #[test]
    fn quantiles_are_those_of_the_sorted_window() {
        let mut residuals = Residuals::new(500);
        let mut all = Vec::new();
        let mut dice = Dice::new(5);
        for turn in 0..2_000 {
            let error = 2.0 * (dice.share() + dice.share() - 1.0);
            residuals.add(error);
            all.push(error);
            if turn % 97 != 96 {
                continue;
            }
            let mut window = all[all.len().saturating_sub(500)..].to_vec();
            window.sort_by(f64::total_cmp);
            for level in [0.01, 0.5, 0.9, 0.99, 0.9999] {
                let rank = ((window.len() + 1) as f64 * level).ceil() as usize;
                let exact = window[rank.clamp(1, window.len()) - 1];
                let read = residuals.quantile(level).unwrap();
                assert!(
                    (0.0..=0.004).contains(&(read - exact)),
                    "{read} for {exact}"
                );
            }
        }
    }

    #[test]
    fn few_errors_say_nothing() {
        let mut residuals = Residuals::new(100);
        for _ in 0..29 {
            residuals.add(0.0);
        }
        assert_eq!(residuals.quantile(0.5), None);
        residuals.add(9.0);
        assert_eq!(residuals.quantile(0.999), Some(WIDEST));
    }
}
