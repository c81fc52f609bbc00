//! Damaged and wrong plugin files, many of them, handed to the loader of a real program: it refuses
//! every one and goes on.
//!
//! `BAD_PLUGINS=10000 cargo test -p soft-mock-tests --test e2e bad_plugins` is the whole; the suite
//! takes fewer.

use std::fs;
use std::path::PathBuf;

use soft_mock_abi::checksum;
use soft_mock_tests::agent::Peer;
use soft_mock_tests::dice::{rounds, seeded, Dice};
use soft_mock_tests::folder::files_below;
use soft_mock_tests::project::Project;
use soft_mock_tests::session::Session;

const FILE: &str = "src/report.rs";
const SEAL: usize = 32;

/// Two real plugins for the two functions of a file, and the agent that came with them.
struct Material {
    title: Vec<u8>,
    deposit: Vec<u8>,
    agent: PathBuf,
}

/// Lets a real session make them, and keeps its files.
fn material(project: &Project) -> Material {
    let mut session = project.hot(&["cargo", "run"]);
    session.wait_for_stdout("ready");
    let mut edit = |file: &str, from: &str, to: &str| {
        project.edit(file, from, to);
        session.wait_for_patch();
        let plugins = files_below(&project.scratch().join("run"), "-patch.so");
        let plugin = fs::read(plugins.last().expect("a plugin")).expect("its file");
        project.edit(file, to, from);
        session.wait_for_patch();
        plugin
    };
    let title = edit(FILE, "account of {}", "purse of {}");
    let deposit = edit("src/account.rs", "+= amount", "+= amount * 10");
    let agent = project.scratch().join("kept-agent.so");
    let found = files_below(&project.scratch().join("run"), "agent.so");
    fs::copy(&found[0], &agent).expect("a copy");
    session.send_line("end");
    session.finish();
    Material {
        title,
        deposit,
        agent,
    }
}

fn position(bytes: &[u8], text: &str) -> usize {
    let window = bytes.windows(text.len());
    let mut places = window.enumerate().filter(|(_, w)| *w == text.as_bytes());
    places.next().unwrap_or_else(|| panic!("no {text:?}")).0
}

/// The first bytes of the manifest, and how far it goes.
fn manifest(bytes: &[u8]) -> std::ops::Range<usize> {
    let start = position(bytes, "{\"format\":1");
    let length = bytes[start..].windows(3).position(|end| end == b"}]}");
    start..start + length.expect("the manifest's end") + 3
}

/// Changes some bytes by chance; says what was done.
fn damage(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) -> String {
    let at = dice.usize(..bytes.len());
    match dice.u8(..7) {
        0 => {
            bytes[at] ^= 1 << dice.u8(..8);
            format!("a bit of byte {at} flipped")
        }
        1 => {
            bytes.truncate(at);
            format!("cut off at {at}")
        }
        2 => {
            // Page by page is how a file is written that is only half there.
            let (start, end) = (at & !4095, ((at & !4095) + 4096).min(bytes.len()));
            bytes[start..end].fill(0);
            format!("zeros at {start}..{end}")
        }
        3 => {
            let count = dice.usize(1..64).min(bytes.len() - at);
            dice.fill(&mut bytes[at..at + count]);
            format!("{count} other bytes at {at}")
        }
        4 => {
            bytes.drain(at..(at + dice.usize(1..64)).min(bytes.len()));
            format!("bytes missing at {at}")
        }
        5 => {
            let end = at.min(other.len());
            bytes.splice(..end, other[..end].iter().copied());
            format!("the first {end} bytes are another plugin's")
        }
        _ => {
            let (from, to) = (manifest(other), manifest(bytes));
            bytes.splice(to, other[from].iter().copied());
            "another plugin's manifest".to_owned()
        }
    }
}

/// Texts of the manifest, and others of the same length that aren't true of the program.
const LIES: [(&str, &str); 8] = [
    ("\"format\":1", "\"format\":7"),
    ("\"kind\":\"patch\"", "\"kind\":\"batch\""),
    ("\"rustc\":\"rustc 1", "\"rustc\":\"rustc 0"),
    ("\"unit\":\"", "\"unix\":\""),
    ("::title\"", "::tixle\""),
    ("\"signature\":\"fn(", "\"signature\":\"fn["),
    ("\"symbol\":\"__soft_mock_p", "\"symbol\":\"__soft_mock_q"),
    ("\"check\":\"__soft_mock_c", "\"check\":\"__soft_mock_d"),
];

/// A manifest that lies, in a file that is whole; says how.
fn lie(bytes: &mut Vec<u8>, dice: &mut Dice) -> String {
    let (from, to) = LIES[dice.usize(..LIES.len())];
    let at = position(bytes, from);
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    rewrite_checksum(bytes);
    format!("{to} in place of {from}")
}

