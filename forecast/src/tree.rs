//! Regression trees over binned columns: what boosting and forests are made of.

/// The most bins of a column: enough to place a split, few enough that their sums stay in the
/// processor's cache.
const BINS: usize = 32;

/// The most values that the edges of bins are ranks of.
const RANKED: usize = 1_000;

/// Columns of numbers, each cut into at most [`BINS`] bins of about equally many rows.
#[derive(Debug, Clone)]
pub(super) struct Binned {
    /// By column and row.
    bins: Vec<Vec<u8>>,
    /// By column the values that bins end with, ascending; the last bin has no end.
    edges: Vec<Vec<f64>>,
    rows: usize,
}

impl Binned {
    /// Bins `columns`, all of the same length.
    pub(super) fn new(columns: &[Vec<f64>]) -> Self {
        let edges: Vec<Vec<f64>> = columns.iter().map(|column| edges(column)).collect();
        let bins = columns.iter().zip(&edges);
        let bins = bins
            .map(|(column, edges)| column.iter().map(|value| bin(edges, *value)).collect())
            .collect();
        Self {
            bins,
            edges,
            rows: columns.first().map_or(0, Vec::len),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn columns(&self) -> usize {
        self.bins.len()
    }
}

/// Distinct values at evenly spread ranks, without the greatest one that was ranked.
fn edges(column: &[f64]) -> Vec<f64> {
    let every = column.len().div_ceil(RANKED).max(1);
    let mut sorted: Vec<f64> = column.iter().copied().step_by(every).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let Some(greatest) = sorted.last().copied() else {
        return Vec::new();
    };
    let mut edges: Vec<f64> = (1..BINS)
        .map(|bin| sorted[bin * (sorted.len() - 1) / BINS])
        .filter(|edge| *edge < greatest)
        .collect();
    edges.dedup();
    edges
}

fn bin(edges: &[f64], value: f64) -> u8 {
    u8::try_from(edges.partition_point(|edge| *edge < value)).unwrap_or(u8::MAX)
}

/// How a tree is grown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growth {
    /// The most leaves.
    pub(super) leaves: usize,
    /// The fewest rows of a leaf.
    pub(super) least: usize,
}

#[derive(Debug, Clone)]
enum Node {
    Leaf(f64),
    Split {
        column: usize,
        /// Values up to this go left, and the bin that it ends.
        edge: f64,
        bin: u8,
        left: usize,
        right: usize,
    },
}

/// A grown tree.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

/// The rows that ended in a leaf: a range of the rows that the tree was grown on, in their new
/// order.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    node: usize,
    pub(super) rows: std::ops::Range<usize>,
}

/// The sum of targets and the number of rows in every bin of every column.
type Histogram = Vec<(f64, u32)>;

/// A leaf that may be split further.
struct Open {
    node: usize,
    rows: std::ops::Range<usize>,
    histogram: Histogram,
    best: Option<Cut>,
}

/// The best split of a leaf: how much it lowers the squared error, and where.
#[derive(Clone, Copy)]
struct Cut {
    gain: f64,
    column: usize,
    bin: usize,
}

