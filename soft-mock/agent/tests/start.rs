//! The agent in a program that also depends on the runtime itself, as `hot` starts it: opened as a
//! library, told where the sites are, called over a socket. Both copies of the runtime are one
//! truth.

#[path = "../../tests/common/mod.rs"]
mod common;

use std::ffi::CString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use common::{folder, Function, Plugin};
use soft_mock::reloader::protocol::{AskHistory, FromProgram, Load, Restore, Rollback, ToProgram};
use soft_mock_abi::start::{Start, VERSION};
use soft_mock_abi::symbol::AGENT_START;

#[allow(unreachable_pub)]
mod app {
    crate::sites! {
        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn number(x: u32) -> u32 { x }
    }
}

const NAME: &str = "start::app::number";

/// As in the generated main.
type Entry = unsafe extern "C" fn(*const Start) -> i32;

extern "C" {
    #[link_name = concat!("__start_", soft_mock_abi::section!(sites))]
    static SITES: [u8; 0];
    #[link_name = concat!("__stop_", soft_mock_abi::section!(sites))]
    static SITES_END: [u8; 0];
}

/// The library that cargo built beside this test.
fn built() -> PathBuf {
    let own = std::env::current_exe().expect("this program");
    let built = own
        .ancestors()
        .map(|folder| folder.join("libsoft_mock_agent.so"));
    built
        .into_iter()
        .find(|path| path.exists())
        .expect("the agent is built")
}

/// What the agent has to see before it looks at anything else.
#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    Version,
    Size,
    NoSession,
}

/// The agent, opened as a generated main does it.
struct Agent(Entry);

impl Agent {
    fn open() -> Self {
        // SAFETY: our own library, whose constructors do nothing unusual.
        let library = unsafe { libloading::Library::new(built()) }.expect("the agent");
        // SAFETY: that is the type of the agent's entry.
        let entry = *unsafe { library.get::<Entry>(AGENT_START.as_bytes()) }.expect("its entry");
        // Its threads go on.
        std::mem::forget(library);
        Self(entry)
    }

    fn start(&self, session: &Path, program: &str, wrong: Option<Wrong>) -> i32 {
        let session = CString::new(session.as_os_str().as_bytes()).expect("a path");
        let program = CString::new(program).expect("a name");
        let is = |what| wrong == Some(what);
        let size = u32::try_from(size_of::<Start>()).expect("a size");
        let start = Start {
            version: if is(Wrong::Version) { 2 } else { VERSION },
            size: if is(Wrong::Size) { 8 } else { size },
            sites_start: (&raw const SITES).cast(),
            sites_stop: (&raw const SITES_END).cast(),
            session: match is(Wrong::NoSession) {
                true => std::ptr::null(),
                false => session.as_ptr(),
            },
            program: program.as_ptr(),
        };
        // SAFETY: as the agent's contract asks: version, size and null are looked at first, the
        // section's bounds are the linker's, and both texts live until the call has ended.
        unsafe { (self.0)(&start) }
    }

    fn start_with_nothing(&self) -> i32 {
        // SAFETY: null is allowed.
        unsafe { (self.0)(std::ptr::null()) }
    }
}

fn ask(stream: &UnixStream, reader: &mut impl BufRead, words: Option<ToProgram>) -> FromProgram {
    if let Some(words) = words {
        let mut line = serde_json::to_vec(&words).expect("JSON");
        line.push(b'\n');
        (&*stream).write_all(&line).expect("written");
    }
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line");
    serde_json::from_str(&line).expect("words")
}

#[test]
fn two_copies_are_one_truth() {
    // The program's own copy is in use before the agent comes.
    soft_mock::mock_by_name(NAME, (|x| x + 100) as fn(u32) -> u32).expect("a mock");
    let agent = Agent::open();

    let session = folder();
    assert_ne!(agent.start_with_nothing(), 0);
    for wrong in [Wrong::Version, Wrong::Size, Wrong::NoSession] {
        assert_ne!(agent.start(session.path(), "", Some(wrong)), 0);
    }
    assert_ne!(agent.start(&session.path().join("missing"), "", None), 0);

    let listener = UnixListener::bind(session.path().join("socket")).expect("a socket");
    assert_eq!(agent.start(session.path(), "program 7", None), 0);
    let (stream, _) = listener.accept().expect("a call");
    let mut reader = BufReader::new(&stream);
    let FromProgram::Hello(hello) = ask(&stream, &mut reader, None) else {
        panic!("no hello")
    };
    assert_eq!(
        (hello.program.as_str(), hello.pid),
        ("program 7", std::process::id())
    );
    assert_eq!((hello.units.len(), hello.units[0].sites), (1, 1));

    let function = Function::new(NAME, "fn(u32) -> u32", "(x: u32) -> u32 { x + 5 }")
        .checked_as("fn(u32) -> u32");
    let plugin = Plugin::of(&[function]).build(session.path(), "plugin");
    let load = Load {
        id: 1,
        plugins: vec![plugin.clone()],
        restore: vec![],
        calls: false,
    };
    let FromProgram::Loaded(loaded) = ask(&stream, &mut reader, Some(ToProgram::Load(load))) else {
        panic!("not loaded")
    };
    // The mock of one copy comes before the patch of the other, and its original is that patch.
    assert_eq!(app::number(1), 101);
    assert_eq!(
        soft_mock::call_original(app::number, || app::number(1)),
        Ok(6)
    );
    assert_eq!(soft_mock::list()[0].patch, Some(loaded.report.patch));
    soft_mock::reset(app::number).expect("a reset");
    assert_eq!(app::number(1), 6);

    // Numbers go on from copy to copy.
    let report = soft_mock::patch::load_plugin(&plugin).expect("installed");
    assert_eq!(
        (report.patch, report.generation),
        (loaded.report.patch + 1, loaded.report.generation + 1)
    );
    let restore = vec![Restore {
        unit: hello.units[0].unit.clone(),
        name: NAME.into(),
    }];
    let load = Load {
        id: 2,
        plugins: vec![],
        restore,
        calls: false,
    };
    let FromProgram::Loaded(again) = ask(&stream, &mut reader, Some(ToProgram::Load(load))) else {
        panic!("not restored")
    };
    assert_eq!(again.report.generation, report.generation + 1);
    assert_eq!((app::number(1), soft_mock::list()[0].patch), (1, None));

    safe_points_and_listeners(&stream, &mut reader, &plugin);

    // The agent's copies lie in the session's folder, whose owner removes them.
    let copies = session
        .path()
        .join(format!("loaded-{}", std::process::id()));
    assert_eq!(fs::read_dir(copies).expect("copies").count(), 2);
}

