//! Throw-away projects: copies of real ones, and small ones written here.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};

/// The loop that all measured programs run: says when a value has changed.
const WATCH: &str = include_str!("../programs/watch.rs");

/// A project to edit: where it is, and the file with the edited function.
pub(crate) struct Project {
    pub(crate) name: &'static str,
    pub(crate) folder: PathBuf,
    edited: PathBuf,
    text: String,
}

/// Stands in the edited file where the value is.
const PLACE: &str = "1_000_000";

impl Project {
    /// Saves the file with another value in the function.
    pub(crate) fn save(&self, value: u64) -> Result<()> {
        write(&self.edited, &self.text.replace(PLACE, &value.to_string()))
    }

    /// The same with the value in a constant, which the function uses.
    pub(crate) fn spreading(mut self) -> Self {
        let constant = format!("\nconst MEASURED: u64 = {PLACE};\n");
        self.text = self.text.replace(PLACE, "MEASURED") + &constant;
        self
    }

    /// The same project once more, in another folder.
    pub(crate) fn copy_to(&self, folder: &Path) -> Result<Self> {
        copy(&self.folder, folder)?;
        let below = self.edited.strip_prefix(&self.folder)?;
        Ok(Self {
            name: self.name,
            folder: folder.to_owned(),
            edited: folder.join(below),
            text: self.text.clone(),
        })
    }
}

/// A program of a few lines, without dependencies.
pub(crate) fn tiny(scratch: &Path) -> Result<Project> {
    let folder = scratch.join("tiny");
    let manifest = "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    write(&folder.join("Cargo.toml"), manifest)?;
    write(&folder.join("src/watch.rs"), WATCH)?;
    let text = include_str!("../programs/tiny.rs");
    let edited = folder.join("src/main.rs");
    write(&edited, text)?;
    Ok(Project {
        name: "tiny",
        folder,
        edited,
        text: text.to_owned(),
    })
}

/// The tiny program as hot-lib-reloader wants it: the function in a library of its own, with a
/// `dylib`.
pub(crate) fn peer(scratch: &Path) -> Result<Project> {
    let folder = scratch.join("peer");
    let manifest = "[workspace]\nresolver = \"2\"\nmembers = [\"lib\"]\n\n\
                    [package]\nname = \"peer\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                    [dependencies]\nhot-lib-reloader = \"=0.8.2\"\npeer_lib = { path = \"lib\" }\n";
    write(&folder.join("Cargo.toml"), manifest)?;
    let manifest = "[package]\nname = \"peer_lib\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                    [lib]\ncrate-type = [\"rlib\", \"dylib\"]\n";
    write(&folder.join("lib/Cargo.toml"), manifest)?;
    let watch = WATCH.replace("extern \"C\"", "unsafe extern \"C\"");
    write(&folder.join("src/watch.rs"), &watch)?;
    let main = include_str!("../programs/peer_main.rs");
    write(&folder.join("src/main.rs"), main)?;
    let text = include_str!("../programs/peer_lib.rs");
    let edited = folder.join("lib/src/lib.rs");
    write(&edited, text)?;
    Ok(Project {
        name: "hot-lib-reloader 0.8.2, the tiny program",
        folder,
        edited,
        text: text.to_owned(),
    })
}

/// A program whose threads call the edited function all the time.
pub(crate) fn storm(scratch: &Path) -> Result<Project> {
    let folder = scratch.join("storm");
    let manifest = "[package]\nname = \"storm\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    write(&folder.join("Cargo.toml"), manifest)?;
    write(
        &folder.join("src/main.rs"),
        include_str!("../programs/storm.rs"),
    )?;
    let text = include_str!("../programs/storm_work.rs");
    let edited = folder.join("src/work.rs");
    write(&edited, text)?;
    Ok(Project {
        name: "storm",
        folder,
        edited,
        text: text.to_owned(),
    })
}

