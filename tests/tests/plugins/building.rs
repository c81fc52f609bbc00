//! `hot build` and `hot watch-plugins`: flags, rules, and what they say.

use std::time::Duration;

use soft_mock_tests::hot;

use super::workshop::{Running, Workshop};

#[track_caller]
fn refused(shop: &Workshop, arguments: &[&str], parts: &[&str]) {
    let output = shop.hot_build(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    for part in parts {
        assert!(said.contains(part), "`{said}` does not say `{part}`");
    }
}

#[test]
fn flags() {
    let shop = Workshop::copy(
        &soft_mock_tests::folder::workspace().join("examples/trine"),
        "trine-flags",
    );
    let script = shop.build(&["plugins/alpha", "out", "--cargo-build=false"]);
    assert_eq!(script.trim(), "out/alpha.build.sh");
    let text = std::fs::read_to_string(shop.root.join(script.trim())).expect("a script");
    assert!(
        text.contains("rustc --lib --crate-type cdylib")
            && !shop.root.join("out/alpha.so").exists(),
        "{text}"
    );
    refused(
        &shop,
        &["plugins", "out", "--exclude", "*a"],
        &["no plugin in plugins is left"],
    );
    let output = shop.hot_build(&[
        "plugins",
        "out",
        "--include",
        "b*",
        "--debug",
        "-v",
        "--leave-temps",
    ]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "out/beta.so",
        "{said}"
    );
    let kept = said
        .lines()
        .find_map(|line| line.strip_prefix("hot: temporary files are in "))
        .expect("a folder");
    assert!(std::path::Path::new(kept).join("command.sh").is_file());
    std::fs::remove_dir_all(kept).expect("removed");
    let with_lines = std::fs::metadata(shop.root.join("out/beta.so"))
        .expect("beta")
        .len();
    shop.build(&["plugins/beta", "out"]);
    let without = std::fs::metadata(shop.root.join("out/beta.so"))
        .expect("beta")
        .len();
    assert!(
        without * 2 < with_lines,
        "{without} bytes without debug information, {with_lines} with"
    );
}

/// Version control isn't needed (no other test here has it); where it is, the plugin knows its
/// commit.
#[test]
fn the_commit_is_noted() {
    let shop = Workshop::copy(
        &soft_mock_tests::folder::workspace().join("examples/trine"),
        "trine-commit",
    );
    let git = |arguments: &[&str]| {
        let output = shop
            .command("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(arguments)
            .output()
            .expect("git");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout)
            .expect("text")
            .trim()
            .to_owned()
    };
    git(&["init", "--quiet"]);
    git(&["add", "plugins/alpha"]);
    git(&["commit", "--quiet", "--message", "alpha"]);
    let commit = git(&["log", "-1", "--format=%h"]);
    let noted = |text: &str| {
        shop.build(&["plugins/alpha", "out"]);
        let library = std::fs::read(shop.root.join("out/alpha.so")).expect("alpha");
        let note = format!("\"note\":\"{text}\"");
        assert!(
            library
                .windows(note.len())
                .any(|part| part == note.as_bytes()),
            "no {note} in it"
        );
    };
    noted(&commit);
    shop.edit("plugins/alpha/src/lib.rs", "//! ", "//! Changed: ");
    noted(&format!("{commit}+"));
}

#[test]
fn who_may_depend_on_whom() {
    let shop = Workshop::copy(
        &soft_mock_tests::folder::workspace().join("examples/trine"),
        "trine-rules",
    );
    let host = "host/Cargo.toml";
    let line = "trine-types.workspace = true";
    shop.edit(
        host,
        line,
        &format!("{line}\nalpha = {{ path = \"../plugins/alpha\" }}"),
    );
    refused(
        &shop,
        &["plugins/alpha", "out"],
        &[
            "package `trine-host` depends on plugin `alpha`",
            "shared types",
        ],
    );
    shop.edit(host, "alpha = { path = \"../plugins/alpha\" }", "");
    shop.edit(
        "plugins/beta/Cargo.toml",
        line,
        &format!("{line}\nalpha = {{ path = \"../alpha\" }}"),
    );
    refused(
        &shop,
        &["plugins/beta", "out"],
        &["package `beta` depends on plugin `alpha`"],
    );
    refused(
        &shop,
        &["plugins/alpha", "out"],
        &["package `beta` depends on plugin `alpha`"],
    );
    shop.edit(
        "plugins/beta/Cargo.toml",
        "alpha = { path = \"../alpha\" }",
        "",
    );
    shop.edit("types/src/lib.rs", "soft_mock::plugin::shared!();", "");
    refused(
        &shop,
        &["plugins/alpha", "out"],
        &[
            "`trine-types` is shared by plugin `alpha` and `",
            "add `soft_mock::plugin::shared!();`",
        ],
    );
    shop.edit(
        "types/src/lib.rs",
        "//! What the three share.",
        "//! Shared.\nsoft_mock::plugin::shared!();",
    );
    shop.edit(
        "types/Cargo.toml",
        "soft-mock.workspace = true",
        "soft-mock.workspace = true\nparking_lot = \"0.12\"",
    );
    refused(
        &shop,
        &["plugins/alpha", "out"],
        &["`trine-types`, which plugin `alpha` shares with its host, depends on `parking_lot`"],
    );
    shop.edit("types/Cargo.toml", "parking_lot = \"0.12\"", "");
    let types = "types/src/lib.rs";
    let text = std::fs::read_to_string(shop.root.join(types)).expect("the types");
    let error = "/// Tries.\npub trait Tries {\n    /// Tries.\n    fn run(&self) -> Result<(), Box<dyn std::error::Error>>;\n}\n";
    std::fs::write(shop.root.join(types), format!("{text}\n{error}")).expect("written");
    let line = text.lines().count() + 5;
    let place = format!("{types}:{line}: package `trine-types`, which plugin `alpha` shares");
    refused(
        &shop,
        &["plugins/alpha", "out"],
        &[&place, "hands over `dyn Error`", "allow = [\"dyn Error\"]"],
    );
    let allow = "[package.metadata.soft-mock]\nallow = [\"dyn Error\"]\n\n[dependencies]";
    shop.edit("types/Cargo.toml", "[dependencies]", allow);
    shop.build(&["plugins/alpha", "out", "--cargo-build=false"]);
    refused(&shop, &["host", "out"], &["has no library"]);
    refused(&shop, &["types", "out"], &["declares no plugin"]);
    refused(
        &shop,
        &["nowhere", "out"],
        &["nowhere is no folder with a Cargo.toml"],
    );
}

/// A macro that only the plugin uses wants other features of a crate that the macros of what both
/// share are made with: as `tokio` with its macros does.
#[test]
fn features_of_host_and_plugin_come_together() {
    let shop = Workshop::copy(
        &soft_mock_tests::folder::workspace().join("examples/hello"),
        "hello-features",
    );
    let lock = std::fs::read_to_string(shop.root.join("Cargo.lock")).expect("a lock file");
    let syn = lock.split("name = \"syn\"\nversion = \"3.").count();
    assert_eq!(
        syn, 2,
        "the derive macros of serde are made with another syn"
    );
    let folder = shop.root.join("maker");
    std::fs::create_dir_all(folder.join("src")).expect("a folder");
    let manifest = "[package]\nname = \"maker\"\nedition = \"2021\"\n[lib]\nproc-macro = true\n\
                    [dependencies]\nsyn = { version = \"3\", features = [\"full\"] }\n";
    std::fs::write(folder.join("Cargo.toml"), manifest).expect("written");
    std::fs::write(folder.join("src/lib.rs"), "").expect("written");
    shop.edit("Cargo.toml", "\"host\", ", "\"host\", \"maker\", ");
    let (plugin, host) = ("plugins/hello/Cargo.toml", "host/Cargo.toml");
    let line = "soft-mock.workspace = true";
    let maker = |path: &str| format!("{line}\nmaker = {{ path = \"{path}\" }}");
    shop.edit(plugin, line, &maker("../../maker"));
    let build = |arguments: &[&str]| {
        let output = shop.hot_build(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    };
    let said = build(&["plugins/hello", "out"]);
    for part in [
        "`hello` and its host `hello-host` share crates that are made with syn v3.",
        "(`full` for `hello` alone)",
        "build --workspace",
        "give `hello-host` the dependency `maker v0.0.0",
    ] {
        assert!(said.contains(part), "`{said}` does not say `{part}`");
    }
    // A host with features of its own has other types, and is told which dependency makes them so.
    let alone = shop.host("hello-host", &[]);
    let output = shop.command(&alone).output().expect("started");
    let refusal = String::from_utf8_lossy(&output.stderr);
    let parts = ["its dependencies `", "`serde`", "`hot build` names these"];
    assert!(parts.iter().all(|part| refusal.contains(part)), "{refusal}");
    let loads = |host: &std::path::Path| {
        let host = Running::start(shop.command(host));
        host.wait_for("hello: beat");
        host.end();
    };
    loads(&shop.host("hello-host", &["-p", "hello", "-p", "maker"]));
    // For one that is patched there is no such build.
    let said = build(&["--patchable", "plugins/hello", "patchable"]);
    assert!(
        said.contains("The host would refuse the plugin: give `hello-host`"),
        "{said}"
    );
    // On demand; and where both want the same, nothing needs to be said.
    assert_eq!(build(&["--workspace", "plugins/hello", "out"]), "");
    shop.edit(host, line, &maker("../maker"));
    assert_eq!(build(&["plugins/hello", "out"]), "");
    loads(&shop.host("hello-host", &[]));
}

#[test]
fn edited_shared_types_are_refused_until_the_host_is_rebuilt() {
    let shop = Workshop::copy(
        &soft_mock_tests::folder::workspace().join("examples/extension"),
        "extension-types",
    );
    shop.build(&["plugins", "out"]);
    let mut host = Running::start(shop.command(shop.host("extension-host", &[])));
    host.wait_for("2 plugins");
    // A comment is no change of a type.
    let (types, greeter) = ("types/src/lib.rs", "plugins/greeter/src/lib.rs");
    shop.edit(
        types,
        "    /// Runs it.",
        "    // A comment.\n    /// Runs it.",
    );
    shop.edit(greeter, "hello, {argument}", "second {argument}");
    shop.build(&["plugins", "out"]);
    host.say("reload");
    host.wait_for("2 plugins");
    host.say("greet you");
    host.wait_for("second you");
    shop.edit(
        types,
        "    /// Runs it.",
        "    /// Has a default.\n    fn also(&self) {}\n\n    /// Runs it.",
    );
    shop.build(&["plugins/greeter", "out"]);
    host.say("reload");
    let refusal = host.wait_for("not reloaded");
    let parts = [
        "`greeter` was built against another `extension_types` than the host: fingerprint ",
        "sources: `",
    ];
    assert!(parts.iter().all(|part| refusal.contains(part)), "{refusal}");
    host.say("greet you");
    host.wait_for("second you");
    host.end();
    shop.build(&["plugins", "out"]);
    let mut host = Running::start(shop.command(shop.host("extension-host", &[])));
    host.say("greet you");
    host.wait_for("second you");
    host.end();
}

#[test]
fn plugins_of_different_shared_types_are_refused() {
    // The host of this example doesn't know the types that its plugins share.
    let shop = Workshop::copy(
        &soft_mock_tests::folder::workspace().join("examples/trine"),
        "trine-types",
    );
    shop.build(&["plugins", "out"]);
    shop.edit(
        "types/src/lib.rs",
        "    fn walk(",
        "    fn also(&self) {}\n\n    /// Walks.\n    fn walk(",
    );
    shop.build(&["plugins/beta", "out"]);
    let output = shop
        .command(shop.host("trine-host", &[]))
        .output()
        .expect("started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("trine_types"),
        "{said}"
    );
}

#[test]
fn live_prefix_and_release() {
    let shop = Workshop::copy(
        &soft_mock_tests::folder::workspace().join("examples/livex"),
        "livex-prefix",
    );
    shop.edit(
        "plugins/jobs/src/lib.rs",
        "pub fn live_mail",
        "pub fn JOB_mail",
    );
    shop.edit("plugins/jobs/src/lib.rs", "\"live_mail\"", "\"JOB_mail\"");
    shop.edit(
        "plugins/jobs/src/lib.rs",
        "/// Found by its prefix.",
        "#[allow(non_snake_case)]\n/// Found by its prefix.",
    );
    shop.build(&[
        "plugins/jobs",
        "out",
        "--live-prefix",
        "job_",
        "--",
        "--release",
    ]);
    let mut host = Running::start(shop.command(shop.host("livex-host", &["--release"])));
    host.say("mail ann");
    host.say("run");
    host.wait_for("mail to ann");
    host.end();
    // A debug host refuses the release plugin, and says what differs.
    let output = shop
        .command(shop.host("livex-host", &[]))
        .output()
        .expect("started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("compiler flags") || said.contains("OtherTypes"),
        "{said}"
    );
}

#[test]
fn watch_builds_on_save() {
    let shop = Workshop::copy(
        &soft_mock_tests::folder::workspace().join("examples/hello"),
        "hello-watch",
    );
    shop.build(&["plugins/hello", "out"]);
    let host = Running::start(shop.command(shop.host("hello-host", &[])));
    host.wait_for("hello: beat");
    let mut watch = shop.command(hot::binary());
    watch.args([
        "watch-plugins",
        "plugins/hello",
        "out",
        "--signal",
        &host.id().to_string(),
    ]);
    let watch = Running::start(watch);
    watch.wait_for("out/hello.so");
    std::thread::sleep(Duration::from_millis(300));
    shop.edit("plugins/hello/src/lib.rs", "hello: beat", "hello: saved");
    watch.wait_for("out/hello.so");
    host.wait_for("hello: saved");
    host.end();
}
