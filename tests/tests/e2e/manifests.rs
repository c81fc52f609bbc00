//! Manifests and the lock file: what changes nothing about how the crates are compiled lets the
//! sources be patched, and what changes something is named.

use soft_mock_tests::project::{Project, Save};

use crate::ledger::{start, FILE};

const MANIFEST: &str = "Cargo.toml";
const MEANS_NOTHING: &str = "about how the crates are compiled";

/// A crate beside the project's that could be a dependency.
fn add_extra(project: &Project) {
    std::fs::create_dir_all(project.path("extra/src")).expect("a folder");
    let manifest = "[package]\nname = \"extra\"\nversion = \"0.1.0\"\n";
    project.save(Save::InPlace, "extra/Cargo.toml", manifest);
    project.save(Save::InPlace, "extra/src/lib.rs", "");
}

#[test]
fn what_changes_no_crate_is_patched_beside() {
    let project = Project::fixture("ledger");
    let manifest = project.read(MANIFEST);
    add_extra(&project);
    let mut session = start(&project);
    let mut count = 1;
    let version = |text: &str| text.replace("version = \"0.1.0\"", "version = \"0.2.0\"");
    for (number, edited) in [
        format!("{manifest}\n# a comment\n"),
        version(&manifest),
        manifest.replace(
            "[package]",
            "[package]\ndescription = \"x\"\nauthors = [\"y\"]",
        ),
        format!("{manifest}\n[lints.rust]\nunused = \"allow\"\n"),
        format!("{manifest}\n[dev-dependencies]\nextra = {{ path = \"extra\" }}\n"),
        format!("{manifest}\n[features]\nmore = []\n"),
        format!("{manifest}\n[profile.release]\nopt-level = 1\n"),
    ]
    .into_iter()
    .enumerate()
    {
        project.save(Save::Rename, MANIFEST, &edited);
        session.wait_for_all(&["Cargo.toml", MEANS_NOTHING]);
        let text = project.read(FILE);
        let [from, to] = [number, number + 1].map(|number| format!("account{number} of"));
        let from = match text.contains(&from) {
            true => from,
            false => "account of".to_owned(),
        };
        project.edit(FILE, &from, &to);
        session.wait_for_patch();
        count += 1;
        assert_eq!(
            session.ask("x"),
            format!("{to} ada: {count}"),
            "the same process"
        );
    }
    // Several files at once, as a checkout of another branch brings them, and back.
    let text = project.read(FILE);
    project.save(Save::Rename, MANIFEST, &version(&manifest));
    project.edit(FILE, "account7 of", "branch of");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "branch of ada: 9");
    project.save(Save::Rename, MANIFEST, &manifest);
    project.save(Save::Rename, FILE, &text);
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "account7 of ada: 10");
}

#[test]
fn what_changes_a_crate_is_named() {
    let project = Project::fixture("ledger");
    project.edit(
        FILE,
        "\"account of {}\", ",
        "\"{} of {}\", env!(\"CARGO_PKG_VERSION\"), ",
    );
    let manifest = project.read(MANIFEST);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "0.1.0 of ada: 1");
    for (edited, line, why) in [
        (
            format!("{manifest}\n[profile.dev]\nopt-level = 1\n"),
            manifest.lines().count() + 3,
            "crate `ledger` would be compiled with `-C opt-level=1`",
        ),
        (
            format!("{manifest}\n[features]\ndefault = [\"more\"]\nmore = []\n"),
            manifest.lines().count() + 3,
            "crate `ledger` would be compiled with `--cfg feature=\"default\"`",
        ),
        (
            format!("{manifest}\n[package.metadata.hot]\nskip = [\"crate::report::*\"]\n"),
            manifest.lines().count() + 3,
            "hot's setting `skip` changed",
        ),
        (
            format!("{manifest}\n[[["),
            manifest.lines().count() + 2,
            "cargo can't build it: error: ",
        ),
    ] {
        project.save(Save::InPlace, MANIFEST, &edited);
        session.wait_for_all(&[&format!("Cargo.toml:{line}: "), why]);
        project.save(Save::InPlace, MANIFEST, &manifest);
        session.wait_for_stderr("the edit was taken back");
    }
    // What a session begins with waits for the next one.
    let settings = format!("{manifest}\n[package.metadata.hot]\nmanual = true\n");
    project.save(Save::InPlace, MANIFEST, &settings);
    session.wait_for_all(&["manual", "for the next start of hot"]);
    project.edit(FILE, " of {}", " for {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "0.1.0 for ada: 2");
}

