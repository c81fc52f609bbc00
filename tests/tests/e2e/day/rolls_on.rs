//! Functions that a patch brought, and that threads, pointers and boxed handlers lead to: each
//! further edit of them is patched like one of a function that the program was built with.

use std::thread::sleep;
use std::time::{Duration, Instant};

use soft_mock_tests::project::Save;

use super::{with, Day, Way, FILE};

const BODY: &str = "    format!(\"{}: {}\", ";

/// Answers that begin with what the thread last got, and the thread, which for ever asks for it.
const SHOWN: &str = "    format!(\"{} {}: {}\", std::env::var(\"TICK\").unwrap_or_default(), ";
const THREAD: &str = "    if std::env::var(\"TICK\").is_err() {
        std::env::set_var(\"TICK\", \"-\");
        std::thread::spawn(|| loop {
            std::env::set_var(\"TICK\", WHAT);
            std::thread::sleep(std::time::Duration::from_millis(5));
        });
    }
";

impl Day {
    /// A program in which a thread asks for `what`, which is new as well.
    fn asks(what: &str, added: &str) -> (Self, String) {
        let mut day = Self::start();
        let original = day.project.read(FILE);
        let text = with(&original, &[(BODY, &(thread(what) + SHOWN))]) + added;
        day.project.save(Save::InPlace, FILE, &text);
        day.session.wait_for_patch();
        (day, text)
    }

    /// Saves, and waits for a text that the thread gets.
    #[track_caller]
    fn rolls_on(&mut self, text: &str, gets: &str) {
        self.save(text, "", Way::Micro);
        self.gets(gets);
    }

    #[track_caller]
    fn gets(&mut self, text: &str) {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let found = self.session.ask("x");
            if found.starts_with(&format!("{text} account of ada: ")) {
                return;
            }
            assert!(Instant::now() < until, "{found}");
            sleep(Duration::from_millis(20));
        }
    }

    #[track_caller]
    fn restarts(&mut self, text: &str, why: &str) {
        self.project.save(Save::InPlace, FILE, text);
        self.session.wait_for_stderr(why);
        self.session.wait_for_stdout("ready");
        self.session.wait_for_stderr("hot: restarted");
    }
}

fn thread(what: &str) -> String {
    THREAD.replace("WHAT", what)
}

#[test]
fn a_helper_that_lives_on_in_a_thread() {
    let helper = "fn tick(n: u8) -> String {\n    format!(\"a{n}\")\n}\n";
    let (mut day, text) = Day::asks("tick(1)", helper);
    day.gets("a1");
    let other = with(&text, &[("\"a{n}\"", "\"b{n}\"")]);
    day.rolls_on(&other, "b1");
    // Nothing mentions it any more, and what began goes on.
    let unused = with(&other, &[(&thread("tick(1)"), "")]);
    day.rolls_on(&unused, "b1");
    let more = with(&unused, &[("format!(\"b{n}\")", "ticks(n) + \"c\"")])
        + "fn ticks(n: u8) -> String {\n    (n + 1).to_string()\n}\n";
    day.rolls_on(&more, "2c");
    let most = with(&more, &[("n + 1", "n + 2")]);
    day.rolls_on(&most, "3c");
    day.project.hot_to_end(&["rollback"]);
    day.gets("2c");
    day.rolls_on(&with(&most, &[("n + 2", "n + 3")]), "4c");
    // What it takes is another type.
    let typed = with(
        &most,
        &[
            (" tick(n: u8)", " tick(n: u16)"),
            ("ticks(n: u8)", "ticks(n: u16)"),
        ],
    );
    day.restarts(&typed, "something may still lead to `tick` as it was");
}

