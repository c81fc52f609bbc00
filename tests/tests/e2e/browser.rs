//! `--browser`, in a real browser: an open page shows what runs, where it was scrolled to.

use std::net::TcpListener;

use serde_json::json;
use soft_mock_tests::chromium::Chromium;
use soft_mock_tests::hot;
use soft_mock_tests::ports::free_port;
use soft_mock_tests::project::Project;
use soft_mock_tests::session::Session;

const HEADING: &str = "document.querySelector('h1')?.textContent";
const SCROLLED: &str = "[Math.round(scrollY), document.querySelector('#frame')?.scrollTop]";
const VISITS: &str = "Number(document.querySelector('#visits').textContent)";

fn start(project: &Project, pages: u16) -> Session {
    let mut session = project.hot(&[&format!("--browser=:{pages}"), "cargo", "run"]);
    session.wait_for_stderr(&format!(
        "pages refresh themselves at http://localhost:{pages} (the server is at port "
    ));
    session
}

#[test]
fn an_open_page_shows_what_runs_and_stays_where_it_is() {
    let project = Project::fixture("pages");
    let pages = free_port();
    let mut session = start(&project, pages);
    let mut browser = Chromium::open(&format!("http://localhost:{pages}/"));
    browser.wait_for(HEADING, &json!("first"));
    browser.wait_for("document.scripts.length", &json!(0));
    browser.evaluate("scrollTo(0, 1700); document.querySelector('#frame').scrollTop = 300");

    project.edit("src/main.rs", "\"first\"", "\"second\"");
    session.wait_for_patch();
    browser.wait_for(HEADING, &json!("second"));
    browser.wait_for(SCROLLED, &json!([1700, 300]));
    // Once, and by the same process.
    browser.wait_for(VISITS, &json!(2));

    project.edit("src/main.rs", "\"second\"", "\"first\"");
    session.wait_for_patch();
    browser.wait_for(HEADING, &json!("first"));
    browser.wait_for(SCROLLED, &json!([1700, 300]));

    // A restart: the new server listens at another port.
    project.edit_all(
        "src/main.rs",
        &[
            (
                "    count: AtomicU64,",
                "    count: AtomicU64,\n    _more: u64,",
            ),
            (
                "count: AtomicU64::new(0),",
                "count: AtomicU64::new(0),\n    _more: 0,",
            ),
            ("\"first\"", "\"third\""),
        ],
    );
    session.wait_for_stderr("hot: restarted");
    browser.wait_for(HEADING, &json!("third"));
    browser.wait_for(SCROLLED, &json!([1700, 300]));
    browser.wait_for(VISITS, &json!(1));

    // Another session.
    drop(session);
    project.edit("src/main.rs", "\"third\"", "\"fourth\"");
    let _session = start(&project, pages);
    browser.wait_for(HEADING, &json!("fourth"));
    browser.wait_for(SCROLLED, &json!([1700, 300]));
}

#[test]
fn a_page_that_is_opened_before_its_server_waits_for_it() {
    let project = Project::fixture("pages");
    let pages = free_port();
    let mut session = project.hot(&["-q", "--browser", &format!(":{pages}"), "cargo", "run"]);
    while std::net::TcpStream::connect(("127.0.0.1", pages)).is_err() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let address = format!("http://localhost:{pages}");
    let mut browser = Chromium::open(&address);
    browser.wait_for(HEADING, &json!("first"));
    // Who wants quiet has asked for pages, and may have lost the line.
    let line = format!("pages refresh themselves at {address}");
    session.wait_for_stderr(&line);
    let (status, _) = project.hot_to_end(&["status"]);
    assert!(status.contains(&line), "{status}");
}

#[test]
fn a_port_that_is_taken_is_an_error_before_anything_is_built() {
    let project = Project::fixture("pages");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port();
    let output = project.run(
        hot::binary(),
        &[&format!("--browser=3000:{port}"), "cargo", "run"],
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains(&format!("pages can't be shown at port {port}")),
        "{said}"
    );
    assert!(!said.contains("Compiling"), "{said}");
}
