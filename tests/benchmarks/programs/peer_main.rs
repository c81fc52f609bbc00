mod watch;

#[hot_lib_reloader::hot_module(dylib = "peer_lib", file_watch_debounce = 20)]
mod reloaded {
    hot_functions_from_file!("lib/src/lib.rs");
}

fn main() {
    watch::run(reloaded::value);
}
