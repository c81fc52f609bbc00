//! Edits that can't be patched, and what can be had beside them: what is edited later, and bodies
//! that were saved together with them and don't mention what they are about.
//!
//! ```text
//! files as they were when that was refused ─► files now: what was edited since
//!             └─► files from which what runs was made ─► the same edits there: what can be had
//! ```
//!
//! Knows nothing of why something can't be patched.

use std::collections::HashMap;

use soft_mock_rewriter::syntax::{contains, PRIMITIVE_TYPES};

use super::compare::Found;
use super::merge::{merge, words_of_changes};
use super::*;
use crate::program::plan::Change;

/// What was refused.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    edits: Vec<Rude>,
    /// What the files said for which no patch could be built. None: that is to be tried.
    tried: Option<Meaning>,
    /// The files as they were then, but for bodies that need not wait: what differs from these
    /// isn't refused.
    texts: Texts,
    /// What else crates would have been compiled with then.
    inputs: Inputs,
    /// As they were when something was refused first since the last patch: what was edited
    /// meanwhile may have been taken back.
    first: Option<Texts>,
}

type Texts = BTreeMap<PathBuf, Arc<str>>;

type Inputs = BTreeMap<(usize, PathBuf), Fingerprint>;

const WAITS: &str = "saved together with what can't be patched, it waits as well";

/// Which of the bodies that were saved together with what is refused wait with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bodies {
    /// Those that mention what it is about.
    Some,
    /// All: without it they don't compile, or can't be patched either.
    All,
}