/// The agent installs, the program's own copy is told and says when, and the history is one.
fn safe_points_and_listeners(stream: &UnixStream, reader: &mut impl BufRead, plugin: &Path) {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hears = Arc::clone(&heard);
    soft_mock::patch::on_patch(move |event| {
        let function = &event.functions[0];
        let thread = std::thread::current().name().map(str::to_owned);
        hears.lock().expect("a list").push(format!(
            "{:?} {} {}:{} {}",
            event.phase,
            function.name,
            function.file,
            function.line,
            thread.unwrap_or_default()
        ));
        panic!("heard");
    })
    .expect("registered");
    soft_mock::patch::patch_at_safe_points().expect("sites");
    soft_mock::patch::safe_point();
    let load = |id| {
        ToProgram::Load(Load {
            id,
            plugins: vec![plugin.to_owned()],
            restore: vec![],
            calls: false,
        })
    };
    let FromProgram::Waiting(waiting) = ask(stream, reader, Some(load(7))) else {
        panic!("it does not wait")
    };
    let rollback = ToProgram::Rollback(Rollback { id: 8, patches: 1 });
    let FromProgram::Waiting(also) = ask(stream, reader, Some(rollback)) else {
        panic!("it does not wait")
    };
    assert_eq!((waiting.id, also.id), (7, 8));
    // What is wrong is refused at once, and questions are answered meanwhile.
    let too_many = ToProgram::Rollback(Rollback { id: 9, patches: 99 });
    let FromProgram::Refused(refused) = ask(stream, reader, Some(too_many)) else {
        panic!("not refused")
    };
    assert!(refused.error.contains("only "), "{}", refused.error);
    let question = ToProgram::History(AskHistory { id: 10 });
    let FromProgram::History(before) = ask(stream, reader, Some(question.clone())) else {
        panic!("no history")
    };
    // Taken by the program at once: whoever asks later waits no more.
    assert_eq!((before.status.waiting, app::number(1)), (2, 1));
    assert_eq!(soft_mock::patch::history(), before.patches);
    assert_eq!(*heard.lock().expect("a list"), Vec::<String>::new());

    // Both at one safe point, in their order, on this thread.
    soft_mock::patch::safe_point();
    assert_eq!(app::number(1), 1);
    let mut reports = [None, None];
    for _ in 0..2 {
        let FromProgram::Loaded(loaded) = ask(stream, reader, None) else {
            panic!("not installed")
        };
        reports[usize::from(loaded.id == 8)] = Some(loaded.report);
    }
    let [Some(patch), Some(undo)] = reports else {
        panic!("one answer for two")
    };
    assert_eq!(
        (undo.patch, undo.undone),
        (patch.patch + 1, vec![patch.patch])
    );
    // Panics of a listener stay in its own copy, and are told.
    let panicked = "an `on_patch` listener panicked: heard";
    assert_eq!(patch.warnings, [panicked, panicked]);
    let own = std::thread::current()
        .name()
        .map(str::to_owned)
        .unwrap_or_default();
    let heard = heard.lock().expect("a list");
    assert_eq!(heard[0], format!("Before {NAME} src/edited.rs:1 {own}"));
    assert_eq!(heard.len(), 4, "{heard:?}");
    let FromProgram::History(after) = ask(stream, reader, Some(question)) else {
        panic!("no history")
    };
    assert_eq!(after.patches.len(), before.patches.len() + 2);
    assert_eq!(
        (soft_mock::patch::history(), soft_mock::patch::status()),
        (after.patches, after.status)
    );
}
