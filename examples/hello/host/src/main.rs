//! The host: a heartbeat for all plugins. `r` and return (or SIGHUP) reloads, the end of the input
//! ends it.

use std::error::Error;
use std::io::BufRead;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use hello_types::Beat;
use soft_mock::plugin::{LiveData, Options, PluginHost};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "out".to_owned());
    let host = PluginHost::new(
        folder,
        Options::new().free_delay(Duration::from_millis(100)),
    );
    println!("{}", host.load_plugins(())?);
    show_versions(&host);

    let reload = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::clone(&reload))?;
    let end = Arc::new(AtomicBool::new(false));
    read_commands(Arc::clone(&reload), Arc::clone(&end));

    let mut count = 0;
    while !end.load(Ordering::Acquire) {
        if reload.swap(false, Ordering::AcqRel) {
            match host.reload(()) {
                Ok(report) => println!("{report}"),
                Err(error) => println!("not reloaded: {error}"),
            }
            show_versions(&host);
        }
        count += 1;
        host.current()
            .invoke_each("heartbeat", LiveData::new(&Beat { count })?);
        std::thread::sleep(Duration::from_millis(200));
    }
    host.shutdown(Duration::from_secs(1))?;
    Ok(())
}

fn show_versions(host: &PluginHost) {
    for plugin in host.current().plugins() {
        println!(
            "{} {} {} ({})",
            plugin.name(),
            plugin.version(),
            plugin.note(),
            plugin.hash()
        );
    }
}

/// Reads commands from the standard input.
fn read_commands(reload: Arc<AtomicBool>, end: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if line.trim() == "r" {
                reload.store(true, Ordering::Release);
            }
        }
        end.store(true, Ordering::Release);
    });
}
