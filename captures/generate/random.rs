//! Chance that is the same on every machine: SplitMix64 (Steele, Lea and Flood, 2014).

/// A seeded source of numbers.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// One that always gives the same numbers for the same seed and word.
    pub fn new(seed: u64, word: &str) -> Random {
        // FNV-1a: so two scenarios that leave the seed at 0 do not share their ports and ids.
        let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
        });
        Random(seed ^ hash)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `low` up to, not including, `high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() % (high - low).max(1) as u64) as i64
    }

    /// From 0 up to, not including, 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Which of so many.
    pub fn index(&mut self, count: usize) -> usize {
        self.between(0, count as i64) as usize
    }

    /// An ephemeral port, as Linux picks them.
    pub fn port(&mut self) -> u16 {
        self.between(32768, 61000) as u16
    }

    /// A message id.
    pub fn id(&mut self) -> u16 {
        self.next() as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_word_give_the_same_numbers() {
        let numbers = |seed, word| {
            let mut random = Random::new(seed, word);
            [random.next(), random.next(), random.next()]
        };
        assert_eq!(numbers(1, "a"), numbers(1, "a"));
        assert_ne!(numbers(1, "a"), numbers(2, "a"));
        assert_ne!(numbers(1, "a"), numbers(1, "b"));
    }

    #[test]
    fn splitmix64_gives_its_published_numbers() {
        // The reference implementation's first numbers for the state 1234567.
        let mut random = Random(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }
}
