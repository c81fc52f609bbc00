//! The host: a queue of jobs. `mail NAME` and `backup N` queue one, `run` handles all, `reload`
//! reloads.

use std::collections::VecDeque;
use std::error::Error;
use std::io::BufRead;

use livex_types::{Handler, Queued, Task};
use soft_mock::plugin::{Options, PluginHost, Value};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "out".to_owned());
    let host = PluginHost::new(folder, Options::new());
    println!("{}", host.load_plugins(())?);
    // As text: it could as well be a file, or another process.
    let mut queue: VecDeque<String> = VecDeque::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (word, argument) = line.split_once(' ').unwrap_or((&line, ""));
        match word {
            "mail" => queue.push_back(make(&host, "mail", argument.into())?),
            "backup" => queue.push_back(make(&host, "backup", argument.parse::<u32>()?.into())?),
            "run" => {
                for job in queue.drain(..) {
                    println!(
                        "{}",
                        handle(&host, &job)?.unwrap_or_else(|error| format!("failed: {error}"))
                    );
                }
            }
            "reload" => match host.reload(()) {
                Ok(report) => println!("{report}"),
                Err(error) => println!("not reloaded: {error}"),
            },
            _ => println!("{} queued", queue.len()),
        }
    }
    Ok(())
}

fn make(host: &PluginHost, kind: &str, argument: Value) -> Result<String, Box<dyn Error>> {
    let job: Queued = host
        .current()
        .plugin("jobs")?
        .invoke_func(kind, argument)?
        .get()?;
    Ok(serde_json::to_string(&job)?)
}

/// Handles a job by the newest code that has its name.
fn handle(host: &PluginHost, job: &str) -> Result<Result<String, String>, Box<dyn Error>> {
    let job: Queued = serde_json::from_str(job)?;
    let plugins = host.current();
    if let Ok(function) = plugins.vault().live_func::<Handler>(&job.handler) {
        return Ok(function(&job.data));
    }
    let mut task = plugins.vault().live_type::<dyn Task>(&job.handler)?;
    Ok(task.handle(&job.data))
}
