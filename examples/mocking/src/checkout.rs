//! Carts and what they cost.

use crate::pricing;

/// What somebody wants to buy.
#[derive(Debug, Default)]
pub struct Cart {
    lines: Vec<(String, f64)>,
}

impl Cart {
    /// Adds an article and its price.
    pub fn add(&mut self, sku: &str, price: f64) {
        self.lines.push((sku.to_owned(), price));
    }

    /// How many articles there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The sum of all prices, discounts taken away.
pub fn total(cart: &Cart) -> f64 {
    let lines = cart.lines.iter();
    lines
        .map(|(sku, price)| price * pricing::rate_for(sku))
        .sum()
}

/// The sum, computed by a thread for each half.
pub fn total_in_threads(cart: &Cart) -> f64 {
    let (left, right) = cart.lines.split_at(cart.lines.len() / 2);
    let sum = |lines: &[(String, f64)]| -> std::thread::JoinHandle<f64> {
        let lines = lines.to_vec();
        std::thread::spawn(move || {
            let parts = lines
                .iter()
                .map(|(sku, price)| price * pricing::rate_for(sku));
            parts.sum()
        })
    };
    [sum(left), sum(right)]
        .into_iter()
        .map(|half| half.join().expect("a half"))
        .sum()
}
