//! Random numbers that are the same in every run and every version: SplitMix64.

/// A stream of random numbers (Steele, Lea and Flood 2014). Learned models draw rows and columns
/// from it, and a plan must come out the same after an upgrade of any library.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must not be 0. The bias of the multiplication is below
    /// `bound` / 2^32.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let wide = (self.next() >> 32) * bound as u64;
        usize::try_from(wide >> 32).unwrap_or(0)
    }

    /// A number within [0, 1).
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// `count` of the numbers below `bound`, ascending, each at most once.
    pub(super) fn choose(&mut self, count: usize, bound: usize) -> Vec<u32> {
        // Knuth's selection sampling: one pass, in order.
        let mut chosen = Vec::with_capacity(count);
        for number in 0..bound {
            let open = count - chosen.len();
            if open == 0 {
                break;
            }
            if self.below(bound - number) < open {
                chosen.push(u32::try_from(number).unwrap_or(u32::MAX));
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_that_of_the_published_generator() {
        // The first numbers of SplitMix64 from the seed 1234567, as published with it.
        let mut dice = Dice::new(1_234_567);
        assert_eq!(dice.next(), 6_457_827_717_110_365_317);
        assert_eq!(dice.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn choices_are_distinct_and_within_bounds() {
        let chosen = Dice::new(1).choose(30, 100);
        assert_eq!(chosen.len(), 30);
        assert!(chosen.is_sorted_by(|a, b| a < b) && chosen[29] < 100);
        assert_eq!(Dice::new(2).choose(7, 7), [0, 1, 2, 3, 4, 5, 6]);
    }
}
