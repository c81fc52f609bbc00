//! A busy server without a network: four threads answer requests as fast as they can, and check every answer.

mod work;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Calls that one request needs.
const CALLS: u64 = 100;

static NEWEST: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicUsize = AtomicUsize::new(0);
/// Of every request on the clock, and of some the processor's time alone.
static TIMES: Mutex<[Vec<u32>; 2]> = Mutex::new([Vec::new(), Vec::new()]);

/// One request of so many has its processor time taken, which costs a system call.
const TIMED: u64 = 16;

fn main() {
    for _ in 0..4 {
        std::thread::spawn(serve);
    }
    let (mut said, mut window, mut waited) = (0, Instant::now(), waits());
    loop {
        std::thread::sleep(Duration::from_millis(1));
        let newest = NEWEST.load(Relaxed);
        if newest != said {
            said = newest;
            println!("version {newest} {}", std::process::id());
        }
        if window.elapsed() > Duration::from_secs(1) {
            window = Instant::now();
            let [mut times, mut working] = std::mem::take(&mut *TIMES.lock().unwrap());
            times.sort_unstable();
            working.sort_unstable();
            let at = |times: &[u32], part: f64| times.get((times.len() as f64 * part) as usize).copied().unwrap_or(0);
            let (wrong, before) = (WRONG.load(Relaxed), waited);
            waited = waits();
            println!(
                "window {} {} {} {} {wrong} {} {} {} {} {}",
                times.len(),
                at(&times, 0.5),
                at(&times, 0.999),
                at(&times, 1.0 - 1e-9),
                memory(),
                at(&working, 0.999),
                at(&working, 1.0 - 1e-9),
                waited[0].saturating_sub(before[0]),
                waited[1].saturating_sub(before[1]),
            );
        }
    }
}

fn serve() {
    let (mut last, mut times, mut working, mut number) = (0, Vec::new(), Vec::new(), 0_u64);
    loop {
        let is_timed = number / CALLS % TIMED == 0;
        let worked = if is_timed { processor_time() } else { 0 };
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
        if is_timed {
            working.push((processor_time() - worked).min(u32::MAX.into()) as u32);
        }
        if times.len() == 1_000 {
            NEWEST.fetch_max(last, Relaxed);
            let mut all = TIMES.lock().unwrap();
            all[0].append(&mut times);
            all[1].append(&mut working);
        }
    }
}

/// Resident memory in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}

/// How often threads gave the processor away to wait for something, and how often it was taken from them.
fn waits() -> [u64; 2] {
    let mut waits = [0; 2];
    for thread in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        for (position, name) in ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"].into_iter().enumerate() {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            waits[position] += line.and_then(|line| line.trim().parse::<u64>().ok()).unwrap_or(0);
        }
    }
    waits
}

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

/// What this thread has used of a processor, in nanoseconds.
fn processor_time() -> u64 {
    const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: it writes a `struct timespec`, of two 64-bit numbers on 64-bit Linux, into a variable
    // that is borrowed for the call.
    unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.seconds as u64 * 1_000_000_000 + time.nanoseconds as u64
}
