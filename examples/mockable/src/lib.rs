//! A till whose functions can be mocked under plain `cargo test`.

/// What the tax office says of an article, in percent.
#[cfg_attr(feature = "mocks", soft_mock::mockable)]
pub fn tax(article: &str) -> u64 {
    panic!("there is no network in tests, so nobody knows the tax of {article}")
}

/// Sums of what was sold.
#[derive(Debug, Default)]
pub struct Till<T>(pub Vec<T>);

#[cfg_attr(feature = "mocks", soft_mock::mockable)]
impl<T: Copy + Into<u64>> Till<T> {
    /// The sum.
    pub fn sum(&self) -> u64 {
        self.0.iter().map(|price| (*price).into()).sum()
    }

    /// The sum and the tax.
    pub fn total(&self, article: &str) -> u64 {
        self.sum() * (100 + tax(article)) / 100
    }
}
