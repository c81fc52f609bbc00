//! Compares functions: the one kind of change that can be patched is found here.

use super::{pair, ChangedFunction, FileDiff};
use crate::eligibility::Ineligible;
use crate::items::{FileItems, Function};

pub(super) fn compare(old: &FileItems, new: &FileItems, found: &mut FileDiff) {
    let pairs = pair(
        &old.functions,
        &new.functions,
        |f| (&f.module, &f.owner, &f.in_trait, &f.name),
        &[
            &|a, b| a.cfgs == b.cfgs && a.body == b.body && a.signature == b.signature,
            &|a, b| a.cfgs == b.cfgs && a.signature == b.signature,
            &|a, b| a.cfgs == b.cfgs,
        ],
    );
    for index in pairs.removed {
        let function = &old.functions[index];
        if !is_test(function) {
            found.rude(function.line, format!("{} removed", function.title()));
        }
    }
    for index in pairs.added {
        let function = &new.functions[index];
        if !is_test(function) {
            found.rude(function.line, format!("{} added", function.title()));
        }
    }
    for (old_index, new_index) in pairs.both {
        let (before, after) = (&old.functions[old_index], &new.functions[new_index]);
        if is_test(before) && is_test(after) {
            continue;
        }
        let outside = found.rude.len();
        outside_of_body((old, before), (new, after), found);
        if before.body == after.body || found.rude.len() > outside {
            continue;
        }
        match why_not(before, after) {
            Some(reason) => found.rude(
                after.line,
                format!("body of {} changed: {reason}", after.title()),
            ),
            None => found
                .changed
                .extend(after.kind.ok().map(|kind| ChangedFunction {
                    old: old_index,
                    new: new_index,
                    kind,
                })),
        }
    }
}

fn is_test(function: &Function) -> bool {
    function.kind == Err(Ineligible::Test)
}

fn outside_of_body(
    (old, before): (&FileItems, &Function),
    (new, after): (&FileItems, &Function),
    found: &mut FileDiff,
) {
    let header = |items: &FileItems, function: &Function| {
        items.header_of(function).map(|header| header.text.clone())
    };
    let changes = [
        ("signature", before.signature != after.signature),
        ("attributes", before.attributes != after.attributes),
        ("condition", before.cfgs != after.cfgs),
        ("visibility", before.visibility != after.visibility),
        ("impl header", header(old, before) != header(new, after)),
    ];
    for (what, changed) in changes {
        if changed {
            found.rude(after.line, format!("{what} of {} changed", after.title()));
        }
    }
}

/// Why a changed body can't be patched.
fn why_not(before: &Function, after: &Function) -> Option<String> {
    if let Err(reason) = after.kind {
        return Some(reason.to_string());
    }
    if after.track_caller {
        return Some("it is #[track_caller]: it needs to know who calls it".to_owned());
    }
    if before.local_items.fingerprint != after.local_items.fingerprint {
        let what = after.local_items.what.as_ref();
        let what = what.or(before.local_items.what.as_ref());
        return Some(format!(
            "{} inside of it changed",
            what.map_or("an item", String::as_str)
        ));
    }
    None
}
