//! What the check at the start of a function costs: not patched, and patched.
//!
//! One program holds the same source twice: in a member of the workspace, which `hot` rewrites, and
//! in a crate outside of it, which it leaves alone. Both are timed in turns. The same program built
//! by plain cargo shows how far apart two equal crates are: the noise.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use crate::project::{cargo, scrubbed, write};
use crate::running::Running;

const SHAPES: [(&str, &str); 4] = [
    ("free", "free functions, not inlined"),
    ("method", "methods, not inlined"),
    ("dyn", "through `dyn Trait`"),
    ("inlined", "tiny, in a tight loop, inlined in plain code"),
];
const SOURCE: &str = include_str!("../programs/shapes.rs");
const BUILD: Duration = Duration::from_secs(600);
/// The aims for a function that isn't inlined in release.
const UNPATCHED: f64 = 1.02;
const PATCHED_NS: f64 = 5.0;

/// Least nanoseconds a call, by shape: in the plain crate, in the rewritten one.
type Least = BTreeMap<String, [f64; 2]>;

/// Measures both profiles and prints a table.
pub(crate) fn run(hot: &Path, scratch: &Path, rounds: usize) -> Result<()> {
    println!(
        "\n### Nanoseconds a call (least of {} batches)\n",
        rounds * 60
    );
    println!("| profile | call | plain | with check | ratio | noise | patched | more than plain |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut release = None;
    for profile in ["release", "debug"] {
        let measured = Measured::new(hot, scratch, profile, rounds)?;
        measured.print(profile);
        release.get_or_insert(measured);
    }
    if let Some(release) = release {
        release.aims();
    }
    Ok(())
}

struct Measured {
    noise: Least,
    unpatched: Least,
    patched: Least,
}

impl Measured {
    fn new(hot: &Path, scratch: &Path, profile: &str, rounds: usize) -> Result<Self> {
        let folder = project(&scratch.join(format!("calls-{profile}")))?;
        let start = |mut command: std::process::Command, target: &str| {
            command
                .args(["run", "--quiet"])
                .current_dir(folder.join("calls"));
            if profile == "release" {
                command.arg("--release");
            }
            command.env("CARGO_TARGET_DIR", folder.join(target));
            Running::start(command, &folder.join("log"))
        };
        let plain = start(cargo(), "target-plain")?;
        let noise = least(&plain, 1_000_000, rounds)?;
        drop(plain);
        let mut command = scrubbed(hot);
        command.arg("cargo");
        let running = start(command, "target-hot")?;
        let unpatched = least(&running, 1_000_000, rounds)?;
        // The same amount of work, another constant: every function is patched at once.
        let edited = SOURCE.replace("1_000_000", "1_000_001");
        write(&folder.join("calls/hot/src/lib.rs"), &edited)?;
        let patched = least(&running, 1_000_001, rounds)?;
        Ok(Self {
            noise,
            unpatched,
            patched,
        })
    }

    fn print(&self, profile: &str) {
        for (key, title) in SHAPES {
            let [plain, checked] = of(&self.unpatched, key);
            let [first, second] = of(&self.noise, key);
            let [plain_then, patched] = of(&self.patched, key);
            println!(
                "| {profile} | {title} | {plain:.2} | {checked:.2} | {:.2} × | {:.2} × | {patched:.2} | {:+.2} ns |",
                checked / plain,
                second / first,
                patched - plain_then,
            );
        }
    }

    fn aims(&self) {
        println!();
        for (key, title) in &SHAPES[..3] {
            let [plain, checked] = of(&self.unpatched, key);
            let [plain_then, patched] = of(&self.patched, key);
            let word = |met: bool| if met { "met" } else { "missed" };
            println!(
                "- release, {title}: ≤ {UNPATCHED} × unpatched: {} ({:.2} ×); ≤ {PATCHED_NS} ns more when patched: {} ({:+.2} ns)",
                word(checked / plain <= UNPATCHED),
                checked / plain,
                word(patched - plain_then <= PATCHED_NS),
                patched - plain_then,
            );
        }
    }
}

fn of(least: &Least, key: &str) -> [f64; 2] {
    least.get(key).copied().unwrap_or([f64::NAN; 2])
}

/// Reads `rounds` lines of every shape that were measured while `version` ran.
fn least(running: &Running, version: u64, rounds: usize) -> Result<Least> {
    let mut least = Least::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    running.wait(BUILD, |line| {
        let mut words = line.split(' ');
        let read: u64 = words.next()?.parse().ok()?;
        let shape = words.next()?.to_owned();
        let plain: f64 = words.next()?.parse().ok()?;
        let hot: f64 = words.next()?.parse().ok()?;
        if read == version {
            let entry = least.entry(shape.clone()).or_insert([f64::MAX; 2]);
            *entry = [entry[0].min(plain), entry[1].min(hot)];
            *seen.entry(shape).or_default() += 1;
        }
        (SHAPES
            .iter()
            .all(|(key, _)| seen.get(*key).is_some_and(|n| *n >= rounds)))
        .then_some(())
    })?;
    Ok(least)
}

/// Writes the workspace with the rewritten crate, and beside it the crate that stays as it is.
fn project(folder: &Path) -> Result<PathBuf> {
    let package = |name: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n")
    };
    let calls = folder.join("calls");
    let main = package("calls")
        + "\n[workspace]\n\n[dependencies]\ncalls-hot = { path = \"hot\" }\ncalls-plain = { path = \"../plain\" }\n";
    write(&calls.join("Cargo.toml"), &main)?;
    write(
        &calls.join("src/main.rs"),
        include_str!("../programs/calls.rs"),
    )?;
    write(&calls.join("hot/Cargo.toml"), &package("calls-hot"))?;
    write(&calls.join("hot/src/lib.rs"), SOURCE)?;
    write(&folder.join("plain/Cargo.toml"), &package("calls-plain"))?;
    write(&folder.join("plain/src/lib.rs"), SOURCE)?;
    Ok(folder.to_owned())
}
