//! Says what a patch came to: from what was planned, built and answered to the events that the user
//! is told.
//!
//! Knows nothing of words, nor of the session's state.

use std::time::Duration;

use soft_mock_abi::protocol::Loaded;
use soft_mock_compiled::symbols::closure_in;

use super::parts::patches::Patch;
use crate::patch::Built;
use crate::program::plan::{Edit, KeptBody, PlannedFunction, Rude, Wanted};
use crate::ui::{shown, Event, FunctionPlace, KeptPlace, Reason};
use crate::watch::Missing;

/// What is new. What a process told of running calls decides what is said of it. `kept`: statics
/// that begin with another value, as far as that is news.
pub(super) fn patched(
    patch: &Patch,
    kept: &[String],
    loaded: &Loaded,
    elapsed: Duration,
) -> Vec<Event> {
    let new = new_functions(&patch.wanted, !patch.once.is_empty());
    let functions = told(new.functions);
    let is_running = |name: &str| {
        let mut functions = loaded.report.functions.iter();
        functions.any(|f| f.name == name && f.running > 0)
    };
    let is_main = |name: &str| name.matches("::").count() == 1 && name.ends_with("::main");
    let (dead, live): (Vec<_>, Vec<_>) = functions
        .into_iter()
        .partition(|f| is_main(&f.name) && is_running(&f.name));
    let mut events = Vec::new();
    if !live.is_empty() {
        let still = live.iter().filter(|f| is_running(&f.name)).cloned();
        let still = Event::StillRunning(still.collect());
        events.push(Event::Patched {
            functions: live,
            elapsed,
            because: because(&patch.wanted, new.is_certain),
            keep: Vec::new(),
        });
        events.push(still);
    }
    let once = patch.once.iter().map(place);
    events.push(Event::WithoutEffect(dead.into_iter().chain(once).collect()));
    let units = patch.wanted.plan.values();
    let restored = units.flat_map(|unit| &unit.restore);
    let restored = restored.filter(|function| function.brought.is_none());
    events.push(Event::Restored {
        functions: told(restored.collect()),
        elapsed,
        keep: Vec::new(),
    });
    events.extend(kept_values(&patch.wanted.fresh, kept));
    events.extend(patch.successors.iter().map(|one| Event::Succeeds {
        name: one.name.clone(),
        gone: one.gone.clone(),
        same: one.same,
    }));
    keep(&mut events, &patch.kept_bodies);
    if new.is_certain && events.iter().all(is_empty) {
        events.push(match patch.wanted.fresh.first() {
            Some(edit) => Event::NothingUsesIt(edit_reason(edit)),
            None => Event::NothingDiffers,
        });
    }
    events
}

/// Nothing is said of it.
fn is_empty(event: &Event) -> bool {
    match event {
        Event::Patched { functions, .. }
        | Event::Restored { functions, .. }
        | Event::WithoutEffect(functions) => functions.is_empty(),
        _ => false,
    }
}

/// The names of the functions that have new bodies.
pub(super) fn functions(events: &[Event]) -> impl Iterator<Item = &str> {
    let patched = events.iter().filter_map(|event| match event {
        Event::Patched { functions, .. } => Some(functions),
        _ => None,
    });
    patched.flatten().map(|function| &*function.name)
}

/// The functions of which calls may be expected: new ones come, and none is in progress.
pub(super) fn callable(events: &[Event]) -> Vec<FunctionPlace> {
    let mut all = Vec::new();
    for event in events {
        match event {
            Event::Patched { functions, .. } => all.extend_from_slice(functions),
            Event::StillRunning(functions) => all.retain(|function| !functions.contains(function)),
            _ => {}
        }
    }
    all
}

/// What keeps its body is said beside the functions that are new, or else by itself. What was made
/// by others was told with them.
fn keep(events: &mut Vec<Event>, kept: &[KeptBody]) {
    let (mut all, mut others) = (Vec::new(), Vec::new());
    for kept in kept {
        match &kept.place {
            Some(_) => all.push(kept),
            None => others.push(kept_place(kept)),
        }
    }
    for event in events.iter_mut() {
        let (Event::Patched {
            functions, keep, ..
        }
        | Event::Restored {
            functions, keep, ..
        }) = event
        else {
            continue;
        };
        let is_new = |kept: &&&KeptBody| functions.iter().any(|new| new.name == kept.function);
        keep.extend(all.iter().filter(is_new).map(|kept| kept_place(kept)));
        if !functions.is_empty() {
            keep.append(&mut others);
        }
    }
    if !others.is_empty() {
        events.push(Event::KeepBodies(others));
    }
}