/// A file that counts as it is, and as it was when what runs was made.
struct EditedFile<'a> {
    path: &'a PathBuf,
    now: (Arc<str>, &'a FileItems),
    running: (Arc<str>, &'a FileItems),
    /// The functions of which nothing but the body differs, by their positions now and then.
    bodies: Vec<(usize, usize)>,
}

impl ProgramState {
    /// These edits can't be patched, and that is known.
    pub(crate) fn record_refusal(&mut self, edits: &[Rude], waiting: Bodies) {
        let Ok(found) = self.find() else {
            return;
        };
        let texts = self.texts_with(edits, waiting);
        let before = self.refusal.take();
        self.refusal = Some(Refusal {
            edits: edits.to_vec(),
            tried: Some(found.meaning),
            texts,
            inputs: self.inputs_now().map(content).collect(),
            first: before.map(|before| before.first.unwrap_or(before.texts)),
        });
    }

    /// What can be had without these edits, for which no patch could be built.
    pub(crate) fn without(&mut self, edits: &[Rude]) -> Option<Box<Wanted>> {
        let found = self.find().ok()?;
        let refusal = self.refusal.as_mut()?;
        refusal.tried = Some(found.meaning.clone());
        let earlier = std::mem::replace(&mut refusal.edits, edits.to_vec());
        let wanted = self.beside(edits, &found)?;
        if !edits.iter().all(|edit| has(&wanted, &found, edit)) {
            return Some(wanted);
        }
        // What stands in the way of all together is what stood there before these were made.
        let earlier: Vec<Rude> = earlier
            .into_iter()
            .filter_map(|edit| found_again(&found, edit))
            .collect();
        if earlier.is_empty() {
            return Some(wanted);
        }
        self.refusal.as_mut()?.edits.clone_from(&earlier);
        Some(Box::new(Wanted {
            waiting: waiting(&found, &earlier, &wanted),
            without: earlier,
            ..*wanted
        }))
    }

    /// What else the files ask for that isn't in effect, where nothing can be had beside these
    /// edits.
    pub(crate) fn waiting_with(&self, edits: &[Rude]) -> Vec<Rude> {
        let Ok(found) = self.find() else {
            return Vec::new();
        };
        let is_back = |file: &EditedFile<'_>| !self.current.contains_key(file.path);
        let bodies = self.edited_bodies(edits).flat_map(|file| {
            let what = if is_back(&file) {
                "was taken back"
            } else {
                "changed"
            };
            let waits = |(now, _): &(usize, usize)| {
                let function = &file.now.1.functions[*now];
                Rude {
                    file: file.path.clone(),
                    line: function.line,
                    why: format!("body of {} {what}", function.title()),
                }
            };
            file.bodies.iter().map(waits).collect::<Vec<_>>()
        });
        let undone = self.undone(&found).into_iter();
        let undone = undone.map(|edit| (edit, ", and was taken back"));
        let fresh = self.fresh(found.indirect.iter().chain(&found.additions));
        let others = fresh.into_iter().map(|edit| (edit, "")).chain(undone);
        let others = others.map(|(edit, end)| Rude {
            file: edit.file,
            line: edit.line,
            why: edit.what + end,
        });
        let is_refused = |waits: &Rude| {
            let mut edits = edits.iter();
            edits.any(|edit| {
                let is_same = edit.file == waits.file && edit.why.starts_with(&*waits.why);
                is_same || edit.is_at(&waits.file, waits.line)
            })
        };
        let all = bodies.chain(others);
        let all: BTreeSet<Rude> = all.filter(|waits| !is_refused(waits)).collect();
        all.into_iter().collect()
    }

    /// The next look at the files may come to something else.
    pub(super) fn try_again(&mut self) {
        if let Some(refusal) = &mut self.refusal {
            refusal.tried = None;
        }
    }

    /// The edits for which no patch of what the files say could be built.
    pub(super) fn known_refusal(&self, meaning: &Meaning) -> Option<&[Rude]> {
        let refusal = self.refusal.as_ref()?;
        (refusal.tried.as_ref() == Some(meaning)).then_some(&*refusal.edits)
    }

    /// Whether an edit was refused before.
    pub(super) fn was_refused(&self, edit: &Edit) -> bool {
        let mut edits = self.refusal.iter().flat_map(|refusal| &refusal.edits);
        edits.any(|refused| refused.file == edit.file && refused.why.starts_with(&edit.what))
    }

    /// A patch is in effect that was made beside what is refused.
    pub(super) fn record_beside(&mut self, texts: &Texts) {
        if let Some(refusal) = &mut self.refusal {
            refusal.texts.clone_from(texts);
            refusal.first = None;
        }
    }

    /// What can be had beside edits that can't be patched; `found` is all that the files ask for.
    pub(super) fn beside(&self, edits: &[Rude], found: &Found) -> Option<Box<Wanted>> {
        let Change::Patch(wanted) = self.merged()?.change() else {
            return None;
        };
        // Of several that were refused together, what can be had now waits no more.
        let refused = edits.iter().filter(|edit| !has(&wanted, found, edit));
        let mut without: Vec<Rude> = refused.cloned().collect();
        if without.is_empty() {
            without.extend_from_slice(edits);
        }
        Some(Box::new(Wanted {
            waiting: waiting(found, edits, &wanted),
            without,
            beside: self.texts().collect(),
            ..*wanted
        }))
    }

    /// The texts of the files that differ from what was compiled.
    fn texts(&self) -> impl Iterator<Item = (PathBuf, Arc<str>)> + '_ {
        let changed = self.current.iter().filter_map(|(path, state)| match state {
            FileState::Changed(units) => units.first().map(|(_, file)| (path, file)),
            _ => None,
        });
        changed.map(|(path, file)| (path.clone(), Arc::clone(&file.text)))
    }

    /// The program as if its files held nothing but what runs and what was edited since something
    /// was refused. None: that can't be told.
    fn merged(&self) -> Option<Self> {
        let refusal = self.refusal.as_ref()?;
        let then = [Some(&refusal.texts), refusal.first.as_ref()];
        then.into_iter().find_map(|then| self.merged_since(then?))
    }

    fn merged_since(&self, then: &Texts) -> Option<Self> {
        let is_certain = self.meaning.is_some()
            && self.held.is_empty()
            && self.gone.is_empty()
            && !self.program.is_plugin
            && !self.moved().is_any();
        if !is_certain {
            return None;
        }
        let made_from = self.made_from.keys().map(|(_, path)| path);
        let current = self.current.keys();
        let all: BTreeSet<&PathBuf> = current.chain(made_from).chain(then.keys()).collect();
        let mut merged = BTreeMap::new();
        for path in all {
            if let Some(state) = self.merged_file(path, then.get(path))? {
                merged.insert(path.clone(), state);
            }
        }
        // What was read is in its own form now.
        forget_sources();
        let mut state = self.clone();
        state.current = merged;
        state.refusal = None;
        Some(state)
    }

    /// `Some(None)`: it is as it was compiled, or an input that waits.
    fn merged_file(&self, path: &PathBuf, then: Option<&Arc<str>>) -> Option<Option<FileState>> {
        let state = self.current.get(path);
        let units = self.program.units.iter().enumerate();
        let mut units = units
            .filter(|(_, loaded)| loaded.files.contains_key(path))
            .peekable();
        if units.peek().is_none() {
            return match state? {
                FileState::Rude(_) | FileState::Unknown | FileState::Same(_) => Some(None),
                FileState::Input(inputs) => {
                    let waits = |(unit, input): &(usize, ChangedInput)| {
                        let known = self.refusal.as_ref()?.inputs.get(&(*unit, path.clone()));
                        Some(known == Some(&input.fingerprint()))
                    };
                    let wait = inputs.iter().any(|input| waits(input) == Some(true));
                    Some(match wait {
                        true => self.running_input(path),
                        false => state.cloned(),
                    })
                }
                FileState::Syntax(_) => None,
                FileState::Changed(files) => {
                    let is_running = |(position, now): &(usize, ChangedFile)| {
                        let running = self.made_from.get(&(*position, path.clone()));
                        running.is_some_and(|running| running.text == now.text)
                    };
                    files.iter().all(is_running).then(|| state.cloned())
                }
            };
        }
        let mut changed = Vec::new();
        for (position, loaded) in units {
            let compiled = || Some(Arc::from(loaded.compiled_text(path)?));
            let then: Arc<str> = then.cloned().or_else(compiled)?;
            let now = match state {
                Some(FileState::Changed(_)) | None => match self.changed_file(position, path) {
                    Some(file) => Arc::clone(&file.text),
                    None => compiled()?,
                },
                Some(
                    FileState::Rude(_)
                    | FileState::Unknown
                    | FileState::Input(_)
                    | FileState::Same(_),
                ) => Arc::clone(&then),
                Some(FileState::Syntax(_)) => return None,
            };
            let (running, _) = self.running(position, path)?;
            let merged = merge(&then, &running, &now)?;
            let read = |text: String| {
                let items = FileItems::read_as(
                    loaded.unit.compiled_as(),
                    &text,
                    path,
                    &loaded.files[path].module,
                )
                .ok()?;
                let items = Arc::new(items);
                let text = text.into();
                Some(ChangedFile { text, items })
            };
            let plain = read(merged.text)?;
            // Where that means the same.
            let aligned = read(merged.aligned);
            let aligned = aligned.filter(|file| file.items.meaning == plain.items.meaning);
            let file = aligned.unwrap_or(plain);
            if !loaded.compiled_text_is(path, &file.text) {
                changed.push((position, file));
            }
        }
        Some((!changed.is_empty()).then_some(FileState::Changed(changed)))
    }

    /// A file as it was when what runs was made.
    fn running(&self, position: usize, path: &PathBuf) -> Option<(Arc<str>, &FileItems)> {
        if let Some(file) = self.made_from.get(&(position, path.clone())) {
            return Some((Arc::clone(&file.text), &file.items));
        }
        self.compiled(position, path)
    }

    fn compiled(&self, position: usize, path: &PathBuf) -> Option<(Arc<str>, &FileItems)> {
        let loaded = &self.program.units[position];
        let items = loaded.files.get(path)?;
        Some((loaded.compiled_text(path)?.into(), items))
    }

    /// The files with what waits, and with the running bodies in place of those that don't.
    fn texts_with(&self, edits: &[Rude], waiting: Bodies) -> Texts {
        let mut texts: Texts = self.texts().collect();
        if waiting == Bodies::All {
            return texts;
        }
        let files: Vec<EditedFile<'_>> = self.edited_bodies(edits).collect();
        let names = names_of_changes(&files);
        for file in &files {
            let needs_not_wait = |(now, _): &&(usize, usize)| {
                let mentions = &file.now.1.functions[*now].mentions.all;
                !names.iter().any(|name| contains(mentions, name))
            };
            let bodies = file.bodies.iter().filter(needs_not_wait);
            let text = file.with_running(bodies);
            texts.insert(file.path.clone(), text.into());
        }
        texts
    }

    /// The files of which bodies differ from what runs, but for those that are refused themselves.
    fn edited_bodies<'a>(&'a self, edits: &'a [Rude]) -> impl Iterator<Item = EditedFile<'a>> {
        let changed = self.current.iter().filter_map(|(path, state)| match state {
            FileState::Changed(units) => Some((path, units.first()?)),
            _ => None,
        });
        let changed = changed.map(|(path, (position, now))| {
            let now = (Arc::clone(&now.text), &*now.items);
            (path, *position, now)
        });
        // As they were compiled, and that isn't what runs.
        let made_from = self.made_from.keys();
        let restored = made_from.filter(|(_, path)| !self.current.contains_key(path));
        let restored = restored.filter_map(|(position, path)| {
            Some((path, *position, self.compiled(*position, path)?))
        });
        changed.chain(restored).filter_map(|(path, position, now)| {
            let running = self.running(position, path)?;
            let then = by_name(running.1);
            let bodies = by_name(now.1).into_iter().filter_map(|(key, at)| {
                let (at, before) = (at?, (*then.get(&key)?)?);
                let [new, old] = [&now.1.functions[at], &running.1.functions[before]];
                let is_refused = |edit: &Rude| edit.is_at(path, new.line);
                (new.body != old.body && !edits.iter().any(is_refused)).then_some((at, before))
            });
            let mut bodies: Vec<(usize, usize)> = bodies.collect();
            bodies.sort_unstable();
            Some(EditedFile {
                path,
                now,
                bodies,
                running,
            })
        })
    }
}

