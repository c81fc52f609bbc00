//! A program: which fragments it has, in which crates, and the files that it consists of in a given
//! state.
//!
//! Knows nothing of sessions and of what `hot` says.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::RangeInclusive;

use soft_mock_tests::dice::Dice;

use crate::around;
use crate::grammar::{Kind, Nature, KINDS};

/// The prefix of a line that shows the state of the program.
pub(crate) const LINE: &str = "S ";

const EDITIONS: [u16; 4] = [2015, 2018, 2021, 2024];

/// What stays while a program is edited.
#[derive(Clone)]
pub(crate) struct Program {
    /// The first is the binary; each may use those behind it.
    pub(crate) crates: Vec<Crate>,
    pub(crate) fragments: Vec<Fragment>,
    pub(crate) release: bool,
    /// Lines of the profile.
    profile: &'static str,
}

/// A crate of the program.
#[derive(Clone)]
pub(crate) struct Crate {
    name: &'static str,
    edition: u16,
}

/// One kind of code, somewhere in the program.
#[derive(Clone)]
pub(crate) struct Fragment {
    pub(crate) kind: &'static Kind,
    /// Its module.
    pub(crate) tag: String,
    /// The crates of its modules.
    home: usize,
    low: usize,
    /// Whether objects are written without `dyn`, where the edition allows it.
    bare: bool,
}

impl Fragment {
    pub(crate) fn stands_in_several_files(&self) -> bool {
        self.kind.text.contains("\n//// ")
    }
}

/// What of a fragment can change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Standing {
    pub(crate) knobs: Vec<u8>,
    pub(crate) place: Place,
    /// So many lines of comments stand above its code.
    pub(crate) comments: u8,
}

/// Where the module of a fragment stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// `src/q1.rs`
    File,
    /// `src/q1/mod.rs`
    Folder,
    /// In the root of the crate.
    Inline,
}

impl Place {
    pub(crate) const ALL: [Self; 3] = [Self::File, Self::Folder, Self::Inline];
}

/// The state of the sources, by fragment.
pub(crate) type State = Vec<Standing>;

/// Files with their texts, and which lines of them belong to which fragment.
#[derive(Default)]
pub(crate) struct Rendered {
    pub(crate) files: BTreeMap<String, String>,
    owners: Vec<(String, RangeInclusive<usize>, usize)>,
}

impl Rendered {
    /// The fragment that a line belongs to.
    pub(crate) fn owner(&self, file: &str, line: usize) -> Option<usize> {
        let mut owners = self.owners.iter();
        owners
            .find(|(of, lines, _)| of == file && lines.contains(&line))
            .map(|(_, _, fragment)| *fragment)
    }
}

impl Program {
    /// A program of so many fragments. Only kinds that `wanted` likes.
    pub(crate) fn by_chance(
        dice: &mut Dice,
        size: usize,
        release: bool,
        wanted: &dyn Fn(&Kind) -> bool,
    ) -> Self {
        let kinds: Vec<&'static Kind> = KINDS.iter().filter(|kind| wanted(kind)).collect();
        let kinds = (0..size)
            .map(|_| kinds[dice.usize(..kinds.len())])
            .collect();
        Self::of(dice, kinds, release)
    }

    /// A program of one fragment of each of these kinds, but for those that none of its crates can
    /// hold.
    pub(crate) fn of(dice: &mut Dice, kinds: Vec<&'static Kind>, release: bool) -> Self {
        let names = ["app", "upper", "lower"];
        let count = dice.usize(1..=names.len());
        let crates: Vec<Crate> = names[..count]
            .iter()
            .map(|name| Crate {
                name,
                edition: EDITIONS[dice.usize(..EDITIONS.len())],
            })
            .collect();
        let mut fragments = Vec::new();
        for (number, kind) in kinds.into_iter().enumerate() {
            let fits: Vec<usize> = (0..count)
                .filter(|at| crates[*at].edition >= kind.since)
                .collect();
            if fits.is_empty() {
                continue;
            }
            let home = fits[dice.usize(..fits.len())];
            let below: Vec<usize> = fits.into_iter().filter(|at| *at >= home).collect();
            fragments.push(Fragment {
                kind,
                tag: format!("q{number}"),
                home,
                low: below[dice.usize(..below.len())],
                bare: dice.bool(),
            });
        }
        let profiles: &[&str] = match release {
            false => &["debug = 0", "debug = 2", "debug = \"line-tables-only\"", ""],
            true => &["", "opt-level = 2", "codegen-units = 1", "debug = 2"],
        };
        Self {
            crates,
            fragments,
            release,
            profile: profiles[dice.usize(..profiles.len())],
        }
    }

