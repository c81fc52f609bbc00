//! The table, row by row: what rustc is called with, for calls as cargo makes them.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;

const DEBUG: &str = "--crate-name app --edition=2018 --error-format=json --json=artifacts --diagnostic-width=80 \
    src/main.rs --crate-type bin --emit=dep-info,link -g -C debuginfo=2 -C split-debuginfo=unpacked -C metadata=ab \
    -C extra-filename=-ab -C strip=none -C lto=thin -C codegen-units=16 -C relocation-model=static -C linker=mold -C link-arg=-s \
    --cap-lints=warn --test --out-dir /t/deps -C incremental=/t/i --cfg feature=\"x\" -L dependency=/t/deps \
    --extern dep=/t/deps/libdep-1.rlib --check-cfg cfg(x) -C target-cpu=native";

/// A row for each kind of call; `=` where it is what cargo said.
const TABLE: &str = "
call       | type | emit                    | out-dir | edition | json | metadata | extra | incremental | debuginfo        | split | strip | -g | lto | units | model | linker | link-arg | test | v0 | dead | remap
Library    | =    | =                       | =       | =       | =    | =        | =     | =           | =                | =     | =     | =  | off | =     | =     | =      | =        | =    | v0 | yes  | 2
Program    | rlib | dep-info,metadata,link  | /own    | =       | =    | own      | =     | =           | =                | =     | =     | =  | off | =     | =     | -      | -        | =    | v0 | yes  | 2
Tests      | =    | =                       | =       | =       | =    | =        | =     | =           | =                | =     | =     | =  | =   | =     | =     | =      | =        | =    | v0 | -    | 2
LivingTests| =    | =                       | =       | =       | =    | =        | =     | =           | =                | =     | =     | =  | =   | =     | =     | =      | =        | =    | v0 | yes  | 2
Root       | =    | link                    | =       | 2021    | =    | =        | =     | -           | =                | =     | =     | =  | =   | =     | =     | =      | =        | =    | -  | -    | -
Twin       | lib  | metadata,mir=/dev/null  | /own    | =       | -    | own      | -     | -           | =                | -     | =     | =  | -   | =     | -     | -      | -        | -    | v0 | yes  | 2
WholeCrate | rlib | dep-info,link           | /own    | =       | -    | own      | =     | /inc        | 2                | -     | -     | -  | off | =     | -     | -      | -        | -    | v0 | yes  | 2
Patch      | lib  | obj=/own.o              | /own    | =       | -    | own      | -     | -           | line-tables-only | -     | -     | -  | -   | 1     | -     | -      | -        | -    | v0 | -    | 2
Check      | own  | metadata                | /own    | =       | -    | =        | -     | /inc        | =                | -     | =     | =  | -   | =     | -     | -      | -        | -    | -  | -    | -
";

const ALL: [Call; 9] = [
    Call::Library,
    Call::Program,
    Call::Tests,
    Call::LivingTests,
    Call::Root,
    Call::Twin,
    Call::WholeCrate,
    Call::Patch,
    Call::Check,
];

fn cargo(text: &str) -> RustcArgs {
    RustcArgs::new(text.split_whitespace().map(str::to_owned).collect())
}

fn places() -> Places<'static> {
    Places {
        root: "/own/src/main.rs",
        crate_type: "own",
        emit: "obj=/own.o",
        out_dir: "/own",
        metadata: "own",
        incremental: "/inc",
        shadow: Some((Path::new("/own"), Path::new("/w"))),
    }
}

/// What a call says of each column, as rustc takes it: of several settings the last one counts.
fn columns(args: &RustcArgs) -> Vec<String> {
    let option = |name: &'static str| {
        let all: Vec<&str> = args.values(name).collect();
        assert!(all.len() <= 1, "{name} twice: {all:?}");
        all.first().map(|value| (*value).to_owned())
    };
    let setting = |name: &str| args.codegen(name).map(str::to_owned);
    let flag = |name: &str| args.has(name).then(|| "yes".to_owned());
    let remaps = args.values("--remap-path-prefix").count();
    let found = [
        option("--crate-type"),
        option("--emit"),
        option("--out-dir"),
        option("--edition"),
        option("--json"),
        setting("metadata"),
        setting("extra-filename"),
        setting("incremental"),
        setting("debuginfo"),
        setting("split-debuginfo"),
        setting("strip"),
        flag("-g"),
        setting("lto"),
        setting("codegen-units"),
        setting("relocation-model"),
        setting("linker"),
        setting("link-arg"),
        flag("--test"),
        setting("symbol-mangling-version"),
        setting("link-dead-code").map(|_| "yes".to_owned()),
        (remaps > 0).then(|| remaps.to_string()),
    ];
    found.map(|value| value.unwrap_or("-".to_owned())).to_vec()
}

