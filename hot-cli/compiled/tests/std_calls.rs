//! References to functions of std, turned in objects that rustc wrote and a linker takes.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::Command;

use soft_mock_compiled::objects;
use soft_mock_compiled::std_calls::{archive, redirect, Program, Unmodified};

const FLAGS: [&str; 4] = [
    "--edition=2021",
    "-Csymbol-mangling-version=v0",
    "--cap-lints=allow",
    "-Ccodegen-units=8",
];

/// As the rewriter writes it, but that the replacements answer at once.
const SUPPORT: &str = r#"
    pub mod __soft_mock {
        #[repr(C)] pub struct Pair<F>(F, F);
        #[used] #[link_section = "soft_mock_std_places"] static PLACES: [u8; 16384] = { let mut all = [0; 16384]; all[0] = b'?'; all };
        #[export_name = "__soft_mock_std_00__std_process_id"] pub fn id() -> u32 { ::std::process::id() - ::std::process::id() + 7 }
        #[used] #[link_section = "soft_mock_std_pairs"] static ID: Pair<fn() -> u32> = Pair(::std::process::id, id);
        #[export_name = "__soft_mock_std_00__std_path_Path_is_dir"] pub fn is_dir(_: &::std::path::Path) -> bool { false }
        #[used] #[link_section = "soft_mock_std_pairs"] static DIR: Pair<fn(&::std::path::Path) -> bool> = Pair(::std::path::Path::is_dir, is_dir);
        #[export_name = "__soft_mock_std_00__std_env_var_os__0"] pub fn var(_: &'static str) -> Option<::std::ffi::OsString> { None }
        #[used] #[link_section = "soft_mock_std_pairs"] static VAR: Pair<fn(&'static str) -> Option<::std::ffi::OsString>> = Pair(::std::env::var_os::<&'static str>, var);
    }
"#;

const LIBRARY: &str = "
    pub mod a { pub fn id() -> u32 { use std::process as p; p::id() } }
    pub mod b { pub static ID: fn() -> u32 = std::process::id; pub fn own() -> u32 { 1 } }
    pub mod c { pub fn is_dir(p: &str) -> bool { std::path::Path::new(p).is_dir() } }
    pub mod d { pub fn var() -> bool { std::env::var_os(\"PATH\").is_some() } }
    pub mod e { pub fn var() -> bool { std::env::var_os(String::from(\"PATH\")).is_some() } }
    pub mod f { pub fn generic<T>(value: T) -> (T, u32) { (value, std::process::id()) } }
    pub mod g { pub fn place() -> String { let place = unsafe { std::slice::from_raw_parts(&raw const START, 16384) };
        String::from_utf8_lossy(place.split(|b| *b == 0).next().unwrap()).into_owned() }
        extern \"C\" { #[link_name = \"__start_soft_mock_std_places\"] static START: u8; } }
";

/// A crate that nobody rewrites.
const OLD: &str = "
    pub fn id() -> u32 { std::process::id() }
    pub fn var() -> bool { std::env::var_os(std::path::Path::new(\"PATH\")).is_some() }
";

const PROGRAM: &str = "
    fn main() {
        println!(\"{} {} {} {} {} {}\", lib::a::id(), (lib::b::ID)(), lib::b::own(), lib::c::is_dir(\"/\"), lib::d::var(), lib::e::var());
        println!(\"{}\", lib::f::generic(()).1 == std::process::id());
        print!(\"{}\", lib::g::place());
    }
";

fn rustc(folder: &Path, args: &[&str]) {
    let output = Command::new("rustc")
        .args(FLAGS)
        .args(args)
        .current_dir(folder)
        .output();
    let output = output.expect("rustc");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn turn(library: &Path) {
    let bytes = std::fs::read(library).expect("a library");
    let ranges = objects::places(&bytes).expect("an archive");
    let objects: Vec<&[u8]> = ranges.iter().map(|range| &bytes[range.clone()]).collect();
    let crates: HashSet<String> = ["lib".to_owned(), "old".to_owned()].into();
    let old = std::fs::read(library.with_file_name("libold.rlib")).expect("a library");
    let ranges_of_old = objects::places(&old).expect("an archive");
    let unmodified = [
        Unmodified {
            name: "old",
            reason: "it is old",
            objects: Some(
                ranges_of_old
                    .iter()
                    .map(|range| &old[range.clone()])
                    .collect(),
            ),
        },
        Unmodified {
            name: "closed",
            reason: "it is closed",
            objects: None,
        },
    ];
    let program = Program {
        crates: &crates,
        unmodified: &unmodified,
        is_root: true,
        optimised: false,
        place: &|path| format!("at {path}"),
    };
    let changed = redirect(&objects, &program).expect("objects");
    let members: HashMap<usize, Vec<u8>> = ranges
        .iter()
        .zip(changed)
        .filter_map(|(range, changed)| Some((range.start, changed?)))
        .collect();
    assert!(members.len() > 2, "the code stands in several objects");
    let turned = archive::replaced(&bytes, &members).expect("an archive");
    std::fs::write(library, turned).expect("a library");
}

#[test]
fn own_code_reaches_the_replacements_and_the_rest_is_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path();
    std::fs::write(place.join("lib.rs"), format!("{LIBRARY}{SUPPORT}")).expect("a source");
    std::fs::write(place.join("main.rs"), PROGRAM).expect("a source");
    std::fs::write(place.join("old.rs"), OLD).expect("a source");
    rustc(place, &["old.rs", "--crate-type=rlib"]);
    rustc(place, &["lib.rs", "--crate-type=rlib", "-Clink-dead-code"]);
    turn(&place.join("liblib.rlib"));
    rustc(place, &["main.rs", "--extern=lib=liblib.rlib"]);
    let output = Command::new(place.join("main"))
        .output()
        .expect("a program");
    let text = String::from_utf8(output.stdout).expect("text");
    // The program itself was not turned; the code of `generic` stands there.
    assert_eq!(
        text,
        "7 7 1 false false true\ntrue\n1\n+std_env_var_os\n+std_path_Path_is_dir\n+std_process_id\n\
         -std_env_var_os\tat lib::e::var\n*\n\
         !old\tit is old\n\
         -std_env_var_os\tat old::var, in `old`, which is built unmodified\n\
         -std_process_id\tat old::id, in `old`, which is built unmodified\n\
         !closed\tit is closed\n\
         -std_env_var_os\tcode that can't be read, in `closed`, which is built unmodified\n\
         -std_path_Path_is_dir\tcode that can't be read, in `closed`, which is built unmodified\n\
         -std_process_id\tcode that can't be read, in `closed`, which is built unmodified\n"
    );
}
