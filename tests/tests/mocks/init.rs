//! `hot init`: plain `cargo test` mocks, until that is taken away.

use soft_mock_tests::folder;
use soft_mock_tests::project::{Project, Save};

const FILE: &str = ".cargo/config.toml";

#[test]
fn plain_cargo_test_mocks_until_it_is_taken_away() {
    let source = folder::workspace().join("tests/fixtures/runtimes");
    let project = Project::with_runtime(&source, "runtimes");
    let own = "[alias]\nall = \"test --workspace\"";
    std::fs::create_dir_all(project.path(".cargo")).expect("a folder");
    project.save(Save::InPlace, FILE, own);
    let (said, _) = project.hot_to_end(&["init"]);
    assert!(said.contains("plain `cargo test` mocks now"), "{said}");
    let text = project.read(FILE);
    project.hot_to_end(&["init"]);
    assert_eq!(project.read(FILE), text, "another time");

    // Tasks as well: tokio and rayon are compiled for it. And `hot` doesn't stand behind itself.
    let test = ["cargo", "test", "--test", "runtimes"];
    let (plain, stderr) = project.cargo(&test[1..]);
    assert!(plain.contains("7 passed; 0 failed"), "{plain}");
    assert!(
        !stderr.contains("warning: profile package spec"),
        "{stderr}"
    );
    let (hot, _) = project.hot_to_end(&test);
    assert!(hot.contains("7 passed; 0 failed"), "{hot}");

    project.hot_to_end(&["init", "--remove"]);
    assert_eq!(project.read(FILE), own);
    let (said, _) = project.hot_to_end(&["init", "--remove"]);
    assert!(said.contains("holds no line by `hot init`"), "{said}");
}

#[test]
fn what_is_not_its_own_is_left_and_said() {
    let project = Project::fixture("nested");
    let refused = |why: &str| {
        let output = project.run(soft_mock_tests::hot::binary(), &["init"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains(why), "{stderr}");
    };
    project.hot_to_end(&["init"]);
    assert!(project.read(FILE).contains("hot-rustc"));
    project.hot_to_end(&["init", "--remove"]);
    assert!(!project.path(".cargo").exists(), "nothing is left of it");

    std::fs::create_dir_all(project.path(".cargo")).expect("a folder");
    project.save(
        Save::InPlace,
        FILE,
        "[build]\nrustc-workspace-wrapper = \"mine\"\n",
    );
    refused("another `rustc-workspace-wrapper` is set, mine");
    project.save(Save::InPlace, FILE, "[build]\njobs = \n");
    refused("config.toml");
    project.save(Save::InPlace, ".cargo/config", "");
    std::fs::remove_file(project.path(FILE)).expect("removed");
    refused("rename it first");
}