#[test]
fn every_row_is_as_the_table_says() {
    let given = cargo(DEBUG);
    let before = columns(&given);
    let rows: Vec<&str> = TABLE.lines().filter(|line| line.contains('|')).collect();
    assert_eq!(rows.len(), ALL.len() + 1);
    let heads: Vec<&str> = rows[0].split('|').map(str::trim).collect();
    for (call, row) in ALL.iter().zip(&rows[1..]) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells[0], format!("{call:?}"));
        let found = columns(&call.args(&given, &places()));
        assert_eq!(cells.len(), found.len() + 1);
        for ((cell, found), (was, head)) in cells[1..]
            .iter()
            .zip(&found)
            .zip(before.iter().zip(&heads[1..]))
        {
            let expected = if *cell == "=" { was } else { *cell };
            assert_eq!(found, expected, "{call:?}: {head}");
        }
    }
}

#[test]
fn what_the_table_does_not_name_is_carried_along() {
    for call in ALL {
        let args = call.args(&cargo(DEBUG), &places());
        assert_eq!(args.input(), Some("/own/src/main.rs"), "{call:?}");
        assert_eq!(args.value("--crate-name"), Some("app"));
        assert_eq!(args.value("--cap-lints"), Some("allow"));
        assert_eq!(args.codegen("target-cpu"), Some("native"));
        for pair in [
            ["--cfg", "feature=\"x\""],
            ["-L", "dependency=/t/deps"],
            ["--extern", "dep=/t/deps/libdep-1.rlib"],
            ["--check-cfg", "cfg(x)"],
        ] {
            assert!(
                args.all.windows(2).any(|two| two == pair),
                "{call:?}: {pair:?}"
            );
        }
    }
}

#[test]
fn what_does_not_concern_the_output_is_kept() {
    let call = cargo(
        "--crate-name app --edition=2021 src/main.rs --crate-type bin --emit=dep-info,link -C opt-level=3 -Cmetadata=ab \
         -C extra-filename=-ab --cfg x.rs --extern noprelude:dep=/d/libdep-1.rlib --out-dir /t/deps -C incremental=/t/i",
    );
    assert_eq!(
        Call::Twin.args(&call, &places()).all.join(" "),
        "--crate-name app --edition=2021 /own/src/main.rs -C opt-level=3 --cfg x.rs \
         --extern noprelude:dep=/d/libdep-1.rlib --crate-type=lib --emit=metadata,mir=/dev/null --out-dir=/own \
         --cap-lints=allow -Cmetadata=own -Csymbol-mangling-version=v0 -Clink-dead-code \
         --remap-path-prefix=/own/=/ --remap-path-prefix=/own/w/="
    );
}

#[test]
fn optimised_crates_are_compiled_as_one_part() {
    let call = cargo("--crate-name app src/lib.rs -C opt-level=3 -C codegen-units=16");
    let units = |kind: Call| {
        let args = kind.args(&call, &places());
        args.codegen("codegen-units").map(str::to_owned)
    };
    assert_eq!(units(Call::Library).as_deref(), Some("1"));
    assert_eq!(units(Call::Program).as_deref(), Some("1"));
    assert_eq!(units(Call::Tests).as_deref(), Some("16"));
    assert_eq!(units(Call::Twin).as_deref(), Some("16"));
}

#[test]
fn the_job_server_of_a_build_is_not_asked_later() {
    let env = [
        (
            "CARGO_MAKEFLAGS",
            "-j --jobserver-fds=8,9 --jobserver-auth=8,9",
        ),
        ("MAKEFLAGS", "-j2"),
        ("CARGO_PKG_NAME", "app"),
    ];
    let unit = Unit {
        env: BTreeMap::from(env.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        ..Unit::empty()
    };
    let names: Vec<&str> = environment(&unit).map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["CARGO_PKG_NAME", "MAKEFLAGS"]);
}