impl Tree {
    /// Grows a tree that splits where the squared error of `targets` (one for every row of
    /// `binned`) falls most, best leaf first. `rows` are those to learn from; they are reordered so
    /// that the rows of a leaf lie together. Only `columns` are looked at. The leaves hold 0 until
    /// they are [set](Self::set).
    pub(super) fn grow(
        binned: &Binned,
        targets: &[f64],
        rows: &mut [u32],
        columns: &[u32],
        growth: Growth,
    ) -> (Self, Vec<Leaf>) {
        let mut tree = Self {
            nodes: vec![Node::Leaf(0.0)],
        };
        let histogram = histogram(binned, targets, rows, columns);
        let best = cut(binned, &histogram, columns, growth.least);
        let mut open = vec![Open {
            node: 0,
            rows: 0..rows.len(),
            histogram,
            best,
        }];
        while open.len() < growth.leaves {
            let gain = |leaf: &Open| leaf.best.map_or(0.0, |cut| cut.gain);
            // The first of equally good ones, so that the tree does not hang on the order.
            let most = open.iter().map(gain).fold(0.0, f64::max);
            let Some(place) = open
                .iter()
                .position(|leaf| most > 0.0 && gain(leaf) == most)
            else {
                break;
            };
            let leaf = open.swap_remove(place);
            let Some(best) = leaf.best else { break };
            let middle = leaf.rows.start
                + partition(&mut rows[leaf.rows.clone()], |row| {
                    usize::from(binned.bins[best.column][row as usize]) <= best.bin
                });
            let (left, right) = (leaf.rows.start..middle, middle..leaf.rows.end);
            let small = if left.len() <= right.len() {
                &left
            } else {
                &right
            };
            let few = self::histogram(binned, targets, &rows[small.clone()], columns);
            let mut many = leaf.histogram;
            for (all, few) in many.iter_mut().zip(&few) {
                *all = (all.0 - few.0, all.1 - few.1);
            }
            let node = tree.nodes.len();
            tree.nodes.extend([Node::Leaf(0.0), Node::Leaf(0.0)]);
            tree.nodes[leaf.node] = Node::Split {
                column: best.column,
                edge: binned.edges[best.column][best.bin],
                bin: u8::try_from(best.bin).unwrap_or(u8::MAX),
                left: node,
                right: node + 1,
            };
            let (left_sums, right_sums) = if left.len() <= right.len() {
                (few, many)
            } else {
                (many, few)
            };
            let halves = [(node, left, left_sums), (node + 1, right, right_sums)];
            open.extend(halves.map(|(node, rows, histogram)| Open {
                node,
                rows,
                best: cut(binned, &histogram, columns, growth.least),
                histogram,
            }));
        }
        let leaves = open.into_iter().map(|leaf| Leaf {
            node: leaf.node,
            rows: leaf.rows,
        });
        let leaves = leaves.collect();
        (tree, leaves)
    }

    /// Gives a leaf its value.
    pub(super) fn set(&mut self, leaf: &Leaf, value: f64) {
        self.nodes[leaf.node] = Node::Leaf(value);
    }

    /// The value for one row, given by column.
    pub(super) fn value(&self, row: &[f64]) -> f64 {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf(value) => return value,
                Node::Split {
                    column,
                    edge,
                    left,
                    right,
                    ..
                } => at = if row[column] <= edge { left } else { right },
            }
        }
    }

    /// The value for a row that the tree was grown beside.
    pub(super) fn value_at(&self, binned: &Binned, row: usize) -> f64 {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf(value) => return value,
                Node::Split {
                    column,
                    bin,
                    left,
                    right,
                    ..
                } => {
                    at = if binned.bins[column][row] <= bin {
                        left
                    } else {
                        right
                    }
                }
            }
        }
    }
}

fn histogram(binned: &Binned, targets: &[f64], rows: &[u32], columns: &[u32]) -> Histogram {
    let mut sums = vec![(0.0, 0); columns.len() * BINS];
    // Once in the order of the rows, not once for every column.
    let targets: Vec<f64> = rows.iter().map(|row| targets[*row as usize]).collect();
    for (column, sums) in columns.iter().zip(sums.chunks_exact_mut(BINS)) {
        let bins = &binned.bins[*column as usize];
        for (row, target) in rows.iter().zip(&targets) {
            let sum = &mut sums[usize::from(bins[*row as usize]) % BINS];
            sum.0 += target;
            sum.1 += 1;
        }
    }
    sums
}