fn kept_place(kept: &KeptBody) -> KeptPlace {
    KeptPlace {
        function: kept.function.clone(),
        place: kept
            .place
            .as_ref()
            .map(|(file, number)| (shown(file), line(*number))),
    }
}

/// An edit was compiled, and the code of the running program is what comes out.
pub(super) fn nothing_differs(wanted: &Wanted, built: &Built, kept: &[String]) -> Vec<Event> {
    if !built.once.is_empty() {
        let once = built.once.iter().map(place);
        return vec![Event::WithoutEffect(once.collect())];
    }
    let Some(edit) = wanted.fresh.first() else {
        return vec![Event::NothingDiffers];
    };
    let mut events = kept_values(&wanted.fresh, kept);
    if wanted
        .fresh
        .iter()
        .any(|edit| edit.preserved_static.is_none())
    {
        events.push(Event::NothingUsesIt(edit_reason(edit)));
    }
    events
}

/// What is still compiled for a patch.
pub(super) fn still_building(wanted: &Wanted) -> Option<Event> {
    let edit = wanted.fresh.first().map(|edit| {
        let Reason { file, line, why } = edit_reason(edit);
        format!("{file}:{line}: {why}")
    });
    let body = || Some(place(wanted.bodies.values().next()?).to_string());
    Some(Event::StillBuilding(edit.or_else(body)?))
}

/// Files are looked at again and again from now on.
pub(super) fn polls(why: &Missing) -> Event {
    Event::Polls(match why {
        Missing::Event(file) => format!("{} was changed, and no event came", shown(file)),
        Missing::Watches(why) => why.clone(),
    })
}

/// Why edits can't be patched, for people.
pub(super) fn reasons(edits: &[Rude]) -> Vec<Reason> {
    let reason = |edit: &Rude| Reason {
        file: shown(&edit.file),
        line: line(edit.line),
        why: edit.why.clone(),
    };
    edits.iter().map(reason).collect()
}

/// Where a patch that the program refused came from.
pub(super) fn refused_patch(wanted: &Wanted, error: &str) -> Vec<Rude> {
    let why = format!("the program refused the patch: {error}");
    let edits = wanted.refused(&why);
    if !edits.is_empty() {
        return edits;
    }
    let units = wanted.plan.values();
    let first = units.flat_map(|unit| &unit.restore).take(1);
    let restored = first.map(|function| Rude {
        file: function.file.clone(),
        line: function.line,
        why: why.clone(),
    });
    restored.collect()
}

/// A line's number, as it is shown.
pub(super) fn line(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// A function, as it is shown.
pub(super) fn place(function: &PlannedFunction) -> FunctionPlace {
    FunctionPlace {
        name: function.name.clone(),
        file: shown(&function.file),
        line: line(function.line),
    }
}

fn edit_reason(edit: &Edit) -> Reason {
    Reason {
        file: shown(&edit.file),
        line: line(edit.line),
        why: edit.what.clone(),
    }
}

/// The functions that run something else than before.
struct New<'a> {
    functions: Vec<&'a PlannedFunction>,
    /// Else they may do as before.
    is_certain: bool,
}

/// A build of whole crates carries functions along that are as they were. Where that can't be told
/// of any, all of them are meant whose code isn't known to be the same, unless the edit reached
/// `main`, or gave others their original bodies.
fn new_functions(wanted: &Wanted, reached_main: bool) -> New<'_> {
    let all = || {
        let units = wanted.plan.iter();
        units.flat_map(|(position, unit)| unit.patch.iter().map(move |f| (*position, f)))
    };
    let only_bodies = wanted.fresh.is_empty() && wanted.undone.is_empty();
    let carried = |position: usize, function: &PlannedFunction| {
        let site = (position, function.name.clone());
        // Whatever else an edit reaches, it is none that came with this save.
        let is_as_before = only_bodies && !wanted.bodies.contains_key(&site);
        let mut active = wanted.active.iter();
        // What is told of a new one is who uses it.
        if function.brought.is_some() && !active.clone().any(|(known, _)| *known == site) {
            return true;
        }
        let is_edited = |edit: &Edit| edit.file == function.file && edit.line == function.line;
        // Whole crates take the source of one that was new before for no body of its own.
        let is_unedited = || {
            let is_whole = function.brought.is_some() && function.code.is_some();
            is_whole && !wanted.fresh.iter().any(is_edited)
        };
        let is_like = |active: &PlannedFunction| match only_bodies {
            true => is_as_before || function.has_source_of(active),
            false => function.is_like(active) || active.code.is_none() && is_unedited(),
        };
        active.any(|(known, active)| *known == site && is_like(active))
    };
    let has_same_code = |position: usize, function: &PlannedFunction| {
        let site = (position, function.name.clone());
        let mut active = wanted.active.iter().filter(|(known, _)| *known == site);
        active.any(|(_, active)| function.code.is_some() && active.code == function.code)
    };
    let which = |is_it: &dyn Fn(usize, &PlannedFunction) -> bool| -> Vec<_> {
        let found = all().filter(|(position, function)| is_it(*position, function));
        found.map(|(_, function)| function).collect()
    };
    let new = which(&|position, function| !carried(position, function));
    let restores = wanted.plan.values().any(|unit| !unit.restore.is_empty());
    let unknown = match new.is_empty() && !reached_main && !restores {
        true => which(&|position, function| !has_same_code(position, function)),
        false => Vec::new(),
    };
    New {
        is_certain: unknown.is_empty(),
        functions: [new, unknown].concat(),
    }
}

