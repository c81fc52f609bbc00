//! Additions that were compiled with whole crates, and are carried with the bodies that use them
//! afterwards.

use super::{with, Day, Way, SCALED};

const BAG: &str = "
use std::cmp::min;

struct Bag(u64);

impl Bag {
    fn text(&self) -> String {
        format!(\"b{}\", min(self.0, LIMIT))
    }
}

const LIMIT: u64 = 5;
";

#[test]
fn types_imports_and_constants() {
    let mut day = Day::scaled("");
    let marked = with(SCALED, &[("format!(\"m{n}\")", "Bag(n.into()).text()")]) + BAG;
    day.save(&marked, "account of ada: 20b1", Way::Micro);
    let larger = with(&marked, &[("u64 = 10", "u64 = 100")]);
    day.save(&larger, "account of ada: 300b1", Way::WholeCrate);
    // A body that uses them, a method and a constant of theirs, and one of them less.
    let more = with(&larger, &[("Bag(n.into())", "Bag(u64::from(n) + 6)")]);
    day.save(&more, "account of ada: 400b5", Way::Micro);
    let upper = with(&more, &[("\"b{}\"", "\"B{}\"")]);
    day.save(&upper, "account of ada: 500B5", Way::Micro);
    let limit = with(&upper, &[("LIMIT: u64 = 5", "LIMIT: u64 = 6")]);
    day.save(&limit, "account of ada: 600B6", Way::Micro);
    let without = with(
        &limit,
        &[
            ("use std::cmp::min;\n", ""),
            ("min(self.0, LIMIT)", "LIMIT"),
        ],
    );
    day.save(&without, "account of ada: 700B6", Way::Micro);
    // What reached others is undone, and they stay.
    day.save(&marked, "account of ada: 80b1", Way::WholeCrate);
    day.session.wait_for_stderr("restored 1 function");
    day.save(SCALED, "account of ada: 90m1", Way::Nothing);
}

/// Objects of the type as it was compiled then live on: another type of that name is none of
/// theirs.
#[test]
fn a_type_whose_values_live_on() {
    let mut day = Day::scaled("");
    let kept = with(
        SCALED,
        &[(
            "format!(\"m{n}\")",
            "let kept: Box<dyn std::any::Any> = Box::new(Bag(n.into()));\n    \
             let text = kept.downcast_ref::<Bag>().map_or(String::new(), Bag::text);\n    \
             std::mem::forget(kept);\n    text",
        )],
    ) + BAG;
    day.save(&kept, "account of ada: 20b1", Way::WholeCrate);
    let larger = with(&kept, &[("u64 = 10", "u64 = 100")]);
    day.save(&larger, "account of ada: 300b1", Way::WholeCrate);
    let more = with(&larger, &[("    text\n", "    text + \"!\"\n")]);
    day.save(&more, "account of ada: 400b1!", Way::WholeCrate);
}
