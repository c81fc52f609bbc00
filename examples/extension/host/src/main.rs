//! The host: runs the commands that plugins have put into its extension. `reload` reloads.

use std::error::Error;
use std::io::BufRead;

use extension_types::Commands;
use soft_mock::plugin::{Options, PluginHost};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "out".to_owned());
    let host = PluginHost::new(folder, Options::new().extension(Commands::default));
    println!("{}", host.load_plugins(())?);
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (name, argument) = line.split_once(' ').unwrap_or((&line, ""));
        match name {
            "reload" => match host.reload(()) {
                Ok(report) => println!("{report}"),
                Err(error) => println!("not reloaded: {error}"),
            },
            name => println!("{}", run(&host, name, argument)?),
        }
    }
    Ok(())
}

fn run(host: &PluginHost, name: &str, argument: &str) -> Result<String, Box<dyn Error>> {
    let plugins = host.current();
    let commands = plugins.vault().extension::<Commands>()?;
    let all = commands
        .by_name
        .names()
        .into_iter()
        .filter_map(|(name, _)| commands.by_name.get(&name));
    Ok(match commands.by_name.get(name) {
        Some(command) => command.run(argument),
        None => all
            .map(|command| command.help())
            .collect::<Vec<_>>()
            .join("\n"),
    })
}
