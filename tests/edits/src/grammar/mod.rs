//! The kinds of code that programs consist of: what each declares, how it can be edited, what it
//! prints then.
//!
//! Knows nothing of files, crates, processes and `hot`. A kind is a text with holes; a *knob* fills
//! a hole with one of several texts, and turning a knob is an edit. A kind says what its code
//! prints from where its knobs stand now and where they stood when its values were made.

mod added;
mod aliases;
mod array_length;
mod associated;
mod async_code;
mod attributes;
mod blanket;
mod body_macro;
mod closure_order;
mod constants;
mod consts_of_traits;
mod default_method;
mod display;
mod drops;
mod enums;
mod foreign_macro;
mod generic_code;
mod generic_object;
mod glob_code;
mod glob_types;
mod handlers;
mod impl_elsewhere;
mod inner_items;
mod late_closure;
mod late_pointer;
mod layouts;
mod lazy;
mod lower_case;
mod macro_functions;
mod macro_scope;
mod macro_types;
mod namesakes;
mod operators;
mod plain;
mod pointers;
mod positions;
mod raw_names;
mod returned_closure;
mod statics;
mod stored_closure;
mod thread_locals;
mod threads;
mod type_ids;

/// All kinds. The order is part of what a seed means.
pub(crate) const KINDS: &[Kind] = &[
    plain::KIND,
    glob_types::KIND,
    glob_code::KIND,
    aliases::KIND,
    macro_types::KIND,
    macro_scope::KIND,
    macro_functions::KIND,
    foreign_macro::KIND,
    body_macro::KIND,
    associated::KIND,
    blanket::KIND,
    default_method::KIND,
    generic_object::KIND,
    generic_code::KIND,
    stored_closure::KIND,
    late_closure::KIND,
    closure_order::KIND,
    returned_closure::KIND,
    pointers::KIND,
    inner_items::KIND,
    handlers::KIND,
    statics::KIND,
    thread_locals::KIND,
    async_code::KIND,
    threads::KIND,
    array_length::KIND,
    constants::KIND,
    consts_of_traits::KIND,
    layouts::KIND,
    enums::KIND,
    drops::KIND,
    display::KIND,
    lower_case::KIND,
    raw_names::KIND,
    impl_elsewhere::KIND,
    operators::KIND,
    lazy::KIND,
    positions::KIND,
    type_ids::KIND,
    namesakes::KIND,
    attributes::KIND,
    added::KIND,
    late_pointer::KIND,
];

/// Something that programs are made of.
///
/// The text declares `setup()`, called once, and `tick(n: u64) -> String`, called again and again
/// with 1, 2, 3 …, whose parts are separated by `/`. In it stand for something else: `«knob»` and
/// `«knob.1»` (what the knob says, first and second column), `@` (a name that is unique in the
/// program), `%low`, `%side` and `%here` (paths of the modules), `%root` (the crate of `low`),
/// `%dyn ` (`dyn`, which edition 2015 can do without). A line `//// low` begins a module
/// that may be in another crate, below this one, and `//// side` one in the same crate.
pub(crate) struct Kind {
    /// For messages.
    pub(crate) name: &'static str,
    /// The oldest edition that it compiles in.
    pub(crate) since: u16,
    /// What can be edited.
    pub(crate) knobs: &'static [Knob],
    /// The code.
    pub(crate) text: &'static str,
    /// What it prints.
    pub(crate) expect: fn(&Seen<'_>) -> Vec<Part>,
    /// What new code leaves in the process when it first runs, beside what `setup` made.
    pub(crate) lives: Option<Lives>,
}

/// What a kind can remember of the process.
pub(crate) const NOTES: usize = 2;

/// For kinds whose code leaves nothing behind.
pub(crate) const NOTHING: Option<Lives> = None;

/// What code leaves in the process, by where its knobs stand.
pub(crate) type Lives = fn(&[u8], &mut [u8; NOTES]);

/// Something that can be edited.
pub(crate) struct Knob {
    /// For messages.
    pub(crate) name: &'static str,
    /// What becomes of an edit.
    pub(crate) nature: Nature,
    /// What can stand there, each in one or more columns.
    pub(crate) choices: &'static [&'static [&'static str]],
}

/// What becomes of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Can be patched.
    Code,
    /// Can be patched or refused; if it is patched, living values follow.
    Open,
    /// Can't be patched: living values have the old layout, or the like.
    Rude,
}

/// A knob for code.
pub(crate) const fn code(name: &'static str, choices: &'static [&'static [&'static str]]) -> Knob {
    Knob {
        name,
        nature: Nature::Code,
        choices,
    }
}