/// regex-automata, 66,000 lines, with a program beside it. The edited method is in the big crate.
pub(crate) fn large(scratch: &Path) -> Result<Project> {
    let folder = scratch.join("large");
    let program = "\n[[bin]]\nname = \"large\"\npath = \"src/main.rs\"\n";
    unpack(scratch, ("regex-automata", "0.4.18"), &folder, program)?;
    write(&folder.join("src/watch.rs"), WATCH)?;
    write(
        &folder.join("src/main.rs"),
        include_str!("../programs/large.rs"),
    )?;
    let edited = folder.join("src/util/captures.rs");
    let text = std::fs::read_to_string(&edited)? + include_str!("../programs/large_method.rs");
    write(&edited, &text)?;
    Ok(Project {
        name: "large",
        folder,
        edited,
        text,
    })
}

/// A published package in a folder of its own, without its tests. Its manifest ends with `more`.
pub(crate) fn unpack(
    scratch: &Path,
    (package, version): (&str, &str),
    folder: &Path,
    more: &str,
) -> Result<()> {
    copy(&published(scratch, package, version)?, folder)?;
    let path = folder.join("Cargo.toml");
    let manifest = std::fs::read_to_string(&path)?;
    write(&path, &(without_tests(&manifest) + more))?;
    // Holds the tests' dependencies too.
    std::fs::remove_file(folder.join("Cargo.lock")).ok();
    Ok(())
}

/// How long `cargo build` takes now.
pub(crate) fn build(folder: &Path, options: &[&str]) -> Result<Duration> {
    timed("build", folder, options)
}

/// How long a command of cargo takes now.
pub(crate) fn timed(command: &str, folder: &Path, options: &[&str]) -> Result<Duration> {
    let start = Instant::now();
    let output = cargo()
        .args([command, "--quiet"])
        .args(options)
        .current_dir(folder)
        .stdout(Stdio::null())
        .output()
        .context("can't start cargo")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(start.elapsed())
}

/// The sources of a published package, by way of cargo.
pub(crate) fn published(scratch: &Path, package: &str, version: &str) -> Result<PathBuf> {
    let folder = scratch.join(format!("fetch-{package}"));
    let manifest = format!(
        "[package]\nname = \"fetch\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n{package} = \"={version}\"\n"
    );
    write(&folder.join("Cargo.toml"), &manifest)?;
    write(&folder.join("src/lib.rs"), "")?;
    let output = cargo()
        .args(["metadata", "--format-version", "1"])
        .current_dir(&folder)
        .stderr(Stdio::inherit())
        .output()
        .context("can't start cargo")?;
    if !output.status.success() {
        bail!("cargo can't fetch {package} {version}");
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo names no packages")?;
    let found = packages
        .iter()
        .filter(|entry| entry["name"] == package)
        .find_map(|entry| Path::new(entry["manifest_path"].as_str()?).parent());
    Ok(found.context("cargo names no manifest")?.to_owned())
}

/// A manifest without its tests and what only they need.
fn without_tests(manifest: &str) -> String {
    let mut keep = true;
    let mut text = String::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            keep = !["[dev-dependencies", "[[test]]", "[[bench]]"]
                .iter()
                .any(|section| line.starts_with(section));
        }
        if keep {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// The cargo of this run, without what `cargo run` has set for this program.
pub(crate) fn cargo() -> Command {
    scrubbed(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A command without the settings that cargo makes for this program.
pub(crate) fn scrubbed(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().into_owned();
        let kept = ["CARGO_HOME", "CARGO_NET_OFFLINE"].contains(&text.as_str());
        let set = text.starts_with("CARGO") || text.starts_with("RUSTC_") || text == "RUSTFLAGS";
        if set && !kept {
            command.env_remove(name);
        }
    }
    command
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, text).with_context(|| format!("can't write {}", path.display()))
}

/// Copies a folder, build products aside.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in
        std::fs::read_dir(from).with_context(|| format!("can't read {}", from.display()))?
    {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if !entry.file_type()?.is_dir() {
            // Not `fs::copy`: a registry's files may be read-only.
            std::fs::write(target, std::fs::read(entry.path())?)?;
        } else if entry.file_name() != "target" {
            copy(&entry.path(), &target)?;
        }
    }
    Ok(())
}
