//! The agent is copied into each session's folder, so it is linked without symbols, whatever the
//! profile says.

fn main() {
    println!("cargo::rustc-link-arg-cdylib=-Wl,--strip-all");
    println!("cargo::rerun-if-changed=build.rs");
}
