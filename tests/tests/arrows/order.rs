//! Arrows against an order that is laid down. Knows nothing of where either comes from.

use crate::arrows::Arrows;

/// What runs upwards, or sideways, or concerns a module that has no place in `order`. Nothing, if
/// there is no order.
pub(crate) fn broken(arrows: &Arrows, order: &str) -> Vec<String> {
    let tiers = || order.split('>').map(str::split_whitespace);
    let height = |module: &str| tiers().position(|mut tier| tier.any(|known| known == module));
    let mut broken = Vec::new();
    if order.is_empty() {
        return broken;
    }
    for (from, known) in arrows {
        for (to, place) in known {
            let place = format!("{}:{}", place.file.display(), place.line);
            match (height(from), height(to)) {
                (Some(above), Some(below)) if above < below => {}
                (Some(_), Some(_)) => broken.push(format!("{place}: {from} -> {to} runs upwards")),
                _ => broken.push(format!("{place}: {from} -> {to}: one of them has no place")),
            }
        }
    }
    broken
}