    /// Where the knobs stand at the start.
    pub(crate) fn state_by_chance(&self, dice: &mut Dice) -> State {
        let standing = |fragment: &Fragment| Standing {
            knobs: fragment
                .kind
                .knobs
                .iter()
                .map(|knob| dice.u8(..knob.choices.len() as u8))
                .collect(),
            place: Place::ALL[dice.usize(..3)],
            comments: 0,
        };
        self.fragments.iter().map(standing).collect()
    }

    /// The same without some of its fragments, whose places stay empty.
    pub(crate) fn only(&self, kept: &[usize]) -> Self {
        let mut program = self.clone();
        let all = std::mem::take(&mut program.fragments);
        program.fragments = kept.iter().map(|at| all[*at].clone()).collect();
        program
    }

    /// Whether the difference of two standings must not be patched.
    pub(crate) fn nature(&self, fragment: usize, from: &Standing, to: &Standing) -> Nature {
        let knobs = self.fragments[fragment].kind.knobs.iter();
        let turned = knobs
            .zip(from.knobs.iter().zip(&to.knobs))
            .filter(|(_, (from, to))| from != to);
        let natures: Vec<Nature> = turned.map(|(knob, _)| knob.nature).collect();
        match () {
            () if natures.contains(&Nature::Rude) => Nature::Rude,
            () if natures.contains(&Nature::Open) => Nature::Open,
            () => Nature::Code,
        }
    }

    /// All files of a state.
    pub(crate) fn render(&self, state: &State) -> Rendered {
        let mut rendered = Rendered::default();
        for (at, it) in self.crates.iter().enumerate() {
            let folder = if at == 0 {
                String::new()
            } else {
                format!("{}/", it.name)
            };
            rendered
                .files
                .insert(format!("{folder}Cargo.toml"), self.manifest(at));
            self.render_crate(at, &folder, state, &mut rendered);
        }
        if self.uses_attributes() {
            let files = [
                ("Cargo.toml", around::MANIFEST),
                ("src/lib.rs", around::SOURCE),
            ];
            let files =
                files.map(|(file, text)| (format!("{}/{file}", around::NAME), text.to_owned()));
            rendered.files.extend(files);
        }
        rendered
    }

    /// Whether one of its fragments needs attribute macros.
    fn uses_attributes(&self) -> bool {
        let mut fragments = self.fragments.iter();
        fragments.any(|fragment| fragment.kind.text.contains(around::USE))
    }