fn cut(binned: &Binned, histogram: &Histogram, columns: &[u32], least: usize) -> Option<Cut> {
    let first = histogram.get(..BINS)?;
    let total = first.iter().fold((0.0, 0u32), |(sum, count), bin| {
        (sum + bin.0, count + bin.1)
    });
    let least = u32::try_from(least).unwrap_or(u32::MAX);
    if total.1 < 2 * least.max(1) {
        return None;
    }
    let score = |sum: f64, count: u32| sum * sum / f64::from(count);
    let whole = score(total.0, total.1);
    let mut best: Option<Cut> = None;
    for (column, sums) in columns.iter().zip(histogram.chunks_exact(BINS)) {
        let column = *column as usize;
        let (mut sum, mut count) = (0.0, 0);
        for (bin, add) in sums.iter().enumerate().take(binned.edges[column].len()) {
            sum += add.0;
            count += add.1;
            if count < least || count == 0 || add.1 == 0 {
                continue;
            }
            if total.1 - count < least.max(1) {
                break;
            }
            let gain = score(sum, count) + score(total.0 - sum, total.1 - count) - whole;
            // A gain that is rounding is none.
            if gain > 1e-12 * whole.abs() && best.is_none_or(|best| gain > best.gain) {
                best = Some(Cut { gain, column, bin });
            }
        }
    }
    best
}

/// Moves the rows that are `left` to the front, keeping the order on both sides, and says how many
/// these are.
fn partition(rows: &mut [u32], left: impl Fn(u32) -> bool) -> usize {
    let mut back = Vec::with_capacity(rows.len());
    let mut front = 0;
    for at in 0..rows.len() {
        let row = rows[at];
        if left(row) {
            rows[front] = row;
            front += 1;
        } else {
            back.push(row);
        }
    }
    rows[front..].copy_from_slice(&back);
    front
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_found_and_its_sides_are_told_apart() {
        let column: Vec<f64> = (0..200).map(f64::from).collect();
        let noise: Vec<f64> = (0..200).map(|row| f64::from(row * 7 % 13)).collect();
        let targets: Vec<f64> = column
            .iter()
            .map(|x| if *x < 120.0 { -1.0 } else { 2.0 })
            .collect();
        let columns = [noise, column];
        let binned = Binned::new(&columns);
        let mut rows: Vec<u32> = (0..200).collect();
        let growth = Growth {
            leaves: 2,
            least: 5,
        };
        let (mut tree, leaves) = Tree::grow(&binned, &targets, &mut rows, &[0, 1], growth);
        assert_eq!(leaves.len(), 2);
        for leaf in &leaves {
            let sum: f64 = rows[leaf.rows.clone()]
                .iter()
                .map(|row| targets[*row as usize])
                .sum();
            tree.set(leaf, sum / leaf.rows.len() as f64);
        }
        // The step may lie within a bin, whose few rows are on the wrong side then.
        let (low, high) = (tree.value(&[0.0, 10.0]), tree.value(&[0.0, 190.0]));
        assert!(
            (low + 1.0).abs() < 0.15 && (high - 2.0).abs() < 0.15,
            "{low} {high}"
        );
        for row in 0..200 {
            let numbers: Vec<f64> = columns.iter().map(|column| column[row]).collect();
            assert_eq!(tree.value(&numbers), tree.value_at(&binned, row), "{row}");
        }
    }

    #[test]
    fn leaves_are_no_smaller_than_asked_and_no_more() {
        let column: Vec<f64> = (0..100).map(f64::from).collect();
        let targets: Vec<f64> = column.iter().map(|x| x * x).collect();
        let binned = Binned::new(&[column]);
        let mut rows: Vec<u32> = (0..100).collect();
        let growth = Growth {
            leaves: 9,
            least: 10,
        };
        let (_, leaves) = Tree::grow(&binned, &targets, &mut rows, &[0], growth);
        assert!(leaves.len() <= 9 && leaves.len() > 3);
        assert!(leaves.iter().all(|leaf| leaf.rows.len() >= 10));
        assert_eq!(
            leaves.iter().map(|leaf| leaf.rows.len()).sum::<usize>(),
            100
        );
    }

    #[test]
    fn what_does_not_vary_is_not_split() {
        let binned = Binned::new(&[vec![4.0; 50]]);
        let mut rows: Vec<u32> = (0..50).collect();
        let growth = Growth {
            leaves: 9,
            least: 1,
        };
        let targets: Vec<f64> = (0..50).map(f64::from).collect();
        assert_eq!(
            Tree::grow(&binned, &targets, &mut rows, &[0], growth)
                .1
                .len(),
            1
        );
    }
}
