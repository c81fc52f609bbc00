//! Chance that comes out the same in every run: the seed is part of what a failing test prints.

/// Where the numbers come from.
pub type Dice = fastrand::Rng;

/// Numbers that depend on the seed alone.
pub fn seeded(seed: u64) -> Dice {
    fastrand::Rng::with_seed(seed)
}

/// How often something is to be done: the value of a variable, for long runs, else the short one of
/// the suite.
pub fn rounds(variable: &str, short: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is not a number")),
        Err(_) => short,
    }
}
