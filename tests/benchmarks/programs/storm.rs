//! A busy server without a network: four threads answer requests as fast as they can, and check every answer.

mod work;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Calls that one request needs.
const CALLS: u64 = 100;

static NEWEST: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicUsize = AtomicUsize::new(0);
static TIMES: Mutex<Vec<u32>> = Mutex::new(Vec::new());

fn main() {
    for _ in 0..4 {
        std::thread::spawn(serve);
    }
    let (mut said, mut window) = (0, Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(1));
        let newest = NEWEST.load(Relaxed);
        if newest != said {
            said = newest;
            println!("version {newest} {}", std::process::id());
        }
        if window.elapsed() > Duration::from_secs(1) {
            window = Instant::now();
            let mut times = std::mem::take(&mut *TIMES.lock().unwrap());
            times.sort_unstable();
            let at = |part: f64| times.get((times.len() as f64 * part) as usize).copied().unwrap_or(0);
            let wrong = WRONG.load(Relaxed);
            println!("window {} {} {} {} {wrong} {}", times.len(), at(0.5), at(0.999), at(1.0 - 1e-9), memory());
        }
    }
}

fn serve() {
    let (mut last, mut times, mut number) = (0, Vec::new(), 0_u64);
    loop {
        let start = Instant::now();
        for _ in 0..CALLS {
            number += 1;
            let version = work::answer(number) - number;
            // Answers come from one version of the code, and never from an older one than before.
            if version < last || version % 1_000 != 0 || version == 0 {
                WRONG.fetch_add(1, Relaxed);
            }
            last = last.max(version);
        }
        times.push(start.elapsed().as_nanos().min(u32::MAX.into()) as u32);
        if times.len() == 1_000 {
            NEWEST.fetch_max(last, Relaxed);
            TIMES.lock().unwrap().append(&mut times);
        }
    }
}

/// Resident memory in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}
