//! A realistic host: an HTTP server whose routes live in two plugins, one of which imports the
//! other.

use super::workshop::Workshop;

/// 200 reloads under load from 8 clients: no request fails, none sees half a set, and memory is
/// bounded.
#[test]
fn two_hundred_reloads_of_a_server_under_load() {
    let shop = Workshop::fixture("routes");
    shop.build(&["plugins", "out", "--", "--release"]);
    let output = shop
        .command(shop.host("routes-host", &["--release"]))
        .args(["out", "200"])
        .output()
        .expect("started");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}{err}");
    println!("{out}");
    assert!(out.contains("0 waiting, 0 retained"), "{out}");
    let grown = out
        .split(" before, ")
        .nth(1)
        .and_then(|rest| rest.split(" KiB").next());
    let grown: i64 = grown.and_then(|text| text.parse().ok()).expect("a figure");
    assert!(grown < 8 * 1024, "{out}");
}
