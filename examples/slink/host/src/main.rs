//! The host: the same calls, whether its plugins are loaded or linked. Numbers are worked on;
//! `reload` reloads.

use std::error::Error;
use std::io::BufRead;

use soft_mock::plugin::{Options, PluginHost};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "out".to_owned());
    let host = PluginHost::new(folder, options());
    println!("{}", host.load_plugins(())?);
    println!(
        "{}",
        if host.static_linking_mode() {
            "linked statically"
        } else {
            "loaded"
        }
    );
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line == "reload" {
            match host.reload(()) {
                Ok(report) => println!("{report}"),
                Err(error) => println!("not reloaded: {error}"),
            }
            continue;
        }
        let number: i64 = line.parse()?;
        for (_, result) in host.current().invoke_each("work", number) {
            println!("{}", result?.get::<String>()?);
        }
        println!(
            "half: {}",
            host.current()
                .vault()
                .live_func::<fn(i64) -> i64>("live_half")?(number)
        );
    }
    Ok(())
}

#[cfg(feature = "static")]
fn options() -> Options {
    Options::new().static_plugins(static_plugins::plugins())
}

#[cfg(not(feature = "static"))]
fn options() -> Options {
    Options::new()
}
