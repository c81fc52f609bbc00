//! A day's work in one session: one edit after the other, each by the shortest way that there is
//! for it. What runs is what the files say after each of them, also when edits are undone.

use std::thread::sleep;
use std::time::Duration;

use soft_mock_tests::hot;
use soft_mock_tests::project::{Project, Save};
use soft_mock_tests::session::Session;

use crate::ledger::FILE;

mod carried;
mod libraries;
mod reuse;
mod rolls_on;

/// How a patch was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Of the changed functions alone, and what is new beside them.
    Micro,
    /// Of whole crates.
    WholeCrate,
    /// Nothing was compiled.
    Nothing,
}

struct Day {
    project: Project,
    session: Session,
}

impl Day {
    fn start() -> Self {
        let project = Project::fixture("ledger");
        let mut session = project.hot(&["-v", "cargo", "run"]);
        session.wait_for_stdout("ready");
        assert_eq!(session.ask("x"), "account of ada: 1");
        // What a first patch would have to wait for.
        session.wait_for_mention("whole crates can be compared");
        Self { project, session }
    }

    /// Saves a text, waits until the program answers so, and looks how it came to that.
    #[track_caller]
    fn save(&mut self, text: &str, answer: &str, way: Way) {
        self.save_file(FILE, text, answer, way);
    }

    #[track_caller]
    fn save_file(&mut self, file: &str, text: &str, answer: &str, way: Way) {
        self.save_files(&[(file, text)], answer, way);
    }

    #[track_caller]
    fn save_files(&mut self, files: &[(&str, &str)], answer: &str, way: Way) {
        let before = self.session.now();
        // Files that are saved together would else be taken up one by one now and then.
        if files.len() > 1 {
            self.project.hot_to_end(&["pause"]);
        }
        for (file, text) in files {
            self.project.save(Save::InPlace, file, text);
        }
        if files.len() > 1 {
            let saved = format!("{} files saved, not applied yet", files.len());
            self.session.wait_for_stderr(&saved);
            self.project.hot_to_end(&["resume"]);
        }
        self.session.wait_for_patch();
        let found = self.session.ask("x");
        assert!(
            found.starts_with(answer),
            "{found} {:#?}",
            self.session.stderr_since(before)
        );
        let lines = self.session.stderr_since(before);
        let says = |text: &str| lines.iter().any(|line| line.contains(text));
        let mut crates = ["ledger", "deep", "middle", "app"].into_iter();
        let says_alone = crates.any(|name| says(&format!("`{name}`: ")));
        let found = match (says("compared and linked in"), says_alone) {
            (true, _) => Way::WholeCrate,
            (false, true) => Way::Micro,
            (false, false) => Way::Nothing,
        };
        assert_eq!(found, way, "{lines:#?}");
    }
}

fn with(text: &str, replacements: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (from, to) in replacements {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text = text.replace(from, to);
    }
    text
}

const OWNER: &str = "account.owner())";

#[test]
fn a_helper_comes_changes_and_goes() {
    let mut day = Day::start();
    let original = day.project.read(FILE);
    let helper = "\nfn often(text: &str) -> String {\n    text.repeat(2)\n}\n";
    let added = with(&original, &[(OWNER, "often(account.owner()))")]) + helper;
    day.save(&added, "account of adaada: ", Way::Micro);
    let edited = with(&added, &[("repeat(2)", "repeat(3)")]);
    day.save(&edited, "account of adaadaada: ", Way::Micro);
    // Another body, which doesn't use it.
    let other = with(&edited, &[("{}: {}", "{} = {}")]);
    day.save(&other, "account of adaadaada = ", Way::Micro);
    // A constant that the helper uses, and then another function as well.
    let constant = with(&other, &[("repeat(3)", "repeat(TIMES)")]) + "const TIMES: usize = 1;\n";
    day.save(&constant, "account of ada = ", Way::Micro);
    let more = with(&constant, &[("= 1;", "= 2;")]);
    day.save(&more, "account of adaada = ", Way::Micro);
    let both = with(
        &more,
        &[("account.balance()", "account.balance() * TIMES as u64")],
    );
    day.save(&both, "account of adaada = 14", Way::Micro);
    let last = with(&both, &[("= 2;", "= 3;")]);
    day.save(&last, "account of adaadaada = 24", Way::Micro);

    // Undone, one after the other.
    day.save(&constant, "account of ada = ", Way::Micro);
    day.save(&original, "account of ada: ", Way::Nothing);
    day.save(&added, "account of adaada: ", Way::Micro);
    let hot = hot::binary().display().to_string();
    day.project.run(&hot, &["rollback"]);
    assert!(day.session.ask("x").starts_with("account of ada: "));
    // The next edit of the file counts with all that it holds.
    day.save(&edited, "account of adaadaada: ", Way::Micro);
}

