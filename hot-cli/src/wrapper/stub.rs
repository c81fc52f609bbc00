//! The generated main of a program: starts the reloader where a session asks for it, then the
//! user's main.
//!
//! A program belongs to a session if its environment says so, or if an ancestor of its process does
//! (or this very process, before it executed the program). Otherwise it is what the user wrote, and
//! nothing else runs.

use soft_mock_abi::section::{SITES, UNIT};
use soft_mock_abi::start::{Start, LINEAGE, VERSION};
use soft_mock_abi::symbol::{AGENT_START, MAIN};
use soft_mock_rewriter::instrument::{sentinel, support_module, CrateIdentity};
use soft_mock_rewriter::syntax::Edition;

use crate::config::env;

/// The source of the generated main. `program` names the unit's folder in the reloader's greeting.
pub(crate) fn source(program: &str) -> String {
    let facts = CrateIdentity {
        name: "soft_mock".to_owned(),
        hot: true,
        ..CrateIdentity::default()
    };
    let mut text = TEXT
        .replace("$SESSION", env::SESSION)
        .replace("$OPTIMISES", env::OPTIMISES)
        .replace("$CHAINED_WRAPPER", env::CHAINED_WRAPPER)
        .replace("$RUSTC_WRAPPER_BEFORE", env::RUSTC_WRAPPER_BEFORE)
        .replace("$start", Start::FIELDS)
        .replace("$version", &VERSION.to_string())
        .replace("$sites", SITES)
        .replace("$entry", AGENT_START)
        .replace("$main", MAIN)
        .replace("$lineage", LINEAGE)
        .replace("$program", &format!("{program:?}"));
    text.push_str(&support_module(Edition::E2021, &facts));
    text.push_str(&sentinel(Edition::E2021));
    text
}

/// The source of the library of a managed plugin: the plugin's crate, and where its unit is.
pub(crate) fn plugin_source(program: &str) -> String {
    format!(
        "#![allow(warnings)]\nextern crate {PROGRAM};\n#[used]\n#[link_section = {UNIT:?}]\nstatic UNIT: [u8; {}] = *b{program:?};\n",
        program.len()
    )
}

/// The name by which the generated root knows the user's crate.
pub(crate) const PROGRAM: &str = "__soft_mock_program";

const TEXT: &str = r#"#![allow(warnings)]
fn main() -> impl ::std::process::Termination {
    match ::std::env::var_os("$SESSION") {
        Some(session) => { reloader::give_back_environment(); reloader::start(session); }
        None => if let Some(session) = reloader::of_an_ancestor() { reloader::start(session); },
    }
    ::__soft_mock_program::$main()
}
mod reloader {
    use std::ffi::{c_char, c_int, c_void, CStr, CString, OsString};
    use std::os::unix::ffi::OsStrExt;
    extern "C" {
        static __start_$sites: Site;
        static __stop_$sites: Site;
        fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
        fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
        fn dlerror() -> *const c_char;
        fn geteuid() -> u32;
    }
    use crate::__soft_mock::Site;
    #[repr(C)] struct Start { $start }
    // What was set for the build is not the program's: its environment is the user's again.
    pub fn give_back_environment() {
        std::env::remove_var("$SESSION");
        std::env::remove_var("$OPTIMISES");
        match std::env::var_os("$CHAINED_WRAPPER") {
            Some(chained) => std::env::set_var("RUSTC_WORKSPACE_WRAPPER", chained),
            None => std::env::remove_var("RUSTC_WORKSPACE_WRAPPER"),
        }
        std::env::remove_var("$CHAINED_WRAPPER");
        if let Some(before) = std::env::var_os("$RUSTC_WRAPPER_BEFORE") {
            if before.is_empty() { std::env::remove_var("RUSTC_WRAPPER"); } else { std::env::set_var("RUSTC_WRAPPER", before); }
            std::env::remove_var("$RUSTC_WRAPPER_BEFORE");
        }
    }
    // The session of a program that started this one, or that this process was before, with an
    // environment that doesn't name it any more. Only what belongs to this user alone is one.
    pub fn of_an_ancestor() -> Option<OsString> {
        use std::os::unix::ffi::OsStringExt;
        use std::os::unix::fs::MetadataExt;
        let processes = std::path::Path::new($program).parent()?.join("$lineage");
        if !processes.is_dir() { return None; }
        let mut pid = std::process::id();
        while pid > 1 {
            if let Ok(session) = std::fs::read(processes.join(pid.to_string())) {
                let session = OsString::from_vec(session);
                let folder = std::fs::symlink_metadata(&session).ok()?;
                let is_ours = folder.is_dir() && folder.uid() == unsafe { geteuid() } && folder.mode() & 0o077 == 0;
                return is_ours.then_some(session);
            }
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // After the name, which may hold anything: the state and the parent.
            pid = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
        }
        None
    }
    pub fn start(session: OsString) {
        if let Err(why) = open(session) { eprintln!("hot: this program can't be patched: {why}"); }
    }
    fn open(session: OsString) -> Result<(), String> {
        let session = CString::new(session.as_bytes()).map_err(|e| e.to_string())?;
        let mut agent = session.as_bytes().to_vec();
        agent.extend_from_slice(b"/agent.so");
        let agent = CString::new(agent).map_err(|e| e.to_string())?;
        let program = CString::new($program).map_err(|e| e.to_string())?;
        unsafe {
            let library = dlopen(agent.as_ptr(), 2);
            if library.is_null() { return Err(CStr::from_ptr(dlerror()).to_string_lossy().into_owned()); }
            let entry = dlsym(library, b"$entry\0".as_ptr().cast());
            if entry.is_null() { return Err("the agent has no entry point; was `hot` upgraded? run `cargo clean`".to_string()); }
            let entry: unsafe extern "C" fn(*const Start) -> c_int = std::mem::transmute(entry);
            let start = Start {
                version: $version, size: std::mem::size_of::<Start>() as u32,
                sites_start: std::ptr::addr_of!(__start_$sites), sites_stop: std::ptr::addr_of!(__stop_$sites),
                session: session.as_ptr(), program: program.as_ptr(),
            };
            entry(&start);
        }
        Ok(())
    }
}
"#;