    fn manifest(&self, at: usize) -> String {
        let Crate { name, edition } = self.crates[at];
        let mut text = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n\n[dependencies]\n"
        );
        let attributes = self.uses_attributes().then_some(around::NAME);
        let below = self.crates[at + 1..].iter().map(|below| below.name);
        for below in below.chain(attributes) {
            let folder = if at == 0 { "" } else { "../" };
            let _ = writeln!(text, "{below} = {{ path = \"{folder}{below}\" }}");
        }
        if at == 0 {
            let profile = if self.release { "release" } else { "dev" };
            let members = self.crates[1..].iter().map(|below| below.name);
            let members: Vec<String> = members
                .chain(attributes)
                .map(|name| format!("{name:?}"))
                .collect();
            let _ = write!(
                text,
                "\n[profile.{profile}]\n{}\n\n[workspace]\nmembers = [{}]\n",
                self.profile,
                members.join(", ")
            );
        }
        text
    }

    fn render_crate(&self, at: usize, folder: &str, state: &State, rendered: &mut Rendered) {
        let root = format!("{folder}src/{}.rs", if at == 0 { "main" } else { "lib" });
        let mut text = String::from("#![allow(warnings)]\n");
        if self.crates[at].edition == 2015 {
            for below in &self.crates[at + 1..] {
                let _ = writeln!(text, "extern crate {};", below.name);
            }
        }
        for (number, (fragment, standing)) in self.fragments.iter().zip(state).enumerate() {
            for (section, body) in self.sections(fragment, standing) {
                if at
                    != if section == "low" {
                        fragment.low
                    } else {
                        fragment.home
                    }
                {
                    continue;
                }
                let module = match section {
                    "" => fragment.tag.clone(),
                    _ => format!("{}_{section}", fragment.tag),
                };
                let place = if section.is_empty() {
                    standing.place
                } else {
                    Place::File
                };
                let file = match place {
                    Place::Inline => {
                        let first = text.lines().count() + 1;
                        let _ = writeln!(text, "pub mod {module} {{\n{body}}}");
                        let lines = first..=text.lines().count();
                        rendered.owners.push((root.clone(), lines, number));
                        continue;
                    }
                    Place::File => format!("{folder}src/{module}.rs"),
                    Place::Folder => format!("{folder}src/{module}/mod.rs"),
                };
                let _ = writeln!(text, "pub mod {module};");
                rendered.owners.push((file.clone(), 0..=usize::MAX, number));
                rendered.files.insert(file, body);
            }
        }
        if at == 0 {
            text.push_str(&self.main());
        }
        rendered.files.insert(root, text);
    }

    /// The texts of a fragment's modules.
    fn sections(&self, fragment: &Fragment, standing: &Standing) -> Vec<(&'static str, String)> {
        let mut parts = Vec::new();
        let mut rest = fragment.kind.text.trim_start_matches('\n');
        let mut name = "";
        loop {
            let next = rest.find("//// ");
            let body = &rest[..next.unwrap_or(rest.len())];
            let comments = if name.is_empty() {
                standing.comments
            } else {
                0
            };
            let comments: String = (0..comments).map(|n| format!("// {n}\n")).collect();
            parts.push((name, comments + &self.fill(fragment, standing, body)));
            let Some(next) = next else {
                return parts;
            };
            (name, rest) = rest[next + 5..].split_once('\n').unwrap_or_default();
        }
    }

    fn fill(&self, fragment: &Fragment, standing: &Standing, body: &str) -> String {
        let mut text = body.to_owned();
        while let Some(start) = text.find('«') {
            let end = start + text[start..].find('»').expect("a hole ends");
            let hole = &text[start + '«'.len_utf8()..end];
            let (name, column) = hole.split_once('.').unwrap_or((hole, "0"));
            let knob = fragment.kind.knob(name);
            let column: usize = column.parse().expect("the number of a column");
            let choice = usize::from(standing.knobs[knob]);
            let says = fragment.kind.knobs[knob].choices[choice][column];
            text.replace_range(start..end + '»'.len_utf8(), says);
        }
        let low = match fragment.low == fragment.home {
            true => "crate",
            false => self.crates[fragment.low].name,
        };
        let is_bare = fragment.bare && self.crates[fragment.home].edition == 2015;
        let tag = &fragment.tag;
        text.replace("%low", &format!("{low}::{tag}_low"))
            .replace("%root", low)
            .replace("%side", &format!("crate::{tag}_side"))
            .replace("%here", &format!("crate::{tag}"))
            .replace("%dyn ", if is_bare { "" } else { "dyn " })
            .replace('@', tag)
    }

    fn main(&self) -> String {
        let (mut setups, mut ticks) = (String::new(), String::new());
        for fragment in &self.fragments {
            let path = match fragment.home {
                0 => fragment.tag.clone(),
                home => format!("{}::{}", self.crates[home].name, fragment.tag),
            };
            let _ = writeln!(setups, "    {path}::setup();");
            let _ = writeln!(
                ticks,
                "    line.push_str(\"|{}=\"); line.push_str(&{path}::tick(n));",
                fragment.tag
            );
        }
        format!(
            "fn line(n: u64) -> String {{\n    let mut line = String::from(\"{LINE}\");\n{ticks}    line\n}}\n\
             fn main() {{\n{setups}    let mut n = 0u64;\n    loop {{\n        n += 1;\n        \
             println!(\"{{}}\", line(n));\n        \
             std::thread::sleep(std::time::Duration::from_millis(15));\n    }}\n}}\n"
        )
    }
}

/// What a line shows of each fragment, in their order, in parts; nothing if it isn't a whole line.
pub(crate) fn parse_line(line: &str, fragments: &[Fragment]) -> Option<Vec<Vec<String>>> {
    let mut shown = line.strip_prefix(LINE)?.split('|').skip(1);
    let parts = fragments.iter().map(|fragment| {
        let (tag, text) = shown.next()?.split_once('=')?;
        (tag == fragment.tag).then(|| text.split('/').map(str::to_owned).collect())
    });
    parts.collect()
}