/// Functions, as they are shown. Code with which an object or a library calls a closure is that
/// closure; drop glue, which nobody has written, is told if there is nothing else.
fn told(functions: Vec<&PlannedFunction>) -> Vec<FunctionPlace> {
    let mut all = Vec::new();
    let mut made = Vec::new();
    for place in functions.into_iter().map(place) {
        let is_made = place.name.contains(CALLS) || place.name.len() > READABLE;
        match closure_in(&place.name)
            .filter(|_| is_made)
            .map(str::to_owned)
        {
            Some(name) => made.push(FunctionPlace { name, ..place }),
            None => all.push(place),
        }
    }
    for closure in made {
        if !all
            .iter()
            .any(|known: &FunctionPlace| known.name == closure.name)
        {
            all.push(closure);
        }
    }
    let is_written = |place: &FunctionPlace| !place.name.starts_with(DROPS);
    if all.iter().any(is_written) {
        all.retain(is_written);
    }
    all
}

/// What follows the name of a closure where an object calls it.
const CALLS: &str = " as core::ops::function::Fn";

/// A longer name of what is made for a closure tells less than that closure's.
const READABLE: usize = 120;

/// How the name of drop glue begins.
const DROPS: &str = "core::ptr::drop_in_place::<";

/// The edits that aren't bodies of the functions themselves.
fn because(wanted: &Wanted, are_reached: bool) -> Option<String> {
    let first = wanted.fresh.first()?;
    let more = match wanted.fresh.len() {
        1 => String::new(),
        more => format!(" +{} more", more - 1),
    };
    let far = match are_reached {
        true => "",
        false => ", as far as they use it",
    };
    Some(format!("{}{more}{far}", first.what))
}

