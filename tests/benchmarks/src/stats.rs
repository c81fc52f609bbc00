//! Small statistics, and how figures are written.

use std::time::Duration;

/// The value below which `share` of the sorted values lie (nearest rank). `None` of nothing.
pub(crate) fn percentile(values: &[Duration], share: f64) -> Option<Duration> {
    let mut sorted = values.to_vec();
    sorted.sort();
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The middle value.
pub(crate) fn median(values: &[Duration]) -> Option<Duration> {
    percentile(values, 0.5)
}

/// The least value: what a busy machine disturbs least.
pub(crate) fn least(values: &[Duration]) -> Option<Duration> {
    values.iter().min().copied()
}

/// How many times `b` goes into `a`.
pub(crate) fn ratio(a: Option<Duration>, b: Option<Duration>) -> Option<f64> {
    let b = b.filter(|b| !b.is_zero())?;
    Some(a?.as_secs_f64() / b.as_secs_f64())
}

/// `93 ms`, `1.24 s`, or a dash.
pub(crate) fn time(value: Option<Duration>) -> String {
    match value {
        Some(value) if value >= Duration::from_secs(1) => format!("{:.2} s", value.as_secs_f64()),
        Some(value) => format!("{:.0} ms", value.as_secs_f64() * 1000.0),
        None => "–".to_owned(),
    }
}

/// `0.38 ×`, or a dash.
pub(crate) fn times(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2} ×"))
}

/// Whether an aim is met, in a word.
pub(crate) fn verdict(value: Option<f64>, aim: f64) -> &'static str {
    match value {
        Some(value) if value <= aim => "met",
        Some(_) => "missed",
        None => "not measured",
    }
}