/// A knob for code that living values lead to.
pub(crate) const fn open(name: &'static str, choices: &'static [&'static [&'static str]]) -> Knob {
    Knob {
        name,
        nature: Nature::Open,
        choices,
    }
}

/// A knob on which living values depend.
pub(crate) const fn rude(name: &'static str, choices: &'static [&'static [&'static str]]) -> Knob {
    Knob {
        name,
        nature: Nature::Rude,
        choices,
    }
}

/// Where the knobs of a fragment stand, at several times.
pub(crate) struct Seen<'a> {
    pub(crate) kind: &'static Kind,
    /// In the code that runs.
    pub(crate) now: &'a [u8],
    /// In the code that ran before this.
    pub(crate) before: &'a [u8],
    /// When `setup` ran.
    pub(crate) born: &'a [u8],
    /// See [`Kind::lives`].
    pub(crate) notes: [u8; NOTES],
}

impl Seen<'_> {
    /// What the knob says in the code that runs.
    pub(crate) fn now(&self, knob: &str) -> &'static str {
        self.text(knob, self.now)
    }

    /// The same, as a number.
    pub(crate) fn number(&self, knob: &str) -> i64 {
        number(self.now(knob))
    }

    /// What it said when `setup` ran.
    pub(crate) fn born(&self, knob: &str) -> &'static str {
        self.text(knob, self.born)
    }

    /// What it said in the code that ran before this.
    pub(crate) fn before(&self, knob: &str) -> &'static str {
        self.text(knob, self.before)
    }

    /// Which of its texts a knob has in the code that runs.
    pub(crate) fn choice(&self, knob: &str) -> usize {
        usize::from(self.now[self.kind.knob(knob)])
    }

    fn text(&self, knob: &str, state: &[u8]) -> &'static str {
        let position = self.kind.knob(knob);
        self.kind.knobs[position].choices[usize::from(state[position])][0]
    }
}

impl Kind {
    /// The position of a knob.
    pub(crate) fn knob(&self, name: &str) -> usize {
        let position = self.knobs.iter().position(|knob| knob.name == name);
        position.unwrap_or_else(|| panic!("`{}` has no knob `{name}`", self.name))
    }
}

/// A text of a knob that is a number.
pub(crate) fn number(text: &str) -> i64 {
    text.parse()
        .unwrap_or_else(|_| panic!("{text:?} is no number"))
}

/// One of the things that a fragment prints, and what may stand there.
#[derive(Debug)]
pub(crate) struct Part {
    /// What has to be printed after a patch.
    pub(crate) value: String,
    /// Whether it shows a value that outlives edits; else it comes from code that is called anew.
    pub(crate) kept: bool,
    /// What may be printed instead if `hot` says that living code keeps its body.
    pub(crate) if_said: Vec<String>,
}

/// What code prints that is called anew.
pub(crate) fn fresh(value: impl ToString) -> Part {
    Part {
        value: value.to_string(),
        kept: false,
        if_said: Vec::new(),
    }
}

/// What a value prints that was made earlier.
pub(crate) fn kept(value: impl ToString) -> Part {
    Part {
        kept: true,
        ..fresh(value)
    }
}

impl Part {
    /// With what living code prints that keeps its body.
    pub(crate) fn if_said(mut self, value: impl ToString) -> Self {
        self.if_said.push(value.to_string());
        self
    }
}
