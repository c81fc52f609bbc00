//! Crates that run what others make: each of their tasks carries the scope in which it was made,
//! and enters it where it runs.
//!
//! ```text
//! pub(super) struct JobRef { pub(crate) __soft_mock_owner: crate::__soft_mock::Owner, pointer: *const (), … }
//! JobRef { __soft_mock_owner: crate::__soft_mock::Owner::attached(), pointer: …, … }
//! unsafe fn execute(self) { let __soft_mock_entered = self.__soft_mock_owner.enter(); (self.execute_fn)(self.pointer) }
//! ```
//!
//! Whatever a crate offers to start tasks with, there is one type that stands for a task, one place
//! that makes it and one that runs it: so no way around is forgotten. Where a version of the crate
//! has another form, it is an error that says what is missing.

use std::collections::BTreeSet;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{ExprStruct, ImplItemFn, ItemImpl, ItemStruct, Pat, Stmt, Type};

use crate::instrument::carry;
use crate::instrument::support::{support_module_with, CrateIdentity};
use crate::syntax::edition::Edition;
use crate::syntax::edits::Edits;

/// A crate that runs tasks, as its package and its sources call things.
#[derive(Debug, PartialEq, Eq)]
pub struct Executor {
    /// The package.
    pub package: &'static str,
    /// What stands for a task: file and type.
    task: (&'static str, &'static str),
    /// Which question is asked where it is made, in one of the two files.
    question: &'static str,
    /// Where tasks are run: file, type and methods.
    run: (&'static str, &'static str, &'static [&'static str]),
    /// The variable behind whose declaration the task can be had, if it isn't `self`.
    behind: Option<&'static str>,
    /// How the task is had there.
    value: &'static str,
}

/// All that are known. async-std, smol and the like run their tasks with `async-task`.
const KNOWN: [Executor; 3] = [
    Executor {
        package: "tokio",
        task: ("src/runtime/task/core.rs", "Header"),
        question: "detached",
        run: (
            "src/runtime/task/raw.rs",
            "RawTask",
            &["poll", "dealloc", "shutdown"],
        ),
        behind: None,
        value: "self.header()",
    },
    Executor {
        package: "rayon-core",
        task: ("src/job.rs", "JobRef"),
        question: "attached",
        run: ("src/job.rs", "JobRef", &["execute"]),
        behind: None,
        value: "self",
    },
    Executor {
        package: "async-task",
        task: ("src/header.rs", "Header"),
        question: "detached",
        run: ("src/raw.rs", "RawTask", &["run"]),
        behind: Some("raw"),
        value: "(*raw.header)",
    },
];

/// Files of an executor's package, by their paths in it, and what they become.
pub type Surgery = Vec<(String, String)>;

impl Executor {
    /// All that are known.
    pub fn known() -> impl Iterator<Item = &'static Self> {
        KNOWN.iter()
    }

    /// Lets the tasks of a crate carry their scopes: the files that change, by their paths in the
    /// package, as `read` gives them, with what they become. `root` is the crate's root file; it is
    /// given a support module if `identity` is there.
    pub fn carry(
        &'static self,
        root: &str,
        edition: Edition,
        identity: Option<&CrateIdentity>,
        read: &dyn Fn(&str) -> std::io::Result<String>,
    ) -> Result<Surgery, String> {
        let mut changed = Surgery::new();
        let mut found = Found::default();
        for path in self.files() {
            let text = read(path).map_err(|error| format!("{path}: {error}"))?;
            let file = syn::parse_file(&text).map_err(|error| format!("{path}: {error}"))?;
            let mut surgeon = Surgeon {
                executor: self,
                path,
                inside: false,
                edits: Edits::default(),
                found: &mut found,
            };
            surgeon.visit_file(&file);
            changed.push((path.to_owned(), surgeon.edits.apply(&text)));
        }
        self.check(&found)?;
        if let Some(identity) = identity {
            let mut text = read(root).map_err(|error| format!("{root}: {error}"))?;
            text.push('\n');
            text.push_str(&support_module_with(
                edition,
                identity,
                &carry::support(edition),
            ));
            changed.push((root.to_owned(), text));
        }
        Ok(changed)
    }

    fn files(&self) -> BTreeSet<&'static str> {
        [self.task.0, self.run.0].into()
    }

    fn check(&self, found: &Found) -> Result<(), String> {
        let (file, ty) = self.task;
        if found.types != 1 {
            return Err(format!("{file} has no type `{ty}`"));
        }
        if found.made == 0 {
            let files = Vec::from_iter(self.files()).join(" or ");
            return Err(format!("it makes no `{ty}` in {files}"));
        }
        let (file, ty, methods) = self.run;
        match methods.iter().find(|name| !found.run.contains(name)) {
            Some(name) => Err(format!("{file} has no `{ty}::{name}` that is known")),
            None => Ok(()),
        }
    }
}

/// Which of the places were found.
#[derive(Default)]
struct Found {
    types: usize,
    made: usize,
    run: Vec<&'static str>,
}

struct Surgeon<'a> {
    executor: &'static Executor,
    path: &'static str,
    /// Within an impl of the type that runs tasks.
    inside: bool,
    edits: Edits,
    found: &'a mut Found,
}