#[test]
fn imports_types_traits_and_methods() {
    let mut day = Day::start();
    let original = day.project.read(FILE);
    let body = "{ let mut seen = BTreeSet::new(); seen.insert(account.owner()); seen.len() })";
    let import = "use std::collections::BTreeSet;\nuse crate::account::Account;";
    let imported = with(
        &original,
        &[(OWNER, body), ("use crate::account::Account;", import)],
    );
    day.save(&imported, "account of 1: ", Way::Micro);
    day.save(&original, "account of ada: ", Way::Nothing);

    let shown = "
#[derive(Clone, PartialEq)]
struct Shown { text: String, mark: Mark }
#[derive(Clone, Copy, PartialEq)]
enum Mark { Plain, Loud }
impl Shown {
    const END: &'static str = \"!\";
    fn of(text: String) -> Self { Self { text, mark: Mark::Loud } }
}
impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, \"{}{}\", self.text, if self.mark == Mark::Loud { Self::END } else { \"\" })
    }
}
";
    let typed = with(
        &original,
        &[("title(account),", "Shown::of(title(account)),")],
    ) + shown;
    day.save(&typed, "account of ada!: ", Way::Micro);
    let larger = with(
        &typed,
        &[
            ("mark: Mark }\n", "mark: Mark, more: [u64; 3] }\n"),
            ("mark: Mark::Loud }", "mark: Mark::Loud, more: [7; 3] }"),
            (
                "Self::END }",
                "[Self::END, \"?\"][(self.more[2] == 7) as usize] }",
            ),
        ],
    );
    day.save(&larger, "account of ada?: ", Way::Micro);

    day.save(&original, "account of ada: ", Way::Nothing);

    let methods = "
trait Loudly { fn loud(&self) -> String; fn twice(&self) -> String { self.loud().repeat(2) } }
impl Loudly for str { fn loud(&self) -> String { self.to_uppercase() } }
";
    let called = with(&original, &[(OWNER, "account.owner().loud())")]) + methods;
    day.save(&called, "account of ADA: ", Way::Micro);
    let twice = with(&called, &[("owner().loud()", "owner().twice()")]);
    day.save(&twice, "account of ADAADA: ", Way::Micro);
    let thrice = with(&twice, &[("repeat(2)", "repeat(3)")]);
    day.save(&thrice, "account of ADAADAADA: ", Way::Micro);
    day.save(&original, "account of ada: ", Way::Nothing);

    // A method of a type of another module, for both.
    let account = day.project.read("src/account.rs");
    let first = "self.first(2)\n    }\n\n    pub(crate) fn first(&self, n: usize) -> &str {\n        &self.owner[..n]\n    }";
    let method = with(&account, &[("&self.owner\n    }", first)]);
    day.save_file("src/account.rs", &method, "account of ad: ", Way::Micro);
    let used = with(&original, &[(OWNER, "account.first(1))")]);
    day.save(&used, "account of a: ", Way::Micro);
    let other = with(&method, &[("[..n]", "[n..]")]);
    day.save_file("src/account.rs", &other, "account of da: ", Way::Micro);
}

/// What other text may mean by the name, what may live on, and what exists only once.
#[test]
fn additions_that_reach_further_need_the_whole_crate() {
    let mut day = Day::start();
    let original = day.project.read(FILE);
    // Another module's text has the name: there it means what it meant.
    let shadow = with(&original, &[(OWNER, "greet(account.owner()))")])
        + "pub fn greet(text: &str) -> String { text.repeat(2) }\n";
    day.save(&shadow, "account of adaada: ", Way::WholeCrate);
    day.save(&original, "account of ada: ", Way::Nothing);
    let single = with(&original, &[("account.balance()", "count()")])
        + "use std::sync::atomic::{AtomicU64, Ordering};
static COUNT: AtomicU64 = AtomicU64::new(40);
fn count() -> u64 { COUNT.fetch_add(1, Ordering::Relaxed) }\n";
    day.save(&single, "account of ada: 40", Way::WholeCrate);
    let again = with(&single, &[("account of", "wallet of")]);
    day.save(&again, "wallet of ada: 41", Way::Micro);
    let counts = with(&again, &[("count())", "count() + 100)")]);
    day.save(&counts, "wallet of ada: 142", Way::WholeCrate);
    day.save(&original, "account of ada: ", Way::Nothing);

    let living = with(
        &original,
        &[("    format!(\"{}: ", "    keep(); format!(\"{}: ")],
    ) + "struct Kept;
impl std::fmt::Display for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, \"kept\") }
}
fn keep() { let kept: Box<dyn std::fmt::Display> = Box::new(Kept); std::mem::forget(kept); }\n";
    day.save(&living, "account of ada: ", Way::WholeCrate);
}

