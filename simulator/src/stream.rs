//! Random numbers by purpose, so that every policy meets the same chances.

/// What random numbers are for. Each purpose has a stream of its own: a policy that starts one more
/// replica changes nothing about which request comes when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The noise of the demand.
    Noise,
    /// The times of requests.
    Arrivals,
    /// The zones that requests go to.
    Routes,
    /// The times that requests take.
    Services,
    /// The times that replicas take to start.
    Startups,
    /// The loss of spot replicas.
    Preemptions,
    /// The loss of zones.
    Outages,
    /// The chance in what is measured.
    Measures,
    /// The days of a bootstrap sample.
    Bootstrap,
}

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers in every version and on every machine.
#[derive(Debug, Clone)]
pub struct Stream(u64);

impl Stream {
    /// The stream of a purpose; `index` tells streams of one purpose apart, as by zone.
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let mut start = Self(seed ^ (purpose as u64 + 1).wrapping_mul(0xd6e8_feb8_6659_fd93));
        let mixed = start.next();
        let mut start = Self(mixed ^ index.wrapping_mul(0xa076_1d64_78bd_642f));
        Self(start.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Within [0, 1).
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A whole number below `bound`, or 0 where that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let wide = (self.next() >> 32) * bound as u64;
        usize::try_from(wide >> 32).unwrap_or(0)
    }

    /// Exponentially distributed, with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.share()).ln()
    }

    /// Normally distributed, with mean 0 and variance 1 (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * (std::f64::consts::TAU * self.share()).cos()
    }

    /// Poisson distributed, with this mean: the events of a unit of time, counted.
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let (mut time, mut count) = (self.exponential(), 0);
        while time < mean {
            time += self.exponential();
            count += 1;
        }
        count
    }

    /// How many of `count` things happen, each with this chance.
    pub fn binomial(&mut self, count: u32, chance: f64) -> u32 {
        let happens = |_: &u32| self.share() < chance;
        u32::try_from((0..count).filter(happens).count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_purpose_and_index_and_repeat() {
        let first = |seed, purpose, index| Stream::new(seed, purpose, index).next();
        let one = first(1, Purpose::Noise, 0);
        assert_eq!(one, first(1, Purpose::Noise, 0));
        for other in [
            first(2, Purpose::Noise, 0),
            first(1, Purpose::Arrivals, 0),
            first(1, Purpose::Noise, 1),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn distributions_have_their_moments() {
        let mut stream = Stream::new(3, Purpose::Services, 0);
        let mut moments = |draw: &dyn Fn(&mut Stream) -> f64| {
            let draws: Vec<f64> = (0..100_000).map(|_| draw(&mut stream)).collect();
            let mean = draws.iter().sum::<f64>() / draws.len() as f64;
            let squares = draws.iter().map(|draw| (draw - mean).powi(2));
            (mean, squares.sum::<f64>() / draws.len() as f64)
        };
        let close = |seen: (f64, f64), expected: (f64, f64)| {
            let near = |seen: f64, expected: f64| (seen - expected).abs() < 0.03 * (1.0 + expected);
            assert!(
                near(seen.0, expected.0) && near(seen.1, expected.1),
                "{seen:?}"
            );
        };
        close(moments(&Stream::share), (0.5, 1.0 / 12.0));
        close(moments(&Stream::exponential), (1.0, 1.0));
        close(moments(&Stream::normal), (0.0, 1.0));
        close(
            moments(&|stream| f64::from(stream.poisson(4.0))),
            (4.0, 4.0),
        );
        close(
            moments(&|stream| f64::from(stream.binomial(10, 0.3))),
            (3.0, 2.1),
        );
        close(moments(&|stream| stream.below(11) as f64), (5.0, 10.0));
    }
}