impl EditedFile<'_> {
    /// The text with these bodies as they run.
    fn with_running<'b>(
        &self,
        bodies: impl DoubleEndedIterator<Item = &'b (usize, usize)>,
    ) -> String {
        let mut text = self.now.0.to_string();
        let mut places: Vec<_> = bodies
            .map(|(now, then)| {
                let now = &self.now.1.functions[*now].place.body;
                (
                    now.clone(),
                    self.running.1.functions[*then].place.body.clone(),
                )
            })
            .collect();
        places.sort_unstable_by_key(|(now, _)| std::cmp::Reverse(now.start));
        for (now, then) in places {
            text.replace_range(now, &self.running.0[then]);
        }
        text
    }
}

/// What the files ask for beside refused edits, and `wanted` doesn't have.
fn waiting(found: &Found, refused: &[Rude], wanted: &Wanted) -> Vec<Rude> {
    let bodies = found.bodies.iter().filter(|(key, function)| {
        let had = wanted.bodies.get(*key);
        had.is_none_or(|had| had.body != function.body)
    });
    let bodies = bodies.map(|(_, function)| Rude {
        file: function.file.clone(),
        line: function.line,
        why: format!("body of {} changed: {WAITS}", function.name),
    });
    let others = found.indirect.iter().chain(&found.additions);
    let others = others.filter(|edit| !has_indirect(wanted, edit));
    let others = others.map(|edit| Rude {
        file: edit.file.clone(),
        line: edit.line,
        why: format!("{}: {WAITS}", edit.what),
    });
    let is_refused = |waits: &Rude| {
        let mut refused = refused.iter();
        refused.any(|edit| edit.is_at(&waits.file, waits.line))
    };
    bodies
        .chain(others)
        .filter(|waits| !is_refused(waits))
        .collect()
}

