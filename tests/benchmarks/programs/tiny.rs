mod watch;

fn value() -> u64 {
    1_000_000
}

fn main() {
    watch::run(value);
}
