//! When a patch becomes active: at once, or where the program says that it is safe.
//!
//! A patch that waits is a job in [`Shared`]: checked and loaded, so that nothing but the switch is
//! left. The program's call of [`safe_point`] runs it, on the program's own thread, through a
//! function of the copy of the runtime that left it there.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::mpsc::{self, Receiver};

use soft_mock_abi::report::Report;

use crate::loader::Interrupted;
use crate::registry::{registry, RegistryError};
use crate::shared::{Shared, Turn};

use super::listeners;

/// A patch that waits for a safe point. Belongs to the copy of the runtime that made it.
#[repr(C)]
struct Job {
    /// Runs the job and frees it; called once, by whoever took it from the list.
    run: unsafe extern "C" fn(*mut Job, *const Shared),
    /// A `Box<Work>` of that copy.
    work: *mut (),
    next: *mut Job,
}

type Work = Box<dyn FnOnce(&Turn) + Send>;

/// From now on, patches of reloaders (and of `hot`) wait until the program calls [`safe_point`].
/// What the program installs itself, with [`load_plugin`](super::load_plugin) or
/// [`rollback`](super::rollback), is active at once: that call is the program's choice.
///
/// ```
/// # fn frame() {}
/// soft_mock_runtime::patch::patch_at_safe_points()?;
/// for _ in 0..3 {
///     frame();
///     soft_mock_runtime::patch::safe_point();
/// }
/// # Ok::<(), soft_mock_runtime::registry::RegistryError>(())
/// ```
pub fn patch_at_safe_points() -> Result<(), RegistryError> {
    let shared = registry()?.shared();
    shared.at_safe_points.store(1, Ordering::Release);
    Ok(())
}

/// The program may be patched now: whatever waits becomes active before this returns, oldest first.
/// While nothing waits this costs a load and a branch.
///
/// It is for the program to call this only where that is fine for *all* of its threads. Within an
/// [`on_patch`](super::on_patch) listener it does nothing.
#[inline]
pub fn safe_point() {
    let Ok(registry) = registry() else {
        return;
    };
    let shared = registry.shared();
    if !jobs(shared).load(Ordering::Acquire).is_null() {
        run_all(shared);
    }
}

/// Whether reloaders have to wait.
pub(super) fn waits(shared: &Shared) -> bool {
    shared.at_safe_points.load(Ordering::Acquire) != 0
}

/// What became of a patch that was asked for.
#[derive(Debug)]
pub(crate) enum Progress<E> {
    /// It is active.
    Done(Report),
    /// It waits for the program.
    Waiting(Receiver<Result<Report, E>>),
}

impl<E: From<Interrupted>> Progress<E> {
    /// The end of it, however long that takes.
    pub(crate) fn wait(self) -> Result<Report, E> {
        match self {
            Self::Done(report) => Ok(report),
            Self::Waiting(result) => result.recv().unwrap_or_else(|_| Err(Interrupted.into())),
        }
    }
}

/// Has `work` done at the program's next safe point.
pub(super) fn at_safe_point<E: Send + 'static>(
    shared: &'static Shared,
    work: impl FnOnce(&Turn) -> Result<Report, E> + Send + 'static,
) -> Progress<E> {
    let (done, result) = mpsc::channel();
    let work: Work = Box::new(move |turn| {
        // Nobody waits any more: then nobody is to be told.
        let _ = done.send(work(turn));
    });
    push(shared, work);
    Progress::Waiting(result)
}

fn jobs(shared: &Shared) -> &AtomicPtr<Job> {
    // SAFETY: this module alone uses the cell.
    unsafe { shared.jobs.of() }
}

fn push(shared: &'static Shared, work: Work) {
    crate::pin_library::pin_library(run as *const ());
    let job = Box::into_raw(Box::new(Job {
        run,
        work: Box::into_raw(Box::new(work)).cast(),
        next: ptr::null_mut(),
    }));
    shared.waiting.fetch_add(1, Ordering::Relaxed);
    let mut newest = jobs(shared).load(Ordering::Relaxed);
    loop {
        // SAFETY: made above and not published before the exchange succeeds.
        unsafe { (*job).next = newest };
        match jobs(shared).compare_exchange_weak(newest, job, Ordering::Release, Ordering::Relaxed)
        {
            Ok(_) => return,
            Err(found) => newest = found,
        }
    }
}

#[cold]
fn run_all(shared: &'static Shared) {
    if listeners::is_listening() {
        return;
    }
    // To the end: two threads that come here at a time must not mix the order.
    let _turn = shared.turn();
    let mut job = jobs(shared).swap(ptr::null_mut(), Ordering::AcqRel);
    let mut jobs = Vec::new();
    while !job.is_null() {
        jobs.push(job);
        // SAFETY: published by `push` of some copy with Release, and ours alone since the swap.
        job = unsafe { (*job).next };
    }
    for job in jobs.into_iter().rev() {
        shared.waiting.fetch_sub(1, Ordering::Relaxed);
        // SAFETY: ours alone and not run before, and it is our turn.
        unsafe { ((*job).run)(job, shared) };
    }
}

/// Runs a job of this copy.
///
/// # Safety
/// `job` was made by `push` of this copy and isn't used again, `shared` is the process's, and it is
/// the caller's turn.
unsafe extern "C" fn run(job: *mut Job, shared: *const Shared) {
    // SAFETY: `push` made both with `Box::into_raw`.
    let work = unsafe { Box::from_raw(Box::from_raw(job).work.cast::<Work>()) };
    // SAFETY: never freed, by the caller's promise.
    let shared = unsafe { &*shared };
    // SAFETY: it is the caller's turn until this returns.
    let turn = unsafe { Turn::of_caller(shared) };
    // A panic drops the sender, so whoever waits is told; the program isn't to suffer from it.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(&turn))) {
        std::mem::forget(panic);
    }
}