/// Whether an edit that the files ask for is part of what is wanted.
fn has(wanted: &Wanted, found: &Found, edit: &Rude) -> bool {
    let mut bodies = found.bodies.iter();
    let body = bodies.find(|(_, function)| edit.is_at(&function.file, function.line));
    let mut indirect = found.indirect.iter().chain(&found.additions);
    match body {
        Some((key, function)) => {
            let had = wanted.bodies.get(key);
            had.is_some_and(|had| had.body == function.body)
        }
        None => indirect.any(|indirect| {
            edit.is_at(&indirect.file, indirect.line)
                && edit.why.starts_with(&indirect.what)
                && has_indirect(wanted, indirect)
        }),
    }
}

/// An edit that was refused before, at the place that it has now. None: it was taken back.
fn found_again(found: &Found, edit: Rude) -> Option<Rude> {
    let mut indirect = found.indirect.iter().chain(&found.additions);
    let again = indirect.find(|now| now.file == edit.file && edit.why.starts_with(&now.what));
    if let Some(again) = again {
        return Some(Rude {
            line: again.line,
            ..edit
        });
    }
    let mut bodies = found.bodies.values();
    let is_body = bodies.any(|function| edit.is_at(&function.file, function.line));
    is_body.then_some(edit)
}

fn has_indirect(wanted: &Wanted, edit: &Edit) -> bool {
    let mut had = wanted.indirect.iter().chain(&wanted.additions);
    had.any(|had| had.what == edit.what && had.now == edit.now)
}

