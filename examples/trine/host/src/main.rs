//! The host: `walk` has gamma walk the chain, `reload` reloads.

use std::error::Error;
use std::io::BufRead;

use soft_mock::plugin::{Options, PluginHost};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "out".to_owned());
    let host = PluginHost::new(folder, Options::new());
    println!("{}", host.load_plugins(())?);
    for line in std::io::stdin().lock().lines() {
        match line?.as_str() {
            "reload" => match host.reload(()) {
                Ok(report) => println!("{report}"),
                Err(error) => println!("not reloaded: {error}"),
            },
            _ => println!(
                "{}",
                host.current()
                    .plugin("gamma")?
                    .invoke_func("walk", ())?
                    .get::<String>()?
            ),
        }
    }
    Ok(())
}
