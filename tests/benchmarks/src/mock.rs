//! What mocks cost in tests: functions that aren't mocked, functions that are, and making a mock;
//! injectorpp beside, in the same program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

use crate::peer;
use crate::project::{scrubbed, write};

const RUNTIME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../soft-mock");
/// The aims: not mocked in release and in debug, ns of a mocked call, ns of making one.
const UNMOCKED: [(&str, f64); 2] = [("release", 1.02), ("debug", 1.5)];
const MOCKED_NS: f64 = 10.0;
const INSTALL_NS: f64 = 5000.0;

/// Two figures by name: plain (or injectorpp), and ours.
pub(crate) type Figures = BTreeMap<String, [f64; 2]>;

pub(crate) fn run(hot: &Path, scratch: &Path) -> Result<()> {
    let folder = project(&scratch.join("mocks"))?;
    println!("\n### Mocks, nanoseconds a call (least of 400 batches)\n");
    println!("| profile | not mocked | while another is | mocked | on another thread | generic | making and dropping | injectorpp: a call | making and dropping |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut aims = Vec::new();
    for (profile, aim) in UNMOCKED {
        let figures = measure(hot, &folder, profile)?;
        let of = |name: &str| figures.get(name).copied().unwrap_or([f64::NAN; 2]);
        let ratio = |name: &str| of(name)[1] / of(name)[0];
        println!(
            "| {profile} | {:.2} × | {:.2} × | {:.1} | {:.1} | {:.1} | {:.0} | {:.1} | {:.0} |",
            ratio("unmocked"),
            ratio("others"),
            of("mocked")[1],
            of("elsewhere")[1],
            of("generic")[1],
            of("install")[1],
            of("injectorpp")[1],
            of("install")[0],
        );
        let worst = ratio("unmocked").max(ratio("others"));
        aims.push((format!("{profile}, not mocked: ≤ {aim} ×"), worst, aim));
        if profile == "release" {
            aims.push((
                "a mocked call: ≤ 10 ns".to_owned(),
                of("mocked")[1],
                MOCKED_NS,
            ));
            aims.push((
                "making one: ≤ 5 µs".to_owned(),
                of("install")[1],
                INSTALL_NS,
            ));
        }
    }
    println!();
    for (what, found, aim) in aims {
        let word = if found <= aim { "met" } else { "missed" };
        println!("- {what}: {word} ({found:.2})");
    }
    peer::run(scratch, &UNMOCKED.map(|(profile, _)| profile))
}

fn measure(hot: &Path, folder: &Path, profile: &str) -> Result<Figures> {
    let mut command = scrubbed(hot);
    command.args(["cargo", "test", "--quiet", "--test", "figures"]);
    if profile == "release" {
        command.arg("--release");
    }
    command.args(["--", "--nocapture"]).current_dir(folder);
    let output = command.output().context("can't start hot")?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(figures(&stdout))
}

/// Reads lines of a name and two numbers.
pub(crate) fn figures(text: &str) -> Figures {
    let figure = |line: &str| {
        let mut words = line.split(' ');
        let name = words.next()?.to_owned();
        let first = words.next()?.parse().ok()?;
        Some((name, [first, words.next()?.parse().ok()?]))
    };
    text.lines().filter_map(figure).collect()
}

/// The rewritten crate with the test, and beside it, outside of its workspace, the one that stays
/// as it is.
fn project(folder: &Path) -> Result<PathBuf> {
    let source = include_str!("../programs/mocked.rs");
    let package = |name: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n")
    };
    let rewritten = folder.join("rewritten");
    let dependencies = format!(
        "\n[workspace]\n\n[dev-dependencies]\ninjectorpp = \"=0.5.1\"\nplain = {{ path = \"../plain\" }}\nsoft-mock = {{ path = {RUNTIME:?} }}\n"
    );
    write(
        &rewritten.join("Cargo.toml"),
        &(package("rewritten") + &dependencies),
    )?;
    write(&rewritten.join("src/lib.rs"), source)?;
    write(
        &rewritten.join("tests/figures.rs"),
        include_str!("../programs/mocks.rs"),
    )?;
    write(
        &rewritten.join("tests/timing/mod.rs"),
        include_str!("../programs/timing.rs"),
    )?;
    write(
        &folder.join("plain/Cargo.toml"),
        &(package("plain") + "\n[workspace]\n"),
    )?;
    write(&folder.join("plain/src/lib.rs"), source)?;
    Ok(rewritten)
}
