//! A small recurrent network, trained on the series itself.

use super::dice::Dice;
use super::{Effort, Fitted, History, Method, Unfit};

/// Long short-term memory (Hochreiter and Schmidhuber 1997) over the last slots, whose last state is
/// mapped to the change against the same slot a season ago, for up to [`ANCHORS`] distances ahead;
/// what lies between is on the line. The loss is the absolute error, so that it forecasts the median;
/// it is trained by Adam (Kingma and Ba 2015) on the gradient through time.
///
/// Training takes [`ROUNDS`] steps whatever the length of the history: a few seconds, which is why it
/// only competes where it is asked for. Its weights begin as the same numbers in every run.
pub(super) struct Lstm;

/// The slots that it looks back on.
const LOOK: usize = 24;
const HIDDEN: usize = 24;
/// The distances ahead that it forecasts.
const ANCHORS: usize = 24;
const ROUNDS: usize = 200;
const BATCH: usize = 32;
const RATE: f32 = 0.01;
/// The value, the time of day as a point on a circle, and one.
const INPUTS: usize = 4;
/// What a gate sees: the inputs and the state before.
const SEEN: usize = INPUTS + HIDDEN;
const GATES: usize = 4 * HIDDEN;
/// The fewest origins to learn from.
const FEWEST_ORIGINS: usize = 48;

impl Method for Lstm {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn effort(&self) -> Effort {
        Effort::OnRequest
    }

    fn fit(&self, history: &History, horizon: usize) -> Result<Box<dyn Fitted>, Unfit> {
        let first = history.season().unwrap_or(0).max(LOOK);
        let slots = history.values().len();
        let needed = first + horizon + FEWEST_ORIGINS;
        if slots < needed {
            return Err(Unfit::TooShort {
                needed,
                present: slots,
            });
        }
        Ok(Box::new(train(history, horizon, first..slots - horizon)))
    }
}

/// The weights: of the gates, row by row, and of the output with a last column for one.
#[derive(Debug, Clone)]
struct Network {
    gates: Vec<f32>,
    output: Vec<f32>,
    anchors: Vec<usize>,
}

/// What the network sees from one origin, and what it is to say.
struct Example {
    inputs: Vec<[f32; INPUTS]>,
    scale: f64,
    /// The same slot a season ago, by anchor.
    bases: Vec<f64>,
}

impl Example {
    /// Of the slots up to and with `origin`.
    fn of(history: &History, origin: usize, anchors: &[usize]) -> Self {
        let values = history.values();
        let first = (origin + 1).saturating_sub(LOOK);
        let window = &values[first..=origin];
        let scale = (window.iter().sum::<f64>() / window.len() as f64).max(history.floor());
        let mut described = Vec::new();
        let inputs = (first..).zip(window).map(|(slot, value)| {
            described.clear();
            history.describe(slot, &mut described);
            [value / scale - 1.0, described[0], described[1], 1.0].map(|x| x as f32)
        });
        let base = |ahead: &usize| {
            let ago = history.season().and_then(|season| {
                let back = ahead.div_ceil(season) * season;
                (origin + ahead).checked_sub(back)
            });
            ago.map_or(values[origin], |slot| values[slot])
        };
        Self {
            inputs: inputs.collect(),
            scale,
            bases: anchors.iter().map(base).collect(),
        }
    }
}

/// One step through time, as the way back needs it.
struct Moment {
    seen: [f32; SEEN],
    /// Input, forget, candidate and output gate, each behind its function.
    gates: [f32; GATES],
    cell: [f32; HIDDEN],
}