impl<'ast> Visit<'ast> for Surgeon<'_> {
    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        let (file, ty) = self.executor.task;
        if let (true, syn::Fields::Named(fields)) =
            (self.path == file && item.ident == ty, &item.fields)
        {
            let at = fields.brace_token.span.open().byte_range().end;
            let field = " pub(crate) __soft_mock_owner: crate::__soft_mock::Owner,";
            self.edits.insert(at, field);
            self.found.types += 1;
        }
        visit::visit_item_struct(self, item);
    }

    fn visit_expr_struct(&mut self, expr: &'ast ExprStruct) {
        let last = expr.path.segments.last();
        let is_task = last.is_some_and(|last| last.ident == self.executor.task.1);
        if is_task && expr.rest.is_none() {
            let at = expr.brace_token.span.open().byte_range().end;
            let question = self.executor.question;
            let value = format!(" __soft_mock_owner: crate::__soft_mock::Owner::{question}(),");
            self.edits.insert(at, value);
            self.found.made += 1;
        }
        visit::visit_expr_struct(self, expr);
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let (file, ty, _) = self.executor.run;
        let of = match &*item.self_ty {
            Type::Path(path) => path.path.segments.last(),
            _ => None,
        };
        let outer = self.inside;
        self.inside = self.path == file && of.is_some_and(|of| of.ident == ty);
        visit::visit_item_impl(self, item);
        self.inside = outer;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        let (_, _, methods) = self.executor.run;
        let name = methods.iter().find(|name| item.sig.ident == *name);
        if let (true, Some(name), Some(at)) = (self.inside, name, self.start(item)) {
            let value = self.executor.value;
            let enter = format!(" let __soft_mock_entered = {value}.__soft_mock_owner.enter();");
            self.edits.insert(at, enter);
            self.found.run.push(name);
        }
        visit::visit_impl_item_fn(self, item);
    }
}

impl Surgeon<'_> {
    /// Where in a method the task can be had.
    fn start(&self, item: &ImplItemFn) -> Option<usize> {
        let Some(variable) = self.executor.behind else {
            let by_value = item.sig.receiver().is_some();
            return by_value.then(|| item.block.brace_token.span.open().byte_range().end);
        };
        let declares = |statement: &&Stmt| match statement {
            Stmt::Local(local) => matches!(&local.pat, Pat::Ident(name) if name.ident == variable),
            _ => false,
        };
        let statement = item.block.stmts.iter().find(declares)?;
        Some(statement.span().byte_range().end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(package: &str, files: &[(&str, &str)]) -> Result<String, String> {
        let executor = Executor::known().find(|known| known.package == package);
        let read = |path: &str| {
            let found = files.iter().find(|(name, _)| *name == path);
            let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
            found
                .map(|(_, text)| (*text).to_owned())
                .ok_or_else(missing)
        };
        let executor = executor.expect("a known one");
        let changed = executor.carry("src/lib.rs", Edition::E2021, None, &read)?;
        let texts: Vec<String> = changed.into_iter().map(|(_, text)| text).collect();
        Ok(texts
            .join("|")
            .replace("crate::__soft_mock::", "$")
            .replace("__soft_mock_", "_"))
    }

    #[test]
    fn jobs_of_rayon() {
        let text = "#[derive(Clone)] struct JobRef { p: P }\n\
            impl JobRef { fn new() -> JobRef { JobRef { p: q } } unsafe fn execute(self) { (self.e)(self.p) } }\n\
            impl Job for Other { unsafe fn execute(this: *const ()) {} }";
        let expected = "#[derive(Clone)] struct JobRef { pub(crate) _owner: $Owner, p: P }\n\
            impl JobRef { fn new() -> JobRef { JobRef { _owner: $Owner::attached(), p: q } } unsafe fn execute(self) { let _entered = self._owner.enter(); (self.e)(self.p) } }\n\
            impl Job for Other { unsafe fn execute(this: *const ()) {} }";
        assert_eq!(
            carried("rayon-core", &[("src/job.rs", text)]),
            Ok(expected.to_owned())
        );
    }

    #[test]
    fn tasks_behind_a_pointer() {
        let header = "pub(crate) struct Header<M> { m: M }";
        let raw = "impl<F> RawTask<F> { unsafe fn a() { raw.write(Header { m }) } unsafe fn run(p: P) -> bool { let raw = Self::from(p); true } }";
        let expected = "pub(crate) struct Header<M> { pub(crate) _owner: $Owner, m: M }|\
            impl<F> RawTask<F> { unsafe fn a() { raw.write(Header { _owner: $Owner::detached(), m }) } unsafe fn run(p: P) -> bool { let raw = Self::from(p); let _entered = (*raw.header)._owner.enter(); true } }";
        let files = [("src/header.rs", header), ("src/raw.rs", raw)];
        assert_eq!(carried("async-task", &files), Ok(expected.to_owned()));
    }

    #[test]
    fn another_form_is_an_error() {
        let check = |package: &str, text: &str, expected: &str| {
            let error = carried(package, &[("src/job.rs", text)]).expect_err("another form");
            assert!(error.contains(expected), "{error}");
        };
        let new = "struct JobRef { p: P } fn f() { JobRef { p } }";
        check("rayon-core", "", "src/job.rs has no type `JobRef`");
        check("rayon-core", "struct JobRef { p: P }", "makes no `JobRef`");
        check("rayon-core", new, "has no `JobRef::execute`");
        check("tokio", "", "src/runtime/task/core.rs: ");
    }
}