/// A changed input, as it is told from what it is later.
fn content(
    (position, path, input): (usize, &PathBuf, &ChangedInput),
) -> ((usize, PathBuf), Fingerprint) {
    ((position, path.clone()), input.fingerprint())
}

/// Functions by all but their bodies; None where there are several.
fn by_name(items: &FileItems) -> HashMap<String, Option<usize>> {
    let mut found = HashMap::new();
    for (at, function) in items.functions.iter().enumerate() {
        let key = format!(
            "{:?}",
            (
                (&function.module, &function.owner, &function.in_trait),
                (&function.name, &function.signature, &function.attributes),
                (
                    &function.cfgs,
                    items.header_of(function).map(|header| &header.text)
                ),
            )
        );
        found
            .entry(key)
            .and_modify(|known| *known = None)
            .or_insert(Some(at));
    }
    found
}

/// What the files declare otherwise than what runs, and the names that came or went beside the
/// bodies.
fn names_of_changes(files: &[EditedFile<'_>]) -> HashSet<String> {
    const DECLARING: &[&str] = &[
        "const",
        "enum",
        "fn",
        "macro_rules",
        "mod",
        "mut",
        "static",
        "struct",
        "trait",
        "type",
        "union",
    ];
    let mut found = HashSet::new();
    for file in files {
        let text = file.with_running(file.bodies.iter());
        let words = words_of_changes(&file.running.0, &text);
        for [own, others] in [[&words[0], &words[1]], [&words[1], &words[0]]] {
            let others: HashSet<&str> = others.iter().copied().collect();
            let new = own.iter().filter(|word| !others.contains(*word));
            // Every second body has one of these in its signature.
            let new = new.filter(|word| !PRIMITIVE_TYPES.contains(word));
            found.extend(new.map(|word| (*word).to_owned()));
            let pairs = own.windows(2).filter(|pair| DECLARING.contains(&pair[0]));
            found.extend(pairs.map(|pair| pair[1].to_owned()));
        }
    }
    found
}