/// The sum of products, in four lanes that the processor adds at once.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; 4];
    for (a, b) in a.chunks_exact(4).zip(b.chunks_exact(4)) {
        for lane in 0..4 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let rest = a.len() / 4 * 4;
    let rest = a[rest..].iter().zip(&b[rest..]).map(|(a, b)| a * b);
    lanes.iter().sum::<f32>() + rest.sum::<f32>()
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

impl Network {
    fn new(anchors: Vec<usize>, dice: &mut Dice) -> Self {
        let reach = 1.0 / (HIDDEN as f64).sqrt();
        let mut draw = |count: usize| -> Vec<f32> {
            (0..count)
                .map(|_| (reach * (2.0 * dice.share() - 1.0)) as f32)
                .collect()
        };
        Self {
            gates: draw(GATES * SEEN),
            output: draw(anchors.len() * (HIDDEN + 1)),
            anchors,
        }
    }

    /// The way through the inputs, and the state at its end.
    fn remember(&self, inputs: &[[f32; INPUTS]]) -> (Vec<Moment>, [f32; HIDDEN]) {
        let (mut state, mut cell) = ([0.0; HIDDEN], [0.0; HIDDEN]);
        let mut way = Vec::with_capacity(inputs.len());
        for input in inputs {
            let mut seen = [0.0; SEEN];
            seen[..INPUTS].copy_from_slice(input);
            seen[INPUTS..].copy_from_slice(&state);
            let mut gates = [0.0; GATES];
            for (gate, row) in gates.iter_mut().zip(self.gates.chunks_exact(SEEN)) {
                *gate = dot(row, &seen);
            }
            for unit in 0..HIDDEN {
                let (open, keep) = (sigmoid(gates[unit]), sigmoid(gates[HIDDEN + unit]));
                let (new, show) = (
                    gates[2 * HIDDEN + unit].tanh(),
                    sigmoid(gates[3 * HIDDEN + unit]),
                );
                cell[unit] = keep * cell[unit] + open * new;
                state[unit] = show * cell[unit].tanh();
                for (part, value) in [open, keep, new, show].into_iter().enumerate() {
                    gates[part * HIDDEN + unit] = value;
                }
            }
            way.push(Moment { seen, gates, cell });
        }
        (way, state)
    }

    /// The change that is expected at every anchor.
    fn say(&self, state: &[f32; HIDDEN]) -> Vec<f32> {
        let rows = self.output.chunks_exact(HIDDEN + 1);
        rows.map(|row| {
            let sum: f32 = row.iter().zip(state).map(|(weight, x)| weight * x).sum();
            sum + row[HIDDEN]
        })
        .collect()
    }

    /// Adds the gradient of the mean absolute error on one example to `slopes`, and says the error.
    fn descend(&self, inputs: &[[f32; INPUTS]], targets: &[f32], slopes: &mut Self) -> f32 {
        let (way, state) = self.remember(inputs);
        let said = self.say(&state);
        let share = 1.0 / targets.len() as f32;
        let mut loss = 0.0;
        let mut on_state = [0.0; HIDDEN];
        for (place, (said, target)) in said.iter().zip(targets).enumerate() {
            loss += (said - target).abs() * share;
            let slope = share * (said - target).signum();
            let range = place * (HIDDEN + 1)..(place + 1) * (HIDDEN + 1);
            let (row, on_row) = (&self.output[range.clone()], &mut slopes.output[range]);
            for unit in 0..HIDDEN {
                on_row[unit] += slope * state[unit];
                on_state[unit] += slope * row[unit];
            }
            on_row[HIDDEN] += slope;
        }
        self.back_through(&way, on_state, slopes);
        loss
    }

    fn back_through(&self, way: &[Moment], mut on_state: [f32; HIDDEN], slopes: &mut Self) {
        let mut on_cell = [0.0; HIDDEN];
        for (time, moment) in way.iter().enumerate().rev() {
            let mut on_gates = [0.0; GATES];
            for unit in 0..HIDDEN {
                let gate = |part: usize| moment.gates[part * HIDDEN + unit];
                let (open, keep, new, show) = (gate(0), gate(1), gate(2), gate(3));
                let bent = moment.cell[unit].tanh();
                let before = time.checked_sub(1).map_or(0.0, |time| way[time].cell[unit]);
                let cell = on_cell[unit] + on_state[unit] * show * (1.0 - bent * bent);
                on_gates[unit] = cell * new * open * (1.0 - open);
                on_gates[HIDDEN + unit] = cell * before * keep * (1.0 - keep);
                on_gates[2 * HIDDEN + unit] = cell * open * (1.0 - new * new);
                on_gates[3 * HIDDEN + unit] = on_state[unit] * bent * show * (1.0 - show);
                on_cell[unit] = cell * keep;
            }
            let mut on_seen = [0.0; SEEN];
            let rows = self
                .gates
                .chunks_exact(SEEN)
                .zip(slopes.gates.chunks_exact_mut(SEEN));
            for (slope, (row, on_row)) in on_gates.iter().zip(rows) {
                for at in 0..SEEN {
                    on_row[at] += slope * moment.seen[at];
                    on_seen[at] += slope * row[at];
                }
            }
            on_state.copy_from_slice(&on_seen[INPUTS..]);
        }
    }

    fn weights_mut(&mut self) -> impl Iterator<Item = &mut f32> {
        self.gates.iter_mut().chain(&mut self.output)
    }
}

/// The moments of the gradient that Adam keeps.
struct Adam {
    means: Vec<(f32, f32)>,
    round: i32,
}

impl Adam {
    const FADE: (f32, f32) = (0.9, 0.999);

    fn step(&mut self, network: &mut Network, slopes: &mut Network) {
        self.round += 1;
        let (first, second) = Self::FADE;
        let bias = (1.0 - first.powi(self.round), 1.0 - second.powi(self.round));
        let slopes = slopes.weights_mut();
        for ((weight, slope), mean) in network.weights_mut().zip(slopes).zip(&mut self.means) {
            mean.0 = first * mean.0 + (1.0 - first) * *slope;
            mean.1 = second * mean.1 + (1.0 - second) * *slope * *slope;
            *weight -= RATE * (mean.0 / bias.0) / ((mean.1 / bias.1).sqrt() + 1e-8);
            *slope = 0.0;
        }
    }
}

fn train(history: &History, horizon: usize, origins: std::ops::Range<usize>) -> Network {
    let count = horizon.min(ANCHORS);
    let anchors = (1..=count)
        .map(|at| (at * horizon).div_ceil(count))
        .collect();
    let mut dice = Dice::new(history.values().len() as u64);
    let mut network = Network::new(anchors, &mut dice);
    let mut slopes = network.clone();
    slopes.weights_mut().for_each(|slope| *slope = 0.0);
    let mut adam = Adam {
        means: vec![(0.0, 0.0); network.gates.len() + network.output.len()],
        round: 0,
    };
    let values = history.values();
    for _ in 0..ROUNDS {
        for _ in 0..BATCH {
            let origin = origins.start + dice.below(origins.len());
            let example = Example::of(history, origin, &network.anchors);
            let aims = network.anchors.iter().zip(&example.bases);
            let change = |(ahead, base): (&usize, &f64)| {
                ((values[origin + ahead] - base) / example.scale) as f32
            };
            let targets: Vec<f32> = aims.map(change).collect();
            network.descend(&example.inputs, &targets, &mut slopes);
        }
        // Adam does not mind the size of the gradient: a sum is as good as a mean.
        adam.step(&mut network, &mut slopes);
    }
    network
}

impl Fitted for Network {
    fn point(&self, history: &History, horizon: usize) -> Vec<f64> {
        let origin = history.values().len().saturating_sub(1);
        let every: Vec<usize> = (1..=horizon).collect();
        let example = Example::of(history, origin, &every);
        let said = self.say(&self.remember(&example.inputs).1);
        let change = |ahead: usize| -> f64 {
            let after = self.anchors.partition_point(|anchor| *anchor < ahead);
            let at = |place: usize| {
                let place = place.min(said.len() - 1);
                (self.anchors[place] as f64, f64::from(said[place]))
            };
            let (right, to) = at(after);
            let (left, from) = if after == 0 { (0.0, to) } else { at(after - 1) };
            let share = ((ahead as f64 - left) / (right - left).max(1.0)).min(1.0);
            from + share * (to - from)
        };
        let slots = every.iter().zip(&example.bases);
        slots
            .map(|(ahead, base)| base + change(*ahead) * example.scale)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let mut dice = Dice::new(5);
        let mut network = Network::new(vec![1, 2, 3], &mut dice);
        let mut draw = || dice.share() as f32 - 0.5;
        let inputs: Vec<[f32; INPUTS]> = (0..6).map(|_| [draw(), draw(), draw(), 1.0]).collect();
        let targets = [3.0, -3.0, 2.0];
        let mut slopes = network.clone();
        slopes.weights_mut().for_each(|slope| *slope = 0.0);
        network.descend(&inputs, &targets, &mut slopes);
        let mut nothing = slopes.clone();
        let slopes: Vec<f32> = slopes.weights_mut().map(|slope| *slope).collect();
        let count = slopes.len();
        let mut seen = 0.0;
        for place in (0..count).step_by(37) {
            let mut loss_at = |by: f32| {
                *network.weights_mut().nth(place).unwrap() += by;
                network.descend(&inputs, &targets, &mut nothing)
            };
            let (above, below) = (loss_at(1e-2), loss_at(-2e-2));
            loss_at(1e-2);
            let slope = (above - below) / 2e-2;
            assert!(
                (slope - slopes[place]).abs() < 2e-3,
                "{place}: {slope} {}",
                slopes[place]
            );
            seen += slope.abs();
        }
        assert!(seen > 0.05, "{seen}");
    }

    #[test]
    fn a_change_against_yesterday_is_learned_and_the_same_every_time() {
        // Every day is a tenth above the one before.
        let value = |slot: usize| {
            let growth = 1.1f64.powi(i32::try_from(slot / 24).unwrap());
            growth * (10.0 + (slot % 24) as f64)
        };
        let slots: Vec<_> = (0..24 * 14).map(|slot| Some(value(slot))).collect();
        let history = History::new(
            &slots,
            jiff::Timestamp::UNIX_EPOCH,
            Duration::from_secs(3600),
        );
        let learn = || {
            Lstm.fit(&history, 24)
                .unwrap_or_else(|error| panic!("{error}"))
        };
        let path = learn().point(&history, 24);
        assert_eq!(path, learn().point(&history, 24));
        let off = |path: &[f64]| -> f64 {
            let ahead = path.iter().enumerate();
            ahead
                .map(|(step, point)| (point - value(24 * 14 + step)).abs())
                .sum()
        };
        let naive: Vec<f64> = (24 * 13..24 * 14).map(value).collect();
        assert!(
            off(&path) < off(&naive) / 2.0,
            "{} {}",
            off(&path),
            off(&naive)
        );
    }
}
