//! Edits of several crates of one workspace in one session.

use soft_mock_tests::project::{Project, Save};

use super::{with, Day, Way};

const DEEP: &str = "deep/src/inner.rs";
const MIDDLE: &str = "middle/src/lib.rs";
const APP: &str = "app/src/lib.rs";
const LINE: &str = "deep::inner::Line::new(step).text()";

/// Functions of one crate are compiled against the others as they were built: what is new in those
/// isn't there.
#[test]
fn additions_to_a_library_that_another_crate_uses() {
    let project = Project::fixture("family");
    let mut session = project.hot(&["-v", "cargo", "run"]);
    session.wait_for_stdout("ready");
    session.wait_for_mention("whole crates can be compared");
    let mut day = Day { project, session };
    let (deep, middle) = (day.project.read(DEEP), day.project.read(MIDDLE));
    let original = [(DEEP, &*deep), (MIDDLE, &*middle)];

    // In one save.
    let twice = format!("{deep}\npub fn twice(n: u32) -> u32 {{ n * 2 }}\n");
    let used = with(&middle, &[(LINE, "deep::inner::twice(step)")]);
    let both = [(DEEP, &*twice), (MIDDLE, &*used)];
    day.save_files(&both, "[app(middle(2))]", Way::WholeCrate);
    let app = day.project.read(APP);
    let above = with(&app, &[("app(", "above(")]);
    day.save_file(APP, &above, "[above(middle(4))]", Way::Micro);
    day.save_file(APP, &app, "[app(middle(6))]", Way::Micro);
    day.save_files(&original, "[app(middle(deep 4))]", Way::Nothing);

    // A method, the library first; what doesn't compile is the user's error.
    let method = "impl Line {\n    pub fn half(&self) -> u32 { self.step / 2 }\n";
    let half = with(&deep, &[("impl Line {\n", method)]);
    day.project.save(Save::InPlace, DEEP, &half);
    day.session
        .wait_for_stderr("half added: nothing that runs uses it");
    let used = with(&middle, &[("text()", "half()")]);
    let broken = with(&used, &[("half()", "half(1)")]);
    day.project.save(Save::InPlace, MIDDLE, &broken);
    day.session
        .wait_for_stderr("takes 0 arguments but 1 argument was supplied");
    day.save_file(MIDDLE, &used, "[app(middle(2))]", Way::WholeCrate);
    day.save_files(&original, "[app(middle(deep 6))]", Way::Nothing);

    // By way of an import, which is new as well.
    let loud = "\npub struct Loud(pub u32);\nimpl Loud {\n    pub const MARK: char = '!';
    pub fn text(&self) -> String { format!(\"{}{}\", self.0, Self::MARK) }\n}\n";
    let loud = deep.clone() + loud;
    let used = with(&middle, &[(LINE, "Loud(step).text()")]) + "use deep::inner::Loud;\n";
    let both = [(DEEP, &*loud), (MIDDLE, &*used)];
    day.save_files(&both, "[app(middle(7!))]", Way::WholeCrate);
    day.save_files(&original, "[app(middle(deep 8))]", Way::Nothing);

    // What just the library's own bodies use is compiled with those.
    let own = with(
        &twice,
        &[("self.private_text()", "twice(self.step).to_string()")],
    );
    let beside = with(&middle, &[("middle(", "centre(")]);
    let both = [(DEEP, &*own), (MIDDLE, &*beside)];
    day.save_files(&both, "[app(centre(18))]", Way::Micro);
    day.save_files(&original, "[app(middle(deep 10))]", Way::Nothing);
}

/// Between two calls the code of the caller puts the address aside: that is no pointer that lives
/// on.
#[test]
fn a_function_that_is_called_twice_takes_another_parameter() {
    let project = Project::fixture("family");
    let deep = project.read(DEEP)
        + "\npub fn plus(n: u32) -> u32 { n + 1 }
pub fn shown<T: std::fmt::Display>(what: T) -> String { format!(\"<{what}>\") }\n";
    let twice =
        "deep::inner::shown(format!(\"{} {}\", deep::inner::plus(1), deep::inner::plus(2)))";
    let middle = with(&project.read(MIDDLE), &[(LINE, twice)]);
    project.save(Save::InPlace, DEEP, &deep);
    project.save(Save::InPlace, MIDDLE, &middle);
    let mut session = project.hot(&["-v", "--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    let mut day = Day { project, session };

    let shown = with(&deep, &[("<{what}>", "|{what}|")]);
    day.save_file(DEEP, &shown, "[app(middle(|2 3|))]", Way::WholeCrate);
    let plus = [(
        "plus(n: u32) -> u32 { n + 1",
        "plus(n: u32, m: u32) -> u32 { n + m",
    )];
    let calls = [("plus(1)", "plus(1, 10)"), ("plus(2)", "plus(2, 10)")];
    let both = [
        (DEEP, &*with(&shown, &plus)),
        (MIDDLE, &*with(&middle, &calls)),
    ];
    day.save_files(&both, "[app(middle(|11 12|))]", Way::WholeCrate);
}

/// A body that uses what came to its library together with an edit that can't be patched: it waits,
/// and it isn't said that it doesn't compile.
#[test]
fn what_a_refused_library_brought() {
    let project = Project::fixture("family");
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "[app(middle(deep 1))]");
    let (deep, middle) = (project.read(DEEP), project.read(MIDDLE));
    let refused = with(&deep, &[("step: u32,\n", "step: u32,\n    more: u32,\n")]);
    let refused = with(&refused, &[("Self { step }", "Self { step, more: 1 }")]);
    let refused = refused + "\npub fn twice(n: u32) -> u32 { n * 2 }\n";
    project.save(Save::InPlace, DEEP, &refused);
    session.wait_for_stderr("field added to struct Line");
    let before = session.now();
    let used = with(&middle, &[(LINE, "deep::inner::twice(step)")]);
    project.save(Save::InPlace, MIDDLE, &used);
    session.wait_for_stderr("still can't be patched: ");
    let lines = session.stderr_since(before);
    let denied = |line: &String| line.contains("error") || line.contains("doesn't compile");
    assert!(!lines.iter().any(denied), "{lines:#?}");
    assert_eq!(session.ask("x"), "[app(middle(deep 2))]");
    let other = with(&middle, &[("middle(", "centre(")]);
    project.save(Save::InPlace, MIDDLE, &other);
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "[app(centre(deep 3))]");
}
