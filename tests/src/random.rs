//! Random choices that a seed repeats.

/// SplitMix64: small, fast, and good enough to choose what a test does next.
#[derive(Debug, Clone)]
pub struct Seeded(u64);

impl Seeded {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit, which must not be zero.
    pub fn below(&mut self, limit: u32) -> u32 {
        // The high half of the product: below `limit`, so that it fits.
        u32::try_from(((self.next_u64() >> 32) * u64::from(limit)) >> 32).unwrap_or(0)
    }

    /// Yes, once in so many times.
    pub fn one_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_every_choice_comes_up() {
        let draw = |seed| {
            let mut random = Seeded::new(seed);
            [0; 200].map(|_: u32| random.below(10))
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!((0..10).all(|choice| draw(1).contains(&choice)));
    }
}