/// Statics that exist keep what they hold.
fn kept_values(edits: &[Edit], kept: &[String]) -> Vec<Event> {
    if edits.is_empty() {
        return Vec::new();
    }
    let is_said = |name: &&String| {
        let mut statics = edits
            .iter()
            .filter_map(|edit| edit.preserved_static.as_ref());
        statics.any(|of| name.ends_with(of.as_str()))
    };
    let unsaid = kept.iter().filter(|name| !is_said(name));
    let unsaid = unsaid.map(|name| Event::KeepsValue { name: name.clone() });
    let edited = edits.iter().filter_map(|edit| {
        Some(Event::KeepsUsedValue {
            edit: edit_reason(edit),
            name: edit.preserved_static.clone()?,
        })
    });
    unsaid.chain(edited).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use soft_mock_abi::protocol::Load;
    use soft_mock_abi::report::{Installed, Report};
    use soft_mock_rewriter::syntax::Fingerprint;

    use super::*;
    use crate::program::plan::UnitPlan;

    fn function(name: &str) -> PlannedFunction {
        PlannedFunction {
            name: name.into(),
            file: "/a.rs".into(),
            line: 3,
            uses: Default::default(),
            code: None,
            brought: None,
            body: Default::default(),
        }
    }

    fn patch(plan: UnitPlan) -> Patch {
        Patch {
            program: "/a".into(),
            wanted: Box::new(Wanted {
                plan: BTreeMap::from([(0, plan)]),
                ..Wanted::default()
            }),
            once: Vec::new(),
            preserved_statics: Default::default(),
            successors: Vec::new(),
            kept_bodies: Vec::new(),
            alone: Vec::new(),
            load: Load {
                id: 1,
                ..Load::default()
            },
            since: std::time::Instant::now(),
            recipients: Vec::new(),
        }
    }

    fn loaded(running: &[(&str, usize)]) -> Loaded {
        let installed = |(name, running): &(&str, usize)| Installed {
            name: (*name).into(),
            file: "a.rs".into(),
            line: 3,
            running: *running,
            restored: false,
            called: None,
        };
        Loaded {
            id: 1,
            report: Report {
                patch: 1,
                generation: 1,
                functions: running.iter().map(installed).collect(),
                bytes: 0,
                elapsed: Duration::ZERO,
                undone: Vec::new(),
                warnings: Vec::new(),
            },
        }
    }

    fn names(places: &[FunctionPlace]) -> Vec<&str> {
        places.iter().map(|place| place.name.as_str()).collect()
    }

    #[test]
    fn a_running_main_has_no_new_body_and_others_have_one_next_time() {
        let plan = UnitPlan {
            patch: vec![function("a::main"), function("a::serve"), function("a::f")],
            restore: vec![function("a::g")],
            ..UnitPlan::default()
        };
        let told = loaded(&[("a::main", 1), ("a::serve", 1), ("a::f", 0)]);
        let events = patched(&patch(plan), &[], &told, Duration::ZERO);
        let [Event::Patched { functions, .. }, Event::StillRunning(running), Event::WithoutEffect(dead), Event::Restored {
            functions: restored,
            ..
        }] = &events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!(names(functions), ["a::serve", "a::f"]);
        assert_eq!(names(running), ["a::serve"]);
        assert_eq!(names(dead), ["a::main"]);
        assert_eq!(names(restored), ["a::g"]);
    }

    #[test]
    fn what_keeps_its_body_is_said_with_its_function() {
        let plan = UnitPlan {
            patch: vec![function("a::f"), function("a::g")],
            ..UnitPlan::default()
        };
        let mut patch = patch(plan);
        patch.wanted.active = vec![((0, "a::g".into()), function("a::g"))];
        let kept = |function: &str, place: Option<usize>| KeptBody {
            function: function.into(),
            place: place.map(|line| ("/a.rs".into(), line)),
        };
        patch.kept_bodies = vec![
            kept("a::f", Some(4)),
            kept("a::g", Some(5)),
            kept("a::h::<u8>", None),
        ];
        let events = self::patched(&patch, &[], &loaded(&[]), Duration::ZERO);
        let Some(Event::Patched { keep, .. }) = events.first() else {
            panic!("{events:?}");
        };
        let said: Vec<_> = keep.iter().map(|kept| &*kept.function).collect();
        assert_eq!(said, ["a::f", "a::h::<u8>"]);
    }

    #[test]
    fn what_whole_crates_carry_along_is_not_new() {
        let mut patch = patch(UnitPlan {
            patch: vec![function("a::f"), function("a::g")],
            ..UnitPlan::default()
        });
        patch.wanted.active = vec![((0, "a::f".into()), function("a::f"))];
        let events = self::patched(&patch, &[], &loaded(&[]), Duration::ZERO);
        let Some(Event::Patched { functions, .. }) = events.first() else {
            panic!("{events:?}");
        };
        assert_eq!(names(functions), ["a::g"]);

        // A constant that `f` uses was edited before; now it is the body of `g`.
        let before = PlannedFunction {
            body: Fingerprint::joined([Fingerprint::default()]),
            ..function("a::f")
        };
        patch.wanted.active = vec![((0, "a::f".into()), before)];
        patch.wanted.bodies = BTreeMap::from([((0, "a::g".into()), function("a::g"))]);
        let events = self::patched(&patch, &[], &loaded(&[]), Duration::ZERO);
        let Some(Event::Patched { functions, .. }) = events.first() else {
            panic!("{events:?}");
        };
        assert_eq!(names(functions), ["a::g"]);
    }

    #[test]
    fn an_edit_that_changes_no_code_names_no_function() {
        let edit = Edit {
            file: "/a.rs".into(),
            line: 1,
            what: "attributes of struct S changed".into(),
            now: Fingerprint::default(),
            preserved_static: None,
            is_of_code: true,
            may_alter_macros: false,
            may_concern_tests: false,
        };
        let made = |code| PlannedFunction {
            code,
            ..function("a::f")
        };
        let said = |before, now| {
            let mut patch = patch(UnitPlan {
                patch: vec![made(now)],
                ..UnitPlan::default()
            });
            patch.wanted.fresh = vec![edit.clone()];
            patch.wanted.active = vec![((0, "a::f".into()), made(before))];
            let events = self::patched(&patch, &[], &loaded(&[]), Duration::ZERO);
            events.into_iter().find(|event| !is_empty(event))
        };
        let Some(Event::NothingUsesIt(named)) = said(Some(1), Some(1)) else {
            panic!("it is the same code");
        };
        assert_eq!(named.why, edit.what);
        let because = |event| match event {
            Some(Event::Patched { because, .. }) => because,
            other => panic!("{other:?}"),
        };
        let other = because(said(Some(1), Some(2)));
        assert_eq!(other.as_deref(), Some(&*edit.what));
        // It was compiled alone until now.
        let unknown = because(said(None, Some(1))).expect("an edit");
        assert!(unknown.ends_with("as far as they use it"), "{unknown}");
    }
}
