//! The demo: the counter server is edited while it runs, and neither the count nor the connection
//! is lost.

use soft_mock_tests::folder;
use soft_mock_tests::http::Client;
use soft_mock_tests::project::Project;

#[test]
fn the_count_and_the_connection_survive_edits() {
    let example = folder::workspace().join("examples/counter-server");
    let project = Project::with_kept_target(&example, "counter-server");
    let mut session = project.hot(&["cargo", "run", "--locked", "--", "0"]);
    let line = session.wait_for_stdout("listening on ");
    let mut client = Client::connect(line.trim_start_matches("listening on "));
    assert_eq!(client.post("/increment"), "count: 1\n");
    assert_eq!(client.post("/increment"), "count: 2\n");
    assert_eq!(client.post("/increment"), "count: 3\n");

    project.edit(
        "src/main.rs",
        r#"format!("count: {count}\n")"#,
        r#"format!("{count} so far\n")"#,
    );
    let patch = session.wait_for_patch();
    assert!(patch.contains("patched 1 function in "), "{patch}");
    assert!(
        patch.contains("counter_server::render (src/main.rs:"),
        "{patch}"
    );
    assert_eq!(client.get("/get"), "3 so far\n");
    assert_eq!(client.get("/increment"), "4 so far\n");

    let handler = "let count = counter.get();";
    project.edit("src/main.rs", handler, "let count = counter.get() + 1000;");
    let patch = session.wait_for_patch();
    assert!(patch.contains("counter_server::show"), "{patch}");
    assert_eq!(client.get("/get"), "1004 so far\n");
    assert_eq!(client.post("/increment"), "5 so far\n");

    project.edit("src/main.rs", "counter.get() + 1000", "counter.get()");
    session.wait_for_patch();
    project.edit(
        "src/main.rs",
        r#"format!("{count} so far\n")"#,
        r#"format!("count: {count}\n")"#,
    );
    session.wait_for_patch();
    assert_eq!(client.get("/get"), "count: 5\n");
}
