//! A published program, unmodified: mini-redis is patched while a client is connected.

use std::time::Duration;

use soft_mock_tests::package;
use soft_mock_tests::ports::free_port;
use soft_mock_tests::project::Project;
use soft_mock_tests::redis::{Client, Reply};
use soft_mock_tests::session::Session;

const GET: &str = "src/cmd/get.rs";
const SET: &str = "src/cmd/set.rs";

fn start(project: &Project) -> (Session, Client) {
    let port = free_port();
    let arguments = [
        "cargo",
        "run",
        "--locked",
        "--bin",
        "mini-redis-server",
        "--",
        "--port",
    ];
    let session = project.hot(&[&arguments[..], &[&port.to_string()]].concat());
    let Some(client) = Client::connect(port, Duration::from_secs(240)) else {
        panic!(
            "the server does not listen. Output so far:\n{}",
            session.output()
        );
    };
    (session, client)
}

fn bulk(text: &str) -> Reply {
    Reply::Bulk(text.to_owned())
}

#[test]
fn commands_are_patched_and_the_keys_stay() {
    let source = package::sources("fetch-mini-redis", "mini-redis");
    let project = Project::with_kept_target(&source, "mini-redis");
    let (mut session, mut client) = start(&project);
    let ok = Reply::Simple("OK".to_owned());
    assert_eq!(client.command(&["set", "colour", "green"]), ok);
    assert_eq!(client.command(&["set", "shape", "round"]), ok);
    assert_eq!(client.command(&["get", "colour"]), bulk("green"));

    // An async method under an attribute macro.
    let shouting = r#"Frame::Bulk(String::from_utf8_lossy(&value).to_uppercase().into())"#;
    project.edit(GET, "Frame::Bulk(value)", shouting);
    let patch = session.wait_for_patch();
    assert!(
        patch.contains("mini_redis::cmd::get::Get::apply"),
        "{patch}"
    );
    assert!(patch.contains("(src/cmd/get.rs:"), "{patch}");
    assert_eq!(client.command(&["get", "colour"]), bulk("GREEN"));
    assert_eq!(client.command(&["get", "none"]), Reply::Null);

    // Private fields of the command and of the database's own types.
    let prefixed = "db.set(format!(\"new:{}\", self.key), self.value, self.expire);";
    project.edit(SET, "db.set(self.key, self.value, self.expire);", prefixed);
    let patch = session.wait_for_patch();
    assert!(
        patch.contains("mini_redis::cmd::set::Set::apply"),
        "{patch}"
    );
    assert_eq!(client.command(&["set", "size", "large"]), ok);
    assert_eq!(client.command(&["get", "size"]), Reply::Null);
    assert_eq!(client.command(&["get", "new:size"]), bulk("LARGE"));
    assert_eq!(client.command(&["get", "shape"]), bulk("ROUND"));

    // Back to what was published.
    project.edit(SET, prefixed, "db.set(self.key, self.value, self.expire);");
    session.wait_for_patch();
    project.edit(GET, shouting, "Frame::Bulk(value)");
    session.wait_for_patch();
    assert_eq!(client.command(&["set", "size", "small"]), ok);
    assert_eq!(client.command(&["get", "size"]), bulk("small"));
    assert_eq!(client.command(&["get", "new:size"]), bulk("large"));
    assert_eq!(client.command(&["get", "colour"]), bulk("green"));
}
