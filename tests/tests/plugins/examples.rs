//! The five examples as their READMEs say: built, run, reloaded.

use std::process::Command;

use super::workshop::{Running, Workshop};

/// Builds all plugins and the host, and starts it.
fn start(shop: &Workshop, host: &str, plugins: &str) -> Running {
    shop.build(&[plugins, "out"]);
    Running::start(shop.command(shop.host(host, &[])))
}

#[test]
fn hello() {
    let shop = Workshop::example("hello");
    let mut host = start(&shop, "hello-host", "plugins/hello");
    host.wait_for("hello: loaded");
    host.wait_for("hello: beat 2");
    shop.edit(
        "plugins/hello/src/lib.rs",
        "hello: beat",
        "hello: second beat",
    );
    shop.build(&["plugins/hello", "out"]);
    host.say("r");
    host.wait_for("hello  ok");
    host.wait_for("hello: second beat");
    host.wait_for("hello: freed");
    shop.edit("plugins/hello/src/lib.rs", "second beat", "third beat");
    shop.build(&["plugins/hello", "out"]);
    let status = Command::new("kill")
        .args(["-HUP", &host.id().to_string()])
        .status()
        .expect("kill");
    assert!(status.success());
    host.wait_for("hello: third beat");
    // A plugin that does not compile is not put into the folder, and the host goes on.
    shop.edit(
        "plugins/hello/src/lib.rs",
        "third beat {}\"",
        "third beat {}",
    );
    let output = shop.hot_build(&["plugins/hello", "out"]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("error"));
    host.say("r");
    host.wait_for("hello  unchanged");
    host.wait_for("hello: third beat");
    host.end();
}

#[test]
fn extension() {
    let shop = Workshop::example("extension");
    let mut host = start(&shop, "extension-host", "plugins");
    host.say("greet you");
    host.wait_for("hello, you");
    host.say("count");
    host.wait_for("call 1");
    shop.edit(
        "plugins/greeter/src/lib.rs",
        "hello, {argument}",
        "good day, {argument}",
    );
    shop.build(&["plugins", "out"]);
    host.say("reload");
    host.wait_for("clock    unchanged");
    host.wait_for("greeter  ok");
    host.say("greet you");
    host.wait_for("good day, you");
    host.say("count");
    host.wait_for("call 2");
    host.end();
}

#[test]
fn livex() {
    let shop = Workshop::example("livex");
    let mut host = start(&shop, "livex-host", "plugins/jobs");
    for line in ["mail ann", "backup 3", "run"] {
        host.say(line);
    }
    host.wait_for("mail to ann");
    host.wait_for("backup of 3 files");
    // What is queued by the first version is handled by the second, with a field that it knew
    // nothing of.
    host.say("mail bob");
    let code = "plugins/jobs/src/lib.rs";
    shop.edit(code, "to: String,", "to: String,\n    copies: u32,");
    shop.edit(code, "to: params.get()?", "to: params.get()?, copies: 1");
    shop.edit(
        code,
        "mail to {}\", mail.to",
        "letter to {}, {} copies\", mail.to, mail.copies",
    );
    shop.build(&["plugins/jobs", "out"]);
    for line in ["reload", "mail cleo", "run"] {
        host.say(line);
    }
    host.wait_for("jobs  ok");
    host.wait_for("letter to bob, 0 copies");
    host.wait_for("letter to cleo, 1 copies");
    host.end();
}

#[test]
fn slink() {
    let shop = Workshop::example("slink");
    let mut host = start(&shop, "slink-host", "plugins");
    host.wait_for("loaded");
    host.say("4");
    host.wait_for("work of 4: 5");
    host.wait_for("work of 4: 8");
    host.wait_for("half: 2");
    host.say("reload");
    host.wait_for("doubler  unchanged");
    host.end();

    // Building one plugin statically never disturbs another's file.
    let part = shop.root.join("static/src/adder.rs");
    shop.build(&[
        "plugins/adder",
        "static",
        "--static-linking",
        "--cargo-build=false",
    ]);
    let before = std::fs::metadata(&part)
        .and_then(|metadata| metadata.modified())
        .expect("generated");
    shop.build(&["plugins/doubler", "static", "--static-linking"]);
    assert_eq!(
        std::fs::metadata(&part)
            .and_then(|metadata| metadata.modified())
            .expect("there"),
        before
    );
    let mut host = Running::start(shop.command(shop.host("slink-host", &["--features", "static"])));
    host.wait_for("linked statically");
    host.say("4");
    host.wait_for("work of 4: 5");
    host.wait_for("work of 4: 8");
    host.wait_for("half: 2");
    host.say("reload");
    host.wait_for("not reloaded: reload is impossible here: the plugins are linked statically");
    host.end();
}

#[test]
fn trine() {
    let shop = Workshop::example("trine");
    let mut host = start(&shop, "trine-host", "plugins");
    host.say("walk");
    host.wait_for("gamma 1 -> beta 1 -> alpha 1");
    shop.edit("plugins/alpha/src/lib.rs", "alpha 1", "alpha 2");
    shop.build(&["plugins/alpha", "out"]);
    host.say("reload");
    for name in ["alpha", "beta ", "gamma"] {
        host.wait_for(&format!("{name}  ok"));
    }
    host.say("walk");
    host.wait_for("gamma 1 -> beta 1 -> alpha 2");
    for name in ["alpha", "beta", "gamma"] {
        let file = format!("plugins/{name}/src/lib.rs");
        let old = if name == "alpha" { 2 } else { 1 };
        shop.edit(&file, &format!("{name} {old}"), &format!("{name} 3"));
    }
    shop.build(&["plugins", "out"]);
    host.say("reload");
    host.say("walk");
    host.wait_for("gamma 3 -> beta 3 -> alpha 3");
    host.end();
}