#[test]
fn a_version_that_crates_are_compiled_with_is_patched() {
    let project = Project::fixture("ledger");
    let original = project.read(FILE);
    project.edit(FILE, "\"account of {}\", ", "\"{VERSION} of {}\", ");
    let constant = "\nconst VERSION: &str = env!(\"CARGO_PKG_VERSION\");\n";
    project.save(Save::InPlace, FILE, &(project.read(FILE) + constant));
    let manifest = project.read(MANIFEST);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "0.1.0 of ada: 1");
    let bump = |version: &str| {
        let edited = manifest.replace("\"0.1.0\"", &format!("\"{version}\""));
        project.save(Save::Rename, MANIFEST, &edited);
    };
    bump("0.2.0");
    session.wait_for_all(&[
        "patched 1 function",
        "because of: CARGO_PKG_VERSION is `0.2.0` now",
    ]);
    assert_eq!(session.ask("x"), "0.2.0 of ada: 2");
    project.edit(FILE, " of {}", " for {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "0.2.0 for ada: 3");

    // What is taken back by hand isn't patched in again by the next save.
    bump("0.3.0");
    session.wait_for_stderr("because of: CARGO_PKG_VERSION is `0.3.0` now");
    assert_eq!(session.ask("x"), "0.3.0 for ada: 4");
    project.hot_to_end(&["rollback"]);
    assert_eq!(session.ask("x"), "0.2.0 for ada: 5");
    project.edit(FILE, "{}: {}", "{} = {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "0.2.0 for ada = 6");
    bump("0.1.0");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "0.1.0 for ada = 7");

    // Nothing that runs is compiled with it.
    project.save(Save::Rename, FILE, &original);
    session.wait_for_patch();
    bump("0.4.0");
    session.wait_for_stderr("nothing that runs uses it");
    assert_eq!(session.ask("x"), "account of ada: 8");
}

#[test]
fn a_dependency_that_is_new_or_gone_is_named() {
    let project = Project::fixture("ledger");
    let manifest = project.read(MANIFEST);
    add_extra(&project);
    let with = format!("{manifest}\n[dependencies]\nextra = {{ path = \"extra\" }}\n");
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    let line = manifest.lines().count() + 3;
    project.save(Save::InPlace, MANIFEST, &with);
    session.wait_for_all(&[&format!("Cargo.toml:{line}: "), "extra"]);
    session.wait_for_stderr("restarted");
    project.save(Save::InPlace, MANIFEST, &manifest);
    session.wait_for_all(&[
        "Cargo.toml:",
        "crate `ledger` wouldn't be given `extra` any more",
    ]);
    session.wait_for_stderr("restarted");
    project.edit(FILE, "account of", "purse of");
    session.wait_for_patch();
    assert_eq!(session.ask_until("x", "ada"), "purse of ada: 1");
}

/// The script of a dependency is compiled with what another script has generated.
#[test]
fn a_version_beside_dependencies_with_scripts() {
    let project = Project::fixture("ledger");
    let manifest = project.read(MANIFEST);
    for (file, text) in [
        (
            "extra/Cargo.toml",
            "[package]\nname = \"extra\"\nversion = \"0.1.0\"\n[build-dependencies]\nmade = { path = \"../made\" }\n",
        ),
        ("extra/build.rs", "fn main() { println!(\"cargo::rustc-env=MADE={}\", made::MADE); }"),
        ("extra/src/lib.rs", "pub const MADE: &str = env!(\"MADE\");"),
        ("made/Cargo.toml", "[package]\nname = \"made\"\nversion = \"0.1.0\"\n"),
        (
            "made/build.rs",
            "fn main() {\n    let to = std::env::var(\"OUT_DIR\").unwrap() + \"/made.rs\";\n    \
             std::fs::write(to, \"pub const MADE: u8 = 7;\").unwrap();\n}",
        ),
        ("made/src/lib.rs", "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));"),
    ] {
        let folder = project.path(file).parent().expect("a folder").to_owned();
        std::fs::create_dir_all(folder).expect("a folder");
        project.save(Save::InPlace, file, text);
    }
    let with_extra = manifest.replace(
        "[workspace]",
        "[workspace]\nexclude = [\"extra\", \"made\"]",
    ) + "\n[dependencies]\nextra = { path = \"extra\" }\n";
    project.save(Save::InPlace, MANIFEST, &with_extra);
    let mut session = start(&project);
    project.edit(MANIFEST, "version = \"0.1.0\"", "version = \"0.2.0\"");
    session.wait_for_all(&["Cargo.toml", MEANS_NOTHING]);
    project.edit(FILE, "account of", "purse of");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 2", "the same process");
}