/// Macros of the standard library have variables, which are taken for constants of their names.
#[test]
fn additions_that_macros_mean() {
    let project = Project::fixture("ledger");
    let more = "
pub fn check(n: u64) { assert_eq!(n, n); }
pub mod names {
    pub const five: u64 = 5;
    pub fn six() -> u64 { 6 }
}
pub mod here {
    impl crate::account::Account { pub fn number(&self) -> u64 { 30 } }
}
pub mod there {}
";
    let original = project.read(FILE) + more;
    project.save(Save::InPlace, FILE, &original);
    let mut session = project.hot(&["-v", "cargo", "run"]);
    session.wait_for_stdout("ready");
    let mut day = Day { project, session };
    let uses = |what: &str| with(&original, &[("account.balance()", what)]);
    let calls = uses("names_six()") + "use names::six as names_six;\n";
    day.save(&calls, "account of ada: 6", Way::Micro);

    for text in [
        uses("left_val") + "const left_val: u64 = 5;\n",
        uses("right_val") + "use names::five as right_val;\n",
    ] {
        day.project.save(Save::InPlace, FILE, &text);
        day.session
            .wait_for_stderr("error[E0308]: mismatched types");
        assert!(day.session.ask("x").starts_with("account of ada: 6"));
    }
    let seven = with(&calls, &[("names_six()", "names_six() + 1")]);
    day.save(&seven, "account of ada: 7", Way::Micro);

    // A method that was edited moves with its impl, which its site doesn't.
    let edited = uses("account.number()").replace("{ 30 }", "{ 80 }");
    day.save(&edited, "account of ada: 80", Way::Micro);
    let block = "    impl crate::account::Account { pub fn number(&self) -> u64 { 80 } }\n";
    let there = format!("pub mod there {{\n{block}}}");
    let moved = with(&edited, &[(block, ""), ("pub mod there {}", &there)]);
    day.save(&moved, "account of ada: 80", Way::WholeCrate);
    let again = with(&moved, &[("{ 80 }", "{ 90 }")]);
    day.save(&again, "account of ada: 90", Way::WholeCrate);
    // The balance: how often it was asked for.
    day.save(&original, "account of ada: 8", Way::Nothing);
}

/// What nothing uses yet is looked at all the same.
#[test]
fn a_helper_before_its_use() {
    let mut day = Day::start();
    let original = day.project.read(FILE);
    let unused = original.clone() + "fn later() -> &'static str { \"later\" }\n";
    day.project.save(Save::InPlace, FILE, &unused);
    day.session
        .wait_for_stderr("fn later added: nothing that runs uses it");
    let broken = unused.replace("\"later\" }", "1 }");
    day.project.save(Save::InPlace, FILE, &broken);
    day.session.wait_for_stderr("mismatched types");
    let used = with(&unused, &[(OWNER, "later())")]);
    day.save(&used, "account of later: ", Way::Micro);
}

/// What `report.rs` is at the start of a day with edits that need whole crates.
const SCALED: &str = "use crate::account::Account;

const UNIT: u64 = 10;

fn scale<T: Into<u64>>(n: T) -> u64 {
    n.into() * UNIT
}

