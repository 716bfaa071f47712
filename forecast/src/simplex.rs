//! The least value of a function of a few numbers, by the simplex of Nelder and Mead (1965).

/// How the simplex moves: reflection, expansion, contraction, shrinking, as published.
const EXPANSION: f64 = 2.0;
const CONTRACTION: f64 = 0.5;
/// Ends where the losses of all corners agree to this share.
const TOLERANCE: f64 = 1e-6;

/// The point that `loss` is least at, of those that at most `evaluations` of it lead to from
/// `start` by first steps of `step`. A loss that is not a number counts as infinite.
///
/// Crates for this were left out on purpose: it runs thousands of times in a forecast, and must
/// give the same bits in every version.
pub(super) fn minimise(
    start: &[f64],
    step: f64,
    evaluations: usize,
    mut loss: impl FnMut(&[f64]) -> f64,
) -> Vec<f64> {
    let mut judge = |point: Vec<f64>| {
        let value = loss(&point);
        (if value.is_nan() { f64::INFINITY } else { value }, point)
    };
    let mut corners = vec![judge(start.to_vec())];
    for place in 0..start.len() {
        let mut corner = start.to_vec();
        corner[place] += step;
        corners.push(judge(corner));
    }
    let mut used = corners.len();
    loop {
        corners.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (best, last) = (corners[0].0, corners.len() - 1);
        let worst = corners[last].0;
        if used >= evaluations || worst - best <= TOLERANCE * best.abs() {
            return corners.swap_remove(0).1;
        }
        let centre: Vec<f64> = (0..start.len())
            .map(|place| corners[..last].iter().map(|c| c.1[place]).sum::<f64>() / last as f64)
            .collect();
        let along = |share: f64| -> Vec<f64> {
            let pairs = centre.iter().zip(&corners[last].1);
            pairs
                .map(|(centre, worst)| centre + share * (centre - worst))
                .collect()
        };
        let mirrored = judge(along(1.0));
        used += 1;
        let second = corners[last - 1].0;
        let candidate = if mirrored.0 < best {
            used += 1;
            let further = judge(along(EXPANSION));
            if further.0 < mirrored.0 {
                further
            } else {
                mirrored
            }
        } else if mirrored.0 < second {
            mirrored
        } else {
            used += 1;
            let side = if mirrored.0 < worst {
                CONTRACTION
            } else {
                -CONTRACTION
            };
            let nearer = judge(along(side));
            if nearer.0 < worst.min(mirrored.0) {
                nearer
            } else {
                used += last;
                let anchor = corners[0].1.clone();
                for corner in &mut corners[1..] {
                    let pairs = anchor.iter().zip(&corner.1);
                    *corner = judge(pairs.map(|(a, b)| (a + b) / 2.0).collect());
                }
                continue;
            }
        };
        corners[last] = candidate;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_valley_of_rosenbrock_is_found() {
        let loss = |p: &[f64]| (1.0 - p[0]).powi(2) + 100.0 * (p[1] - p[0] * p[0]).powi(2);
        let found = minimise(&[-1.2, 1.0], 0.5, 400, loss);
        assert!(
            (found[0] - 1.0).abs() < 1e-2 && (found[1] - 1.0).abs() < 2e-2,
            "{found:?}"
        );
    }

    #[test]
    fn evaluations_are_bounded_and_nan_is_avoided() {
        let mut count = 0;
        let found = minimise(&[1.0], 1.0, 20, |p| {
            count += 1;
            if p[0] < 0.0 { f64::NAN } else { p[0] }
        });
        assert!(
            count <= 22 && found[0] >= 0.0 && found[0] < 0.1,
            "{count} {found:?}"
        );
    }
}