/// A unit that the program doesn't have, in a file that is whole.
fn other_unit(bytes: &mut Vec<u8>, dice: &mut Dice) -> String {
    let key = "\"unit\":\"";
    let at = position(bytes, key) + key.len() + dice.usize(..16);
    bytes[at] = match bytes[at] {
        b'0' => b'1',
        _ => b'0',
    };
    rewrite_checksum(bytes);
    format!("another unit (digit at {at})")
}

/// Gives a file a checksum again, in place of the one that it has.
fn rewrite_checksum(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() - SEAL);
    bytes.extend(checksum::of(bytes));
}

/// One bad file; none if chance made one that is as good as it was.
fn bad(material: &Material, dice: &mut Dice) -> Option<(Vec<u8>, String)> {
    let mut bytes = material.title.clone();
    let what = match dice.u8(..10) {
        0 => lie(&mut bytes, dice),
        1 => other_unit(&mut bytes, dice),
        _ => damage(&mut bytes, &material.deposit, dice),
    };
    (bytes != material.title).then_some((bytes, what))
}

/// A whole file with one plugin's code and the other's manifest, the longer of the two in the end.
fn swapped(material: &Material) -> Vec<u8> {
    let (one, other) = (&material.title, &material.deposit);
    let (code, text) = match manifest(one).len() > manifest(other).len() {
        true => (one, other),
        false => (other, one),
    };
    let (mut file, place) = (code.clone(), manifest(code));
    file[place.clone()].fill(b' ');
    let text = &text[manifest(text)];
    file[place.start..place.start + text.len()].copy_from_slice(text);
    rewrite_checksum(&mut file);
    file
}

fn answer(session: &mut Session, expected: &str) {
    let answer = session.ask("x");
    assert!(answer.starts_with(expected), "{answer}");
}

#[test]
fn bad_plugins_are_refused_by_a_living_program() {
    let count = rounds("BAD_PLUGINS", 600);
    let project = Project::fixture("ledger");
    let material = material(&project);
    assert!(position(&material.title, "::title\"") > 0);

    // Under a folder of the session's kind: private, and the files are this user's.
    let peer = Peer::new(&project.scratch().join("peer"), &material.agent);
    let program = files_below(&project.path("target/debug"), "/ledger").remove(0);
    let folder = peer.folder().display().to_string();
    let setting = format!("HOT_SESSION={folder}");
    let program = program.display().to_string();
    let mut session = project.start("env", &[&setting, &program]);
    session.wait_for_stdout("ready");
    let mut talk = peer.accept();

    let file = peer.folder().join("plugin.so");
    let seed = rounds("BAD_PLUGINS_SEED", 1) as u64;
    let mut dice = seeded(seed);
    let (mut refused, mut damaged, mut lies) = (0, 0, 0);
    while refused < count {
        let Some((bytes, what)) = bad(&material, &mut dice) else {
            continue;
        };
        fs::write(&file, &bytes).expect("a file");
        let why = match talk.load(&file) {
            Ok(report) => panic!("seed {seed}, file {refused}: {what}: installed: {report}"),
            Err(why) => why,
        };
        // A whole file is refused for what it says, a damaged one mostly for its checksum.
        let by_checksum = why.contains("the file is incomplete or damaged");
        let whole = checksum::check(&bytes).is_ok();
        assert!(!(by_checksum && whole), "seed {seed}, {what}: {why}");
        damaged += usize::from(by_checksum);
        lies += usize::from(whole);
        refused += 1;
        if refused % 100 == 0 {
            assert_eq!(talk.patched(), [""; 0], "seed {seed}, file {refused}");
            answer(&mut session, "account of ada: ");
        }
    }

    assert!(damaged > count / 5 && lies > count / 20, "{damaged} {lies}");

    // What it was made of is good, and still loads.
    fs::write(&file, &material.title).expect("a file");
    let report = talk.load(&file).expect("installed");
    assert_eq!(report["functions"][0]["name"], "ledger::report::title");
    answer(&mut session, "purse of ada: ");
    let unit = talk.hello()["units"][0]["unit"].as_str().expect("a unit");
    let unit = unit.to_owned();
    talk.restore(&unit, "ledger::report::title")
        .expect("restored");
    answer(&mut session, "account of ada: ");

    // A whole file whose manifest is that of a function of another type: found out by the types.
    fs::write(&file, swapped(&material)).expect("a file");
    let why = talk.load(&file).expect_err("the types differ");
    assert!(why.contains("but it names other types there"), "{why}");
    assert_eq!(talk.patched(), [""; 0]);
    answer(&mut session, "account of ada: ");
    session.send_line("end");
    assert!(session.finish().status.success());
}