pub fn line(account: &Account) -> String {
    format!(\"{}: {}{}\", title(account), scale(account.balance()), mark(1))
}

fn title(account: &Account) -> String {
    format!(\"account of {}\", account.owner())
}

fn mark(n: u8) -> String {
    format!(\"m{n}\")
}
";

impl Day {
    fn scaled(profile: &str) -> Self {
        let project = Project::fixture("ledger");
        let manifest = project.read("Cargo.toml");
        project.save(Save::InPlace, "Cargo.toml", &(manifest + profile));
        project.save(Save::InPlace, FILE, SCALED);
        let mut session = project.hot(&["-v", "cargo", "run"]);
        session.wait_for_stdout("ready");
        assert_eq!(session.ask("x"), "account of ada: 10m1");
        session.wait_for_mention("whole crates can be compared");
        Self { project, session }
    }

    fn rollback(&mut self, answer: &str) {
        let hot = hot::binary().display().to_string();
        self.project.run(&hot, &["rollback"]);
        let found = self.session.ask("x");
        assert!(found.starts_with(answer), "{found}");
    }
}

fn bodies_after_a_whole_crate(profile: &str) {
    let mut day = Day::scaled(profile);
    let larger = with(SCALED, &[("u64 = 10", "u64 = 100")]);
    day.save(&larger, "account of ada: 200m1", Way::WholeCrate);
    // What doesn't depend on it; and its original body, which isn't that of a former program.
    let wallet = with(&larger, &[("account of", "wallet of")]);
    day.save(&wallet, "wallet of ada: 300m1", Way::Micro);
    day.save(&larger, "account of ada: 400m1", Way::Micro);
    day.save(&wallet, "wallet of ada: 500m1", Way::Micro);
    day.rollback("account of ada: 600m1");
    // What depends on it, by way of a generic function.
    let depends = with(&wallet, &[("{}: {}", "{}= {}")]);
    day.save(&depends, "wallet of ada= 700m1", Way::WholeCrate);
    let purse = with(&depends, &[("wallet of", "purse of")]);
    day.save(&purse, "purse of ada= 800m1", Way::Micro);
    // A helper on top; then something else that needs the whole crate, and the helper once more.
    let helper = with(&purse, &[(OWNER, "often(account.owner()))")])
        + "\nfn often(text: &str) -> String {\n    text.repeat(2)\n}\n";
    day.save(&helper, "purse of adaada= 900m1", Way::Micro);
    let signature = with(&helper, &[("mark(n: u8)", "mark(n: u16)")]);
    day.save(&signature, "purse of adaada= 1000m1", Way::WholeCrate);
    let again = with(&signature, &[("repeat(2)", "repeat(3)")]);
    day.save(&again, "purse of adaadaada= 1100m1", Way::Micro);
    let sack = with(&again, &[("purse of", "sack of")]);
    day.save(&sack, "sack of adaadaada= 1200m1", Way::Micro);
    let without = with(
        &signature,
        &[
            ("purse of", "sack of"),
            ("often(account.owner())", "account.owner()"),
        ],
    );
    let without = without.replace(
        "\nfn often(text: &str) -> String {\n    text.repeat(2)\n}\n",
        "",
    );
    day.save(&without, "sack of ada= 1300m1", Way::Micro);
    day.rollback("sack of adaadaada= 1400m1");
    day.rollback("purse of adaadaada= 1500m1");
    day.rollback("purse of adaada= 1600m1");
    // All of it undone: the program as it was built.
    day.save(SCALED, "account of ada: 170m1", Way::Nothing);
    let pocket = with(SCALED, &[("account of", "pocket of")]);
    day.save(&pocket, "pocket of ada: 180m1", Way::Micro);
}

#[test]
fn bodies_after_an_edit_that_needed_the_whole_crate() {
    bodies_after_a_whole_crate("");
}

#[test]
fn bodies_after_an_edit_that_needed_the_whole_crate_in_an_optimised_program() {
    bodies_after_a_whole_crate("\n[profile.dev]\nopt-level = 3\n");
}

/// Whether it is still being compiled is chance; the last pause is too short for that.
#[test]
fn an_edit_that_is_undone_while_it_is_compiled() {
    let mut day = Day::scaled("");
    let larger = with(SCALED, &[("u64 = 10", "u64 = 100")]);
    for pause in [300, 150, 100] {
        day.project.save(Save::InPlace, FILE, &larger);
        sleep(Duration::from_millis(pause));
        day.project.save(Save::InPlace, FILE, SCALED);
        let answers = ["the edit was taken back: the files", "restored 1 function"];
        day.session.wait_for_any(&answers);
    }
    assert_eq!(day.session.ask("x"), "account of ada: 20m1");
}

/// On another line than the one it was compiled from, and in a file that nothing else differs in.
#[test]
fn an_original_body_below_a_new_comment_after_a_whole_crate() {
    let mut day = Day::scaled("");
    let larger = with(SCALED, &[("u64 = 10", "u64 = 100")]);
    day.save(&larger, "account of ada: 200m1", Way::WholeCrate);
    let file = "src/account.rs";
    let original = day.project.read(file);
    let named = with(
        &original,
        &[("&self.owner", "self.owner.trim_end_matches('a')")],
    );
    day.save_file(file, &named, "account of ad: 300m1", Way::Micro);
    let commented = format!("// One line more.\n{original}");
    day.save_file(file, &commented, "account of ada: 400m1", Way::Micro);
}

/// A body that depends on an edit which is in effect, in each way in which it can.
#[test]
fn bodies_that_depend_on_what_is_in_effect() {
    let mut day = Day::scaled("");
    let larger = with(SCALED, &[("u64 = 10", "u64 = 100")]);
    day.save(&larger, "account of ada: 200m1", Way::WholeCrate);
    let direct = with(&larger, &[(OWNER, "UNIT)")]);
    day.save(&direct, "account of 100: 300m1", Way::WholeCrate);
    let generic = with(&larger, &[(OWNER, "scale(3u8))")]);
    day.save(&generic, "account of 300: 400m1", Way::WholeCrate);
    let helper = with(&larger, &[(OWNER, "unit())")]) + "fn unit() -> u64 { UNIT + 1 }\n";
    day.save(&helper, "account of 101: 500m1", Way::WholeCrate);
    let method = with(&helper, &[("account of", "wallet of")]);
    day.save(&method, "wallet of 101: 600m1", Way::WholeCrate);
    // The edit goes, and the bodies stay.
    let back = with(&method, &[("u64 = 100", "u64 = 10")]);
    day.save(&back, "wallet of 11: 70m1", Way::WholeCrate);
}

/// A future that waits is a call in progress: it ends with the helper that it began with.
#[test]
fn helpers_of_async_functions() {
    let text = "use crate::account::Account;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

pub fn line(account: &Account) -> String {
    format!(\"{}: {}\", wait(title(account)), account.balance())
}

async fn title(account: &Account) -> String {
    format!(\"account of {}\", account.owner())
}

fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}
";
    let project = Project::fixture("ledger");
    project.save(Save::InPlace, FILE, text);
    let mut session = project.hot(&["-v", "cargo", "run"]);
    session.wait_for_stdout("ready");
    session.wait_for_mention("whole crates can be compared");
    let mut day = Day { project, session };
    let helper = with(text, &[(OWNER, "later(account.owner()).await)")])
        + "\nasync fn later(text: &str) -> String {\n    often(text)\n}\n
fn often(text: &str) -> String {\n    text.repeat(2)\n}\n";
    day.save(&helper, "account of adaada: ", Way::Micro);
    let edited = with(&helper, &[("repeat(2)", "repeat(3)")]);
    day.save(&edited, "account of adaadaada: ", Way::Micro);
    day.save(text, "account of ada: ", Way::Nothing);
    day.save(&helper, "account of adaada: ", Way::Micro);
    day.rollback("account of ada: ");
}

#[test]
fn bodies_beside_a_refused_edit_on_top_of_whole_crates() {
    let project = Project::fixture("ledger");
    let original = project.read(FILE);
    let extra = "\nconst LIMIT: u64 = 10;\n\npub struct Pair {\n    pub first: u64,\n}\n\n\
        fn limit(add: u64) -> u64 {\n    LIMIT + add\n}\n";
    let text = with(
        &original,
        &[("account.balance())", "account.balance() + limit(0))")],
    ) + extra;
    project.save(Save::InPlace, FILE, &text);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 11");
    let limited = with(&text, &[("= 10", "= 20")]);
    project.save(Save::InPlace, FILE, &limited);
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "account of ada: 22");

    let refused = with(
        &limited,
        &[("first: u64,", "first: u64,\n    pub second: u64,")],
    );
    project.save(Save::InPlace, FILE, &refused);
    session.wait_for_all(&["src/report.rs:", "field added to struct Pair"]);
    for (word, balance) in [("purse", 23), ("bag", 24)] {
        let edited = with(&refused, &[("account of", &format!("{word} of"))]);
        project.save(Save::InPlace, FILE, &edited);
        session.wait_for_patch();
        session.wait_for_stderr("still can't be patched: src/report.rs:");
        assert_eq!(session.ask("x"), format!("{word} of ada: {balance}"));
    }

    // What depends on what is in effect, and other edits that reach others.
    let depends = with(&refused, &[("LIMIT + add", "LIMIT + add + 100")]);
    project.save(Save::InPlace, FILE, &depends);
    session.wait_for_patch();
    session.wait_for_stderr("still can't be patched: src/report.rs:");
    assert_eq!(session.ask("x"), "account of ada: 125");
    let reaches = with(&refused, &[("= 20", "= 40")]);
    project.save(Save::InPlace, FILE, &reaches);
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "account of ada: 46");

    project.save(Save::InPlace, FILE, &text);
    session.wait_for_stderr("restored");
    assert_eq!(session.ask("x"), "account of ada: 17");
}
