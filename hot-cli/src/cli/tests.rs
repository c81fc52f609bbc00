//! Command lines, and what they are read as.

use std::path::PathBuf;

use super::*;
use crate::session::Options;

fn read(line: &[&str]) -> Result<Options, clap::Error> {
    let hot = Hot::read(line.iter().map(OsString::from).collect(), None)?;
    assert!(hot.command.is_none(), "{line:?} is a command of hot");
    Ok(hot.session)
}

#[track_caller]
fn check_command(line: &[&str], command: &[&str]) -> Options {
    let options = read(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
    assert_eq!(options.command, command, "{line:?}");
    options
}

#[test]
fn clap_accepts_the_definition() {
    Hot::command().debug_assert();
    parser(true).debug_assert();
}

#[test]
fn the_command_is_untouched() {
    check_command(
        &[
            "hot", "cargo", "run", "--bin", "server", "--", "args", "--", "x",
        ],
        &["cargo", "run", "--bin", "server", "--", "args", "--", "x"],
    );
    check_command(&["hot", "cargo", "--help"], &["cargo", "--help"]);
    check_command(&["hot", "cargo", "--", "x"], &["cargo", "--", "x"]);
    check_command(
        &["hot", "app", "-v", "--no-restart"],
        &["app", "-v", "--no-restart"],
    );
    check_command(&["hot", "app", "", "a b"], &["app", "", "a b"]);
    check_command(
        &["hot", "--", "sh", "-c", "a && b"],
        &["sh", "-c", "a && b"],
    );
    check_command(&["hot", "--", "a", "--", "b"], &["a", "--", "b"]);
}

#[test]
fn arguments_need_not_be_unicode() {
    use std::os::unix::ffi::OsStringExt;
    let odd = OsString::from_vec(vec![b'a', 0xff]);
    let args = vec!["hot".into(), "app".into(), odd.clone()];
    let options = Hot::read(args, None).expect("accepted").session;
    assert_eq!(options.command[1], odd);
}

#[test]
fn own_options_come_first() {
    let options = check_command(
        &[
            "hot",
            "--no-restart",
            "--watch",
            "/",
            "--watch=/dev",
            "-v",
            "cargo",
            "run",
        ],
        &["cargo", "run"],
    );
    assert_eq!(options.flags.no_restart, Some(true));
    assert_eq!(options.flags.verbose, Some(true));
    assert_eq!(options.watch, [PathBuf::from("/"), PathBuf::from("/dev")]);

    let options = check_command(&["hot", "app", "--watch", "/"], &["app", "--watch", "/"]);
    assert_eq!(
        options,
        Options {
            command: options.command.clone(),
            ..Options::default()
        }
    );
}

#[test]
fn a_single_dash_is_understood_where_it_is_ours() {
    let line = ["hot", "--include", "itoa", "-watch=/dev", "app", "-watch=x"];
    let options = check_command(&line, &["app", "-watch=x"]);
    assert_eq!(options.watch, [PathBuf::from("/dev")]);
    let options = check_command(&["hot", "-watch", "/dev", "-watch=/sys", "app"], &["app"]);
    assert_eq!(options.watch, ["/dev", "/sys"].map(PathBuf::from));
    check_command(&["hot", "--", "-watch=/dev"], &["-watch=/dev"]);
}

#[test]
fn options_of_a_session_stand_before_a_command_of_ours() {
    let read = |line: &[&str]| Hot::read(line.iter().map(OsString::from).collect(), None);
    let line = [
        "hot",
        "-watch=/dev",
        "-q",
        "--browser",
        "3000",
        "config",
        "--json",
    ];
    let hot = read(&line).expect("shown");
    assert!(matches!(hot.command, Some(Command::Config(_))));
    assert_eq!(hot.session.watch, [PathBuf::from("/dev")]);
    assert_eq!(hot.session.browser.as_deref(), Some("3000"));
    for name in Hot::command()
        .get_subcommands()
        .map(clap::Command::get_name)
    {
        let error = read(&["hot", "--clear", name])
            .err()
            .map(|error| error.to_string());
        let expected = format!("options of a session stand before `{name}`");
        let is_refused = error.is_some_and(|error| error.contains(&expected));
        assert_eq!(is_refused, name != "config", "{name}");
        check_command(&["hot", "--clear", "--", name], &[name]);
    }
}

#[test]
fn a_port_for_pages_stands_among_other_options() {
    for line in [
        &["hot", "--browser", "3000", "-q", "app"][..],
        &["hot", "-q", "--browser", "3000", "app"],
        &["hot", "--browser", "3000", "-q", "--", "app"],
        &["hot", "--browser=3000", "-q", "app"],
    ] {
        let options = check_command(line, &["app"]);
        assert_eq!(options.browser.as_deref(), Some("3000"), "{line:?}");
        assert_eq!(options.flags.quiet, Some(true), "{line:?}");
    }
    let options = check_command(
        &["hot", "--browser", ":81", "--log", "3000", "app"],
        &["app"],
    );
    assert_eq!(options.browser.as_deref(), Some(":81"));
    let options = check_command(&["hot", "--browser", "-q", "app", "3000"], &["app", "3000"]);
    assert_eq!(options.browser.as_deref(), Some("true"));
    check_command(&["hot", "--browser", "--", "3000"], &["3000"]);
}

#[test]
fn what_is_on_elsewhere_can_be_turned_off() {
    let options = check_command(&["hot", "--manual=false", "-q", "app"], &["app"]);
    assert_eq!(options.flags.manual, Some(false));
    assert_eq!(options.flags.quiet, Some(true));
}

#[test]
fn crates_are_included_one_by_one_or_as_a_list() {
    let line = [
        "hot",
        "--include",
        "itoa,ryu",
        "--include=rand@0.8",
        "cargo",
        "run",
    ];
    let options = check_command(&line, &["cargo", "run"]);
    assert_eq!(options.include, ["itoa", "ryu", "rand@0.8"]);
}

#[test]
fn bare_cargo_commands_get_a_hint() {
    for word in ["run", "nextest"] {
        let error = read(&["hot", word, "--bin", "x"])
            .expect_err(word)
            .to_string();
        assert!(error.contains(&format!("hot cargo {word}")), "{error}");
    }
    check_command(&["hot", "--", "test", "-e", "/"], &["test", "-e", "/"]);
}

#[test]
fn cargo_hot_is_hot_cargo() {
    check_command(
        &[
            "hot",
            AS_CARGO_SUBCOMMAND,
            "--no-restart",
            "run",
            "--bin",
            "x",
            "--",
            "y",
        ],
        &["cargo", "run", "--bin", "x", "--", "y"],
    );
    check_command(
        &["hot", AS_CARGO_SUBCOMMAND, "--", "sh", "-c", "x"],
        &["sh", "-c", "x"],
    );

    let args = ["hot", AS_CARGO_SUBCOMMAND, "run"]
        .map(OsString::from)
        .to_vec();
    let read = Hot::read(args, Some(OsStr::new("/toolchain/cargo")));
    let options = read.expect("accepted").session;
    assert_eq!(options.command, ["/toolchain/cargo", "run"]);
}

#[test]
fn mistakes_are_errors() {
    assert_eq!(
        read(&["hot"]).expect_err("empty").kind(),
        ErrorKind::MissingRequiredArgument
    );
    assert_eq!(
        read(&["hot", "--frob", "app"]).expect_err("unknown").kind(),
        ErrorKind::UnknownArgument
    );
    let error = read(&["hot", "--watch", "/no/such/folder", "app"])
        .expect_err("missing path")
        .to_string();
    assert!(
        error.contains("/no/such/folder") && error.contains("No such file"),
        "{error}"
    );
}

#[test]
fn commands_of_hot_are_told_from_programs() {
    for line in [
        &["hot", "status", "--json"][..],
        &["hot", "rollback", "2"],
        &["hot", "build", "plugins", "out", "--", "--release"],
        &["hot", "attach", "--pid", "7"],
    ] {
        let hot = Hot::read(line.iter().map(OsString::from).collect(), None);
        let hot = hot.unwrap_or_else(|error| panic!("{line:?}: {error}"));
        assert!(hot.command.is_some(), "{line:?}");
    }
    check_command(&["hot", "--", "status", "-x"], &["status", "-x"]);
    let line = ["hot", AS_CARGO_SUBCOMMAND, "build", "--release"];
    check_command(&line, &["cargo", "build", "--release"]);
}

#[test]
fn a_program_need_not_have_a_unicode_name() {
    use std::os::unix::ffi::OsStringExt;
    let odd = OsString::from_vec(vec![b'.', b'/', 0xff]);
    let hot = Hot::read(vec!["hot".into(), odd.clone(), "status".into()], None);
    assert_eq!(
        hot.expect("accepted").session.command,
        [odd, "status".into()]
    );
}

#[test]
fn help_names_every_command() {
    let help = Hot::command().render_help().to_string();
    for command in Hot::command().get_subcommands() {
        assert!(help.contains(command.get_name()), "{}", command.get_name());
        assert!(command.get_about().is_some(), "{}", command.get_name());
    }
    assert!(
        help.starts_with("Runs a command and patches functions"),
        "{help}"
    );
    let cargo = parser(true).render_help().to_string();
    assert!(
        cargo.starts_with("Runs a command and patches functions"),
        "{cargo}"
    );
}

#[test]
fn help_names_every_option() {
    let help = Hot::command().render_help().to_string();
    for part in [
        "--no-restart",
        "--watch <PATH>",
        "--include <CRATE>",
        "--verbose",
        "hot cargo run --bin server",
        "cargo hot run",
    ] {
        assert!(help.contains(part), "{part} is missing in:\n{help}");
    }
}

#[test]
fn both_programs_use_the_same_marker() {
    assert!(include_str!("../bin/cargo-hot.rs").contains(&format!("\"{AS_CARGO_SUBCOMMAND}\"")));
}