#[test]
fn futures_methods_and_what_they_use() {
    let added = "
async fn tick(account: &Account) -> String {
    account.marked().await
}
impl Account {
    async fn marked(&self) -> String {
        shown(Mark(self.owner()))
    }
}
#[derive(Debug)]
struct Mark<'a>(&'a str);
fn shown<T: std::fmt::Debug>(what: T) -> String {
    format!(\"{what:?}\").to_lowercase()
}
fn block<T>(future: impl std::future::Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::future::Future::poll(std::pin::pin!(future), &mut context) {
        std::task::Poll::Ready(found) => found,
        std::task::Poll::Pending => panic!(\"it waits\"),
    }
}
";
    let (mut day, text) = Day::asks("block(tick(&Account::new(\"eve\")))", added);
    day.gets("mark(\"eve\")");
    let other = with(
        &text,
        &[
            ("Mark(self.owner())", "Mark(self.owner(), 7)"),
            ("(&'a str)", "(&'a str, u8)"),
        ],
    );
    day.rolls_on(&other, "mark(\"eve\", 7)");
    let upper = with(&other, &[("to_lowercase()", "to_uppercase()")]);
    day.rolls_on(&upper, "MARK(\"EVE\", 7)");
    let awaited = with(
        &upper,
        &[(
            "account.marked().await",
            "format!(\"<{}>\", account.marked().await)",
        )],
    );
    day.rolls_on(&awaited, "<MARK(\"EVE\", 7)>");
}

/// It can't be another one than what is said, nor go without a word.
#[test]
fn what_is_gone_or_reaches_others() {
    let helper = "fn tick(n: u8) -> String {\n    format!(\"a{n}\")\n}\n";
    let (mut day, text) = Day::asks("tick(1)", helper);
    day.gets("a1");
    let without = with(&text, &[(&thread("tick(1)"), ""), (helper, "")]);
    day.restarts(&without, "report::tick` is gone");
}

const SERVER: &str = "src/server.rs";

impl Day {
    /// Saves a text beside an edit that reaches others, for which the whole crate is compiled:
    /// something of this type is greeted with.
    #[track_caller]
    fn with_whole_crate(&mut self, text: &str, greeting: &str, gets: &str) {
        let server = self.project.read(SERVER);
        let at = server.find("greeting: ").expect("a parameter") + "greeting: ".len();
        let end = server[at..].find(')').expect("its end") + at;
        let server = format!("{}{greeting}{}", &server[..at], &server[end..]);
        let mut files = vec![(SERVER, &*server), (FILE, text)];
        files.retain(|(file, text)| self.project.read(file) != *text);
        self.save_files(&files, "", Way::WholeCrate);
        self.gets(gets);
    }
}

/// What leads to a new function gets the code of whole crates as well, and what that code keeps of
/// it gets each later body.
#[test]
fn whole_crates_are_compiled_meanwhile() {
    let helper = "fn tick(n: u8) -> String {\n    format!(\"a{n}\")\n}\n";
    let pointer = "{ let tick: fn(u8) -> String = tick; tick(1) }";
    let (mut day, text) = Day::asks(pointer, helper);
    day.gets("a1");
    day.with_whole_crate(&text, "&'static str", "a1");
    let other = with(&text, &[("\"a{n}\"", "\"b{n}\"")]);
    day.rolls_on(&other, "b1");
    // Of the new thread, the code of whole crates has the pointer.
    let again = with(&other, &[("\"b{n}\"", "\"c{n}\"")]).replace("TICK", "TOCK");
    day.with_whole_crate(&again, "impl std::fmt::Display", "c1");
    let third = with(&again, &[("\"c{n}\"", "\"d{n}\"")]);
    day.rolls_on(&third, "d1");
    day.with_whole_crate(&third, "&str", "d1");
    let fourth = with(&third, &[("\"d{n}\"", "\"e{n}\"")]);
    day.rolls_on(&fourth, "e1");
    let typed = [(" tick(n: u8)", " tick(n: u16)"), ("fn(u8)", "fn(u16)")];
    day.restarts(&with(&fourth, &typed), "report::tick` is new, and");
}

#[test]
fn whole_crates_with_new_futures_and_methods() {
    let added = "
fn ticked(account: Account) -> FOUND {
    Box::pin(async move { tick(&account).await })
}
async fn tick(account: &Account) -> String {
    account.marked(1).await
}
impl Account {
    async fn marked(&self, n: u8) -> String {
        format!(\"{}{n}\", self.owner())
    }
}
fn once(mut future: FOUND) -> String {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::future::Future::poll(future.as_mut(), &mut context) {
        std::task::Poll::Ready(found) => found,
        std::task::Poll::Pending => panic!(\"it waits\"),
    }
}
";
    let found = "std::pin::Pin<Box<dyn std::future::Future<Output = String> + Send>>";
    let added = added.replace("FOUND", found);
    let (mut day, text) = Day::asks("once(ticked(Account::new(\"eve\")))", &added);
    day.gets("eve1");
    let other = with(&text, &[("{}{n}", "{}-{n}")]);
    day.with_whole_crate(&other, "&'static str", "eve-1");
    let more = with(&other, &[("marked(1).await", "marked(2).await")]).replace("TICK", "TOCK");
    day.with_whole_crate(&more, "impl std::fmt::Display", "eve-2");
    let last = with(&more, &[("{}-{n}", "{}*{n}")]);
    day.with_whole_crate(&last, "&str", "eve*2");
}
