//! Functions that are left out, profiles that change what can be patched, and what is known without
//! running anything.

use soft_mock_tests::project::{Project, Save};

const FILE: &str = "src/report.rs";
const MANIFEST: &str = "Cargo.toml";

#[test]
fn functions_are_left_out_by_config_and_by_attribute() {
    let project = Project::fixture("ledger");
    let plain = project.read(MANIFEST);
    let config = "[package.metadata.hot]\nskip = [\"crate::report::ti*\"]\n\n[package]";
    project.edit(MANIFEST, "[package]", config);
    project.edit(
        FILE,
        "pub fn line",
        "#[cfg_attr(any(), soft_mock::skip)]\npub fn line",
    );
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 1");
    project.edit(FILE, "account of {}", "purse of {}");
    session.wait_for_all(&["src/report.rs:", "is left out (`skip`)"]);
    project.edit_all(
        FILE,
        &[
            ("purse of {}", "account of {}"),
            (r#""{}: {}""#, r#""{} = {}""#),
        ],
    );
    session.wait_for_all(&["src/report.rs:", "line", "is left out (`skip`)"]);
    assert_eq!(session.patches(), Vec::<String>::new());
    assert_eq!(session.ask("x"), "account of ada: 2");
    session.send_line("end");
    session.finish();

    // Another configuration is another build, though no source changed.
    project.edit(FILE, r#""{} = {}""#, r#""{}: {}""#);
    project.save(soft_mock_tests::project::Save::Rename, MANIFEST, &plain);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    project.edit(FILE, "account of {}", "purse of {}");
    session.wait_for_all(&["patched 1 function", "ledger::report::title"]);
    assert_eq!(session.ask("x"), "purse of ada: 1");
}

#[test]
fn a_program_that_aborts_on_panic_is_patched() {
    let project = Project::fixture("ledger");
    project.edit(
        MANIFEST,
        "[package]",
        "[profile.dev]\npanic = \"abort\"\n\n[package]",
    );
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    project.edit(FILE, "account of {}", "purse of {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "purse of ada: 1");
    project.edit(
        FILE,
        "purse of {}\", account.owner())",
        "{}\", u8::from_str_radix(\"no\", 8).unwrap())",
    );
    session.wait_for_patch();
    session.send_line("x");
    let finished = session.finish();
    // Cargo tells the signal of what it ran as 128 + 6 or ends likewise.
    assert!(!finished.status.success(), "{:?}", finished.status);
    assert!(
        finished
            .stderr
            .iter()
            .any(|line| line.contains("src/report.rs:")),
        "{finished:?}"
    );
}

#[test]
fn link_time_optimisation_is_refused_clearly() {
    let project = Project::fixture("ledger");
    project.edit(
        MANIFEST,
        "[package]",
        "[profile.dev]\nlto = true\n\n[package]",
    );
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_all(&["can't be patched", "link-time optimisation is on"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 1");
    session.send_line("end");
    session.finish();
    let none = project.run(
        soft_mock_tests::hot::binary(),
        &["build-patch", "-o", "fix.so"],
    );
    assert!(!none.status.success());
}

#[test]
fn what_can_be_patched_is_known_without_running_it() {
    let project = Project::fixture("ledger");
    project.edit(
        FILE,
        "fn title(",
        "const fn zero() -> u8 {\n    0\n}\n\npub fn any<T>(_: T) {}\n\nmacro_rules! make {\n    () => {\n        fn made() {}\n    };\n}\n\nfn title(",
    );
    let (told, _) = project.hot_to_end(&["doctor"]);
    for part in [
        "ledger (bin src/main.rs): ",
        "    1 it is generic: ledger::report::any (src/report.rs:",
        "    1 it is a const fn: ledger::report::zero (src/report.rs:",
        "    1 it stands inside a macro: made (src/report.rs:",
        "      by way of their callers",
        "all crates: ",
        "The other 3 are patched by way of the functions that call them",
    ] {
        assert!(told.contains(part), "{part} is missing in\n{told}");
    }
    assert!(
        told.contains("`main` runs once, so an edit of it needs a restart"),
        "{told}"
    );
    let main = project.read("src/main.rs");
    let closure =
        "\nfn routes(app: App) {\n    app.route(\"/\", |name| {\n        name + 1\n    });\n}\n";
    project.save(Save::InPlace, "src/main.rs", &format!("{main}{closure}"));
    let manifest = project.read("Cargo.toml");
    let optimised = format!("{manifest}\n[profile.dev]\nlto = \"thin\"\n");
    project.save(Save::InPlace, "Cargo.toml", &optimised);
    let (more, _) = project.hot_to_end(&["doctor"]);
    for part in [
        "a closure given to `route` keeps the body that it was made with",
        "give it a function by name",
        "`lto = \"thin\"` in the profile `dev`",
    ] {
        assert!(more.contains(part), "{part} is missing in\n{more}");
        assert!(!told.contains(part), "{told}");
    }
    let json = |project: &Project| -> serde_json::Value {
        let (json, _) = project.hot_to_end(&["doctor", "--json"]);
        serde_json::from_str(&json).expect("JSON")
    };
    let profile = json(&project)["advice"].to_string();
    assert!(profile.contains("in the profile `dev`"), "{profile}");
    project.save(Save::InPlace, "src/main.rs", &main);
    project.save(Save::InPlace, "Cargo.toml", &manifest);
    let all = json(&project);
    assert!(!all["advice"].to_string().contains("profile"), "{all}");
    let count = |key: &str| all["crates"][0][key].as_u64().expect("a number");
    assert_eq!(count("functions") - count("patchable"), 3);
    assert!(!project.path("target").exists(), "nothing is built");

    let (shown, _) = project.hot_to_end(&["expand", FILE]);
    assert!(
        shown.contains("__SOFT_MOCK_SITE") && shown.contains("fn title("),
        "{shown}"
    );
    let (root, _) = project.hot_to_end(&["expand", "src/main.rs"]);
    assert!(!root.contains("mod __soft_mock"), "{root}");
    let (raw, _) = project.hot_to_end(&["expand", "--raw", "src/main.rs"]);
    assert!(raw.contains("mod __soft_mock"), "{raw}");
}
