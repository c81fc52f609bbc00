//! What a host and its plugins do, scenario by scenario: see `fixtures/plugins/driver`.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::workshop::Workshop;

struct Lab {
    shop: Workshop,
    driver: PathBuf,
}

/// The driver and the plugins, built once.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let shop = Workshop::fixture("plugins");
        let driver = shop.host("driver", &[]);
        let made = shop.build(&["plugins", "out"]);
        assert_eq!(
            made,
            "out/alpha.so\nout/beta.so\nout/gamma.so\nout/twin.so\n"
        );
        shop.build(&["plugins/alpha", "out/extra", "--", "--features", "extra"]);
        shop.build(&[
            "plugins",
            "out/live",
            "--include",
            "alpha",
            "--include",
            "b*",
            "--",
            "--features",
            "twin-live",
        ]);
        Lab { shop, driver }
    })
}

fn play(scenario: &str) {
    let lab = lab();
    let folder = lab.shop.root.join("lab").join(scenario);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .expect("a folder for the run");
    let mut command = lab.shop.command(&lab.driver);
    command
        .arg(scenario)
        .env("LAB", &folder)
        .env("BUILT", &lab.shop.out);
    let output = command.output().expect("the driver can be started");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success() && out.contains(&format!("played {scenario}")),
        "{}\n{out}{err}",
        output.status
    );
    println!("{out}");
}

macro_rules! scenarios {
    ($($name:ident),* $(,)?) => { $(
        #[test]
        fn $name() {
            play(stringify!($name));
        }
    )* };
}

scenarios!(
    duplicate_names,
    one_and_two_plugins_fill_the_vault,
    imports_are_callable,
    hooks_run_in_dependency_order,
    missing_dependency,
    type_mismatch,
    cycles_are_printed,
    kept_plugin_needs_reloadable_one,
    duplicate_live_names,
    missing_and_empty_folder,
    whitelist,
    foreign_files_are_refused,
    other_shared_types_are_refused,
    load_twice_and_reload_first,
    rebuilt_unchanged_added_removed,
    kept_plugin_stays,
    dependents_are_reloaded_with_it,
    dropped_dependency,
    callbacks,
    free_waits_for_delay_and_users,
    unchanged_plugin_keeps_its_state,
    unloaded_where_safe_else_retained,
    two_hundred_reloads_under_load,
    reload_on_change,
    error_and_panic_in_each_hook,
    retry_with_the_old_file,
    inside_a_hook,
    invoke_each_goes_on,
    panics_cross_the_border,
    a_second_reload_is_told_to_wait,
    live_things_run_the_newest_code,
    lookup_errors,
);
