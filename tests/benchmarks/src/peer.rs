//! The same functions under mocktopus, which needs a nightly compiler: measured where there is one.

use std::path::Path;
use std::process::Command;

use anyhow::{bail, Context, Result};

use crate::mock::{figures, Figures};
use crate::project::{scrubbed, write};

/// Prints a row for each profile, or why there is none.
pub(crate) fn run(scratch: &Path, profiles: &[&str]) -> Result<()> {
    println!("\n### mocktopus 0.8.0, nanoseconds a call\n");
    let version = nightly("rustc").arg("--version").output();
    let version = match version {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => {
            println!("not measured: no nightly");
            return Ok(());
        }
    };
    println!("{version}\n");
    println!(
        "| profile | not mocked | while another is | mocked | generic | making and taking away |"
    );
    println!("|---|---|---|---|---|---|");
    let folder = scratch.join("mocktopus");
    project(&folder)?;
    for profile in profiles {
        let figures = measure(&folder, profile)?;
        let of = |name: &str| figures.get(name).copied().unwrap_or([f64::NAN; 2]);
        println!(
            "| {profile} | {:.2} × | {:.2} × | {:.1} | {:.1} | {:.0} |",
            of("unmocked")[1] / of("unmocked")[0],
            of("others")[1] / of("others")[0],
            of("mocked")[1],
            of("generic")[1],
            of("install")[1],
        );
    }
    Ok(())
}

fn nightly(program: &str) -> Command {
    let mut command = scrubbed("rustup");
    command.args(["run", "nightly", program]);
    command
}

fn measure(folder: &Path, profile: &str) -> Result<Figures> {
    let mut command = nightly("cargo");
    command.args(["run", "--quiet"]).current_dir(folder);
    if profile == "release" {
        command.arg("--release");
    }
    let output = command.output().context("can't start rustup")?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(figures(&stdout))
}

/// A program, and two crates of one source: one has the attribute at every function.
fn project(folder: &Path) -> Result<()> {
    let source = include_str!("../programs/mocked.rs");
    let mockable = source.replace(
        "#[inline(never)]",
        "#[mocktopus::macros::mockable]\n#[inline(never)]",
    );
    let package = |name: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n")
    };
    let dependencies = "\n[workspace]\n\n[dependencies]\nmocktopus = \"=0.8.0\"\n";
    let crates = "mockable = { path = \"mockable\" }\nplain = { path = \"plain\" }\n";
    write(
        &folder.join("Cargo.toml"),
        &(package("figures") + dependencies + crates),
    )?;
    write(
        &folder.join("src/main.rs"),
        include_str!("../programs/mocktopus.rs"),
    )?;
    write(
        &folder.join("src/timing.rs"),
        include_str!("../programs/timing.rs"),
    )?;
    let dependency = "\n[dependencies]\nmocktopus = \"=0.8.0\"\n";
    write(
        &folder.join("mockable/Cargo.toml"),
        &(package("mockable") + dependency),
    )?;
    write(&folder.join("mockable/src/lib.rs"), &mockable)?;
    write(&folder.join("plain/Cargo.toml"), &package("plain"))?;
    write(&folder.join("plain/src/lib.rs"), source)
}
