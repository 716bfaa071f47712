//! A random forest on lags, levels and the calendar.

use super::dice::Dice;
use super::features::{Design, Features};
use super::tree::{Binned, Growth, Leaf, Tree};
use super::{Effort, Fitted, History, Method, Unfit};

/// A quantile regression forest (Breiman 2001; Meinshausen 2006): every tree is grown on rows drawn
/// with return, and the forecast is the median of the past values that share a leaf with the slot,
/// each tree weighing the same.
pub(super) struct Forest;

const TREES: usize = 32;
const GROWTH: Growth = Growth {
    leaves: 100,
    least: 8,
};
/// Share of the columns that a tree looks at.
const SHARE: f64 = 0.35;
const FEWEST_ROWS: usize = 200;

struct Grown {
    trees: Vec<Tree>,
    /// By tree and leaf the values that ended there.
    leaves: Vec<Vec<Vec<f64>>>,
}

impl Method for Forest {
    fn name(&self) -> &'static str {
        "random_forest"
    }

    fn effort(&self) -> Effort {
        Effort::Heavy
    }

    fn fit(&self, history: &History, horizon: usize) -> Result<Box<dyn Fitted>, Unfit> {
        let lessons = history.lessons(horizon);
        lessons.at_least(FEWEST_ROWS, history)?;
        Ok(Box::new(grow(&lessons.design, &lessons.binned)))
    }
}

fn grow(design: &Design, binned: &Binned) -> Grown {
    let rows = binned.rows();
    let mut dice = Dice::new(rows as u64);
    let mut grown = Grown {
        trees: Vec::with_capacity(TREES),
        leaves: Vec::with_capacity(TREES),
    };
    let columns = ((binned.columns() as f64 * SHARE) as usize).max(1);
    for _ in 0..TREES {
        let mut sample: Vec<u32> = (0..rows)
            .map(|_| u32::try_from(dice.below(rows)).unwrap_or(0))
            .collect();
        let columns = dice.choose(columns, binned.columns());
        let (mut tree, leaves) = Tree::grow(binned, &design.targets, &mut sample, &columns, GROWTH);
        let values = |(place, leaf): (usize, &Leaf)| {
            // A leaf's value is its place in the list.
            tree.set(leaf, place as f64);
            let rows = sample[leaf.rows.clone()].iter();
            rows.map(|row| design.targets[*row as usize]).collect()
        };
        grown
            .leaves
            .push(leaves.iter().enumerate().map(values).collect());
        grown.trees.push(tree);
    }
    grown
}

impl Grown {
    fn median(&self, row: &[f64], values: &mut Vec<(f64, f64)>) -> f64 {
        values.clear();
        for (tree, leaves) in self.trees.iter().zip(&self.leaves) {
            if let Some(leaf) = leaves.get(tree.value(row) as usize) {
                let weight = 1.0 / leaf.len() as f64;
                values.extend(leaf.iter().map(|value| (*value, weight)));
            }
        }
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let half = self.trees.len() as f64 / 2.0;
        let mut sum = 0.0;
        let crossing = values.iter().find(|(_, weight)| {
            sum += weight;
            sum >= half
        });
        crossing.or(values.last()).map_or(0.0, |(value, _)| *value)
    }
}

impl Fitted for Grown {
    fn point(&self, history: &History, horizon: usize) -> Vec<f64> {
        let design = Features::new(history, horizon).future();
        let mut values = Vec::new();
        let value = |at: usize| {
            let row: Vec<f64> = design.columns.iter().map(|column| column[at]).collect();
            self.median(&row, &mut values) * design.scales[at]
        };
        (0..horizon).map(value).collect()
    }
}
