//! One connection: the program says who it is, then answers what it is asked.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use crate::images::Image;
use crate::patch::{patch_of, Target, Transaction};
use crate::registry::{self, Registry};
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
    /// The library that this is about, if it isn't the program itself.
    pub(super) image: Option<&'static Image>,
}

/// Answers the peer until it goes away.
pub(super) fn hold(stream: &UnixStream, program: &Program, stop: &Stop) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let Some(hello) = hello(program) else {
        return Ok(());
    };
    say(stream, &FromProgram::Hello(hello))?;
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

/// None: the library is gone.
fn hello(program: &Program) -> Option<Hello> {
    let units = with_sites(program, |sites| sites.units())?;
    Some(Hello {
        version: VERSION,
        pid: std::process::id(),
        exe: std::env::current_exe().unwrap_or_default(),
        units: units.iter().map(unit_info).collect(),
        program: program.name.clone(),
        image: program.image.map(|image| image.path().to_owned()),
    })
}

/// Looks at the sites of the program, or at those of the library that this is about. None: it is gone,
/// or its sites can't be used.
fn with_sites<R>(program: &Program, look: impl FnOnce(&Registry) -> R) -> Option<R> {
    let Some(image) = program.image else {
        return registry::registry().ok().map(look);
    };
    let inside = image.enter()?;
    let sites = image.sites(&inside).ok()?;
    Some(look(&sites))
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
            sites: with_sites(program, sites).unwrap_or_default(),
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
    let refused = |error: String, functions| {
        FromProgram::Refused(Refused {
            id,
            error,
            functions,
        })
    };
    let image = match target(program) {
        Ok(image) => image,
        Err(error) => return refused(error, Vec::new()),
    };
    let mut transaction = Transaction::new()
        .copies_in(program.copies.as_deref())
        .in_image(image);
    for plugin in load.plugins {
        transaction = transaction.plugin(plugin);
    }
    for restore in load.restore {
        transaction = transaction.restore(restore.unit, restore.name);
    }
    match transaction.commit() {
        Ok(report) => FromProgram::Loaded(Loaded { id, report }),
        Err(error) => refused(error.to_string(), error.functions()),
    }
}

/// The library that a patch is for, which from now on stays for ever.
fn target(program: &Program) -> Result<Option<Arc<Target>>, String> {
    let Some(image) = program.image else {
        return Ok(None);
    };
    let inside = image.enter().ok_or("the plugin was unloaded")?;
    let sites = image.sites(&inside).map_err(|error| error.to_string())?;
    inside.pin();
    let path = image.path().to_owned();
    Ok(Some(Arc::new(Target { sites, path })))
}

fn sites(registry: &Registry) -> Vec<SiteInfo> {
    let info = |site: &'static crate::Site| SiteInfo {
        name: site.name().to_owned(),
        file: site.file().to_owned(),
        line: site.line(),
        signature: site.signature().to_owned(),
        unit: format!("{:016x}", site.unit()),
        patched: patch_of(site).is_some(),
        running: site.running().unwrap_or(0),
    };
    registry.sites().map(info).collect()
}
