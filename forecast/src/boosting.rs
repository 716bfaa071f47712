//! Gradient boosting on lags, levels and the calendar, for the median.

use super::dice::Dice;
use super::features::{Design, Features};
use super::tree::{Binned, Growth, Tree};
use super::{Effort, Fitted, History, Method, Unfit};

/// Boosted trees (Friedman 2001) that forecast every slot of the horizon directly from what was
/// known at the origin. The loss is the absolute error, so that the forecast is the median: trees
/// split by the sign of the error, and a leaf holds the median of its errors.
pub(super) struct Boosting;

const TREES: usize = 80;
const RATE: f64 = 0.08;
const GROWTH: Growth = Growth {
    leaves: 15,
    least: 30,
};
/// Share of the rows and of the columns that a tree sees.
const SHARE: f64 = 0.5;
/// The fewest rows to learn from.
const FEWEST_ROWS: usize = 200;

struct Boosted {
    base: f64,
    trees: Vec<Tree>,
}

impl Method for Boosting {
    fn name(&self) -> &'static str {
        "boosting"
    }

    fn effort(&self) -> Effort {
        Effort::Heavy
    }

    fn fit(&self, history: &History, horizon: usize) -> Result<Box<dyn Fitted>, Unfit> {
        let lessons = history.lessons(horizon);
        lessons.at_least(FEWEST_ROWS, history)?;
        Ok(Box::new(boost(&lessons.design, &lessons.binned)))
    }
}

fn boost(design: &Design, binned: &Binned) -> Boosted {
    let rows = binned.rows();
    let mut dice = Dice::new(rows as u64);
    let base = median(&mut design.targets.clone());
    let mut errors: Vec<f64> = design.targets.iter().map(|target| target - base).collect();
    let mut signs = vec![0.0; rows];
    let mut trees = Vec::with_capacity(TREES);
    let share = |count: usize| ((count as f64 * SHARE) as usize).max(1);
    for _ in 0..TREES {
        for (sign, error) in signs.iter_mut().zip(&errors) {
            // No error counts as too much: where most values are 0, the others must stand out.
            *sign = if *error > 0.0 { 1.0 } else { -1.0 };
        }
        let mut sample = dice.choose(share(rows), rows);
        let columns = dice.choose(share(binned.columns()), binned.columns());
        let (mut tree, leaves) = Tree::grow(binned, &signs, &mut sample, &columns, GROWTH);
        for leaf in &leaves {
            let mut within: Vec<f64> = sample[leaf.rows.clone()]
                .iter()
                .map(|row| errors[*row as usize])
                .collect();
            tree.set(leaf, RATE * median(&mut within));
        }
        for (at, error) in errors.iter_mut().enumerate() {
            *error -= tree.value_at(binned, at);
        }
        trees.push(tree);
    }
    Boosted { base, trees }
}

/// The lower median; 0 of nothing. Reorders the values.
pub(super) fn median(values: &mut [f64]) -> f64 {
    let middle = values.len().saturating_sub(1) / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

impl Fitted for Boosted {
    fn point(&self, history: &History, horizon: usize) -> Vec<f64> {
        let design = Features::new(history, horizon).future();
        let value = |at: usize| {
            let row: Vec<f64> = design.columns.iter().map(|column| column[at]).collect();
            let sum: f64 = self.trees.iter().map(|tree| tree.value(&row)).sum();
            (self.base + sum) * design.scales[at]
        };
        (0..horizon).map(value).collect()
    }
}
