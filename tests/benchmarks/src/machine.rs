//! What the figures were measured on, in one line.

use std::path::Path;
use std::process::Command;

/// Prints the machine and the tools.
pub(crate) fn print(hot: &Path) {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown CPU", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    println!(
        "Machine: {model}, {cores} cores, Linux {}; {}; {}; load when started: {load}.",
        output("uname", "-r"),
        output("rustc", "-V"),
        output(&hot.to_string_lossy(), "--version"),
    );
}

fn output(program: &str, argument: &str) -> String {
    Command::new(program)
        .arg(argument)
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .and_then(|text| text.lines().next().map(str::to_owned))
        .unwrap_or_else(|| format!("{program} {argument}: no answer"))
}
