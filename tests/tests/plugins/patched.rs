//! Functions of managed plugins are patched like any other, while `hot cargo run` runs their host.

use soft_mock_tests::session::Session;

use super::workshop::Workshop;

const PLUGIN: &str = "plugins/counter/src/lib.rs";

/// Asks the host, which answers with exactly this.
#[track_caller]
fn check(host: &mut Session, question: &str, answer: &str) {
    assert_eq!(host.ask(question), answer, "{}", host.output());
}

/// Starts the host, and waits until it can be patched.
fn start(shop: &Workshop) -> Session {
    shop.build(&["--patchable", "plugins", "out"]);
    let mut host = shop.session(&["-v", "cargo", "run", "-q", "-p", "patched-host"]);
    host.wait_for_stdout("counter  ok");
    host.wait_for_stdout("1 plugins");
    host.wait_for_stderr("the twin of `counter` is ready");
    host
}

/// Saves an edit that is patched into the running plugin.
#[track_caller]
fn patch(shop: &Workshop, host: &mut Session, from: &str, to: &str) {
    shop.edit(PLUGIN, from, to);
    let line = host.wait_for_patch();
    assert!(
        line.contains("counter::") && line.contains(PLUGIN),
        "{line}"
    );
}

#[test]
fn a_plugin_is_patched_reloaded_and_patched_again() {
    let shop = Workshop::fixture("patched");
    let mut host = start(&shop);
    check(&mut host, "add 5", "first: total 5 seen 1 here 1");

    // Value, static and thread-local of the plugin are what they were.
    patch(&shop, &mut host, "\"first: total", "\"second: total");
    check(&mut host, "add 5", "second: total 10 seen 2 here 2");

    // A panic in patched code is the plugin's own, and caught where its panics are.
    patch(&shop, &mut host, "    1\n}", "    panic!(\"fell\")\n}");
    let fallen = host.ask("risky");
    let place = format!("invoke_func panicked: fell (at {PLUGIN}:");
    assert!(fallen.contains(&place), "{fallen}");

    // A call in flight ends with the body that it began with.
    check(&mut host, "spawn slow", "begun");
    patch(&shop, &mut host, "slow first", "slow second");
    std::fs::write(shop.root.join("go"), "").expect("a file");
    host.wait_for_stdout("spawned slow first");
    check(&mut host, "slow", "slow second");

    // An edit that can't be patched: the plugin is built again, and the host goes on with the old
    // one until it reloads. Who still holds the old version keeps it, with its patches.
    check(&mut host, "hold", "held");
    shop.edit(
        PLUGIN,
        "    total: AtomicU64",
        "    more: u8,\n    total: AtomicU64",
    );
    host.wait_for_all(&[PLUGIN, "field added"]);
    host.wait_for_stderr("built the plugin again");
    check(&mut host, "add 1", "second: total 11 seen 3 here 3");
    host.send_line("reload");
    host.wait_for_stdout("counter  ok");
    host.wait_for_stdout("1 plugins");
    host.wait_for_stderr("the twin of `counter` is ready");
    check(&mut host, "add 7", "second: total 7 seen 1 here 1");
    check(
        &mut host,
        "held add 1",
        "held second: total 12 seen 4 here 4",
    );

    // Patches go to the version that serves.
    patch(&shop, &mut host, "\"second: total", "\"third: total");
    check(&mut host, "add 7", "third: total 14 seen 2 here 2");
    check(
        &mut host,
        "held add 1",
        "held second: total 13 seen 5 here 5",
    );
    check(&mut host, "drop", "dropped");
    host.wait_for_stdout("counter freed");
    // Its library stays: patches of it may still be referred to.
    host.ask_until("memory", "plugin: \"counter\"");

    // An edit that is undone gives the body back that this version was built with.
    patch(&shop, &mut host, "\"third: total", "\"second: total");
    check(&mut host, "add 7", "second: total 21 seen 3 here 3");
    host.finish();
}

/// Host and plugin each have a copy of what they share, with statics of its own: both are patched.
#[test]
fn a_shared_crate_is_patched_in_the_host_and_in_the_plugin() {
    let shop = Workshop::fixture("patched");
    let mut host = start(&shop);
    check(&mut host, "sign", "plugin call 1");
    check(&mut host, "sign", "plugin call 2");
    check(&mut host, "host", "host call 1");
    shop.edit("types/src/lib.rs", "{text} call", "{text} new call");
    host.wait_for_patch();
    host.wait_for_patch();
    check(&mut host, "sign", "plugin new call 3");
    check(&mut host, "host", "host new call 2");

    // The shared crate isn't any more what the host was built with: a plugin alone can't be built
    // again.
    shop.edit(
        PLUGIN,
        "    total: AtomicU64",
        "    more: u8,\n    total: AtomicU64",
    );
    host.wait_for_stderr("restarted");
    host.wait_for_stdout("counter  ok");
    host.wait_for_stdout("1 plugins");
    check(&mut host, "sign", "plugin new call 1");
    host.finish();
}

#[test]
fn patchable_plugins_are_told_from_others() {
    let shop = Workshop::fixture("patched");
    let output = shop
        .command(soft_mock_tests::hot::binary())
        .args(["watch-plugins", "--patchable", "plugins", "out"])
        .output()
        .expect("hot can be started");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && text.contains("hot cargo run"),
        "{text}"
    );
    // Built without prologues, its shared crate is another than the host's.
    shop.build(&["plugins", "out"]);
    let mut host = shop.session(&["cargo", "run", "-q", "-p", "patched-host"]);
    let refused = host.wait_for_stderr("OtherTypes");
    assert!(refused.contains("patched_types"), "{refused}");
}
