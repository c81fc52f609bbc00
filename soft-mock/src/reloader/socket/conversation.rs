//! One connection: the program says who it is, then answers what it is asked.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use crate::patch::{patch_of, Transaction};
use crate::registry;
use crate::reloader::protocol::{
    FromProgram, Hello, Load, Loaded, Refused, SiteInfo, SiteList, ToProgram, UnitInfo, VERSION,
};
use crate::reloader::Stop;

/// More than any line; who sends more isn't a peer.
const LONGEST_LINE: u64 = 16 << 20;

/// What its builder said about this program.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) name: String,
    /// The private folder for copies of plugins, which the builder removes.
    pub(super) copies: Option<PathBuf>,
}

/// Answers the peer until it goes away.
pub(super) fn hold(stream: &UnixStream, program: &Program, stop: &Stop) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    say(stream, &FromProgram::Hello(hello(&program.name)))?;
    let mut line = Vec::new();
    while !stop.is_set() {
        line.clear();
        let read = (&mut reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        if !line.ends_with(b"\n") {
            return Err(io::ErrorKind::InvalidData.into()); // Cut off, or endless.
        }
        say(stream, &answer(&line, program))?;
    }
    Ok(())
}

fn say(mut stream: &UnixStream, words: &FromProgram) -> io::Result<()> {
    let mut line = serde_json::to_vec(words)?;
    line.push(b'\n');
    // A peer that went away raises SIGPIPE, which this thread blocks; see `signals`.
    stream.write_all(&line)
}

fn hello(program: &str) -> Hello {
    let units = registry::units();
    Hello {
        version: VERSION,
        pid: std::process::id(),
        exe: std::env::current_exe().unwrap_or_default(),
        units: units.iter().map(unit_info).collect(),
        program: program.to_owned(),
    }
}

fn unit_info(unit: &registry::Unit) -> UnitInfo {
    UnitInfo {
        crate_name: unit.krate.name().to_owned(),
        unit: format!("{:016x}", unit.krate.unit()),
        rustc: unit.krate.rustc().to_owned(),
        sites: unit.sites,
    }
}

fn answer(line: &[u8], program: &Program) -> FromProgram {
    match serde_json::from_slice(line) {
        Ok(ToProgram::Load(load)) => answer_load(load, program),
        Ok(ToProgram::Sites(question)) => FromProgram::Sites(SiteList {
            id: question.id,
            sites: sites(),
        }),
        Err(error) => FromProgram::Refused(Refused {
            id: 0,
            error: format!("this line was not understood: {error}"),
            functions: Vec::new(),
        }),
    }
}

fn answer_load(load: Load, program: &Program) -> FromProgram {
    let id = load.id;
    let mut transaction = Transaction::new().copies_in(program.copies.as_deref());
    for plugin in load.plugins {
        transaction = transaction.plugin(plugin);
    }
    for restore in load.restore {
        transaction = transaction.restore(restore.unit, restore.name);
    }
    match transaction.commit() {
        Ok(report) => FromProgram::Loaded(Loaded { id, report }),
        Err(error) => FromProgram::Refused(Refused {
            id,
            error: error.to_string(),
            functions: error.functions(),
        }),
    }
}

fn sites() -> Vec<SiteInfo> {
    let info = |site: &'static crate::Site| SiteInfo {
        name: site.name().to_owned(),
        file: site.file().to_owned(),
        line: site.line(),
        signature: site.signature().to_owned(),
        unit: format!("{:016x}", site.unit()),
        patched: patch_of(site).is_some(),
        running: site.running().unwrap_or(0),
    };
    registry::sites().map(info).collect()
}
