//! Mocks that belong to a test: several for one function at a time, each seen by the threads of its
//! own scope only.
//!
//! Each site that ever had such a mock keeps a list of nodes. Nodes are added under a lock and
//! never taken out, only used again, so the list is as long as the most mocks the function ever had
//! at one time. A call walks it without a lock.

use std::any::{type_name, Any, TypeId};
use std::collections::HashMap;
use std::mem;
use std::panic::Location;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;

use parking_lot::Mutex;
use soft_mock_abi::site::{Code, Site};
use soft_mock_runtime::hook::{without_thread, Layer, SiteHook, Slot};
use soft_mock_runtime::registry::registry;

use super::call::{self, Begun, Contents};
use super::exclusive::{holds, Refused, Share, EVERYWHERE};
use super::node::{Life, Node};
use super::original::{has_note, has_notes};
use super::record::Record;
use super::strays;
use super::target::Target;
use super::{check_type_of, MockError};
use crate::scope;

/// The scoped mocks of one function. Made with the first, and kept for ever.
struct Table {
    head: AtomicPtr<Link>,
    /// How many are installed. Written under the lock of [`TABLES`].
    live: AtomicUsize,
}

struct Link {
    node: Node<Contents>,
    next: *const Link,
}

// SAFETY: `next` never changes and points to a link that lives for ever.
unsafe impl Sync for Link {}

/// What is known of a site under the lock.
#[derive(Clone, Copy)]
struct Known {
    table: &'static Table,
    slot: &'static Slot,
}

/// By the addresses of sites. Its lock is taken before that of `Shared`.
static TABLES: Mutex<Option<HashMap<usize, Known>>> = Mutex::new(None);

/// Whether a thread of one scope sees a mock of the other.
#[inline(always)]
fn sees(scope: u64, of: u64) -> bool {
    of == scope || of == EVERYWHERE
}

impl Table {
    fn links(&self) -> impl Iterator<Item = &'static Link> {
        let mut at = self.head.load(Ordering::Acquire).cast_const();
        std::iter::from_fn(move || {
            // SAFETY: null, or a link that `add` published with Release and that lives for ever.
            let link: &'static Link = unsafe { at.as_ref() }?;
            at = link.next;
            Some(link)
        })
    }

    /// The mock with the highest rank below `limit` that a thread of `scope` sees, and its number.
    #[inline(always)]
    fn first(&self, scope: u64, limit: u64) -> Option<(u64, &'static Node<Contents>)> {
        let mut highest = 0; // Ranks begin with 1.
        let mut found = None;
        for link in self.links() {
            let Some((number, of)) = link.node.look() else {
                continue;
            };
            let rank = link.node.rank();
            if rank > highest && rank < limit && sees(scope, of) {
                (highest, found) = (rank, Some((number, &link.node)));
            }
        }
        found
    }

    /// Begins a call where that is simple: there is one mock, and this thread made it.
    #[inline(always)]
    fn begin_only(&self, scope: u64) -> Option<Begun> {
        // SAFETY: null, or a link that `add` published with Release and that lives for ever.
        let link: &'static Link = unsafe { self.head.load(Ordering::Acquire).as_ref() }?;
        let (_, of) = link.node.look().filter(|_| link.next.is_null())?;
        // SAFETY: the number of this thread, which has just seen the node live.
        let begin_own = || unsafe { link.node.begin_own(scope::thread()) };
        let own = sees(scope, of) && begin_own();
        // SAFETY: as just begun.
        own.then(|| unsafe { Begun::new(&link.node, true) })
    }

    /// Begins a call of the first mock below a rank that a thread of `scope` sees.
    fn begin(&self, scope: u64, limit: u64) -> Option<Begun> {
        loop {
            let (number, node) = self.first(scope, limit)?;
            // SAFETY: the number of this thread, which has just seen the node live.
            let own = unsafe { node.begin_own(scope::thread()) };
            if own || node.begin(number) {
                // SAFETY: as just begun.
                return Some(unsafe { Begun::new(node, own) });
            }
            // It went between the look and the call: another one may stand behind it.
        }
    }

    /// Tells the tests that mock the function of a call that none of their mocks took, if it is of
    /// no test.
    #[cold]
    fn tell(&self) {
        if scope::is_test() || holds(scope::current()) {
            return;
        }
        strays::note(|tell| self.each(|of| of != EVERYWHERE, |record| tell(record.strays())));
    }

    /// Calls a function with the records of the mocks of some scopes.
    fn each(&self, is_meant: impl Fn(u64) -> bool, mut each: impl FnMut(&Record)) {
        for link in self.links() {
            let live = link.node.look().filter(|(_, of)| is_meant(*of));
            if live.is_some_and(|(number, _)| link.node.begin(number)) {
                // SAFETY: begun just now, and ended once.
                unsafe {
                    each(link.node.contents().record());
                    link.node.end();
                }
            }
        }
    }

    /// A live node for this mock: one that is free, or else a new one. Under the lock.
    fn add(&self, life: &Life, contents: Contents) -> &'static Link {
        let mut contents = Box::new(contents);
        for link in self.links() {
            match link.node.publish(life, contents) {
                Ok(()) => return link,
                Err(back) => contents = back,
            }
        }
        let link: &'static Link = Box::leak(Box::new(Link {
            node: Node::new(),
            next: self.head.load(Ordering::Relaxed),
        }));
        if link.node.publish(life, contents).is_err() {
            unreachable!("a new node is free");
        }
        self.head
            .store(ptr::from_ref(link).cast_mut(), Ordering::Release);
        link
    }
}

/// Chooses a test's mock. Bound by the rules of a slot.
#[allow(improper_ctypes_definitions)] // As for `HookHead`.
unsafe extern "C" fn enter(site: *const Site, table: *const ()) -> Option<Code> {
    // SAFETY: the slot with this entry has a table as its data, which lives for ever.
    let table: &'static Table = unsafe { &*table.cast::<Table>() };
    let simple = match has_notes() {
        true => None,
        false => table.begin_only(scope::current()),
    };
    match simple {
        Some(begun) => leave(begun),
        None => choose(site, table),
    }
}

/// Out of line, so that the simple case saves no registers.
#[inline(never)]
fn choose(site: *const Site, table: &'static Table) -> Option<Code> {
    // A note is for the mock of the process, which uses it.
    if !has_note(site) {
        match table.begin(scope::current(), u64::MAX) {
            Some(begun) => return leave(begun),
            None => table.tell(),
        }
    }
    // SAFETY: it is the site that was entered.
    unsafe { without_thread(site) }
}

/// The code of a call that was begun, which stays for that code to take.
#[inline(always)]
fn leave(begun: Begun) -> Option<Code> {
    let code = begun.node().code().cast_const();
    call::leave(begun);
    // SAFETY: the call is in progress, and `add` was promised that this is the code of a function.
    unsafe { mem::transmute::<*const (), Option<Code>>(code) }
}

/// What kind of function `mock!` was told to replace, and for whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Form {
    /// `mock!(unsafe …)`.
    pub is_unsafe: bool,
    /// The closure is async.
    pub is_async: bool,
    /// `mock_everywhere!`.
    pub everywhere: bool,
    /// Which calls it takes, as it is written.
    pub when: Option<&'static str>,
}

/// What was installed, in its parts.
pub(super) struct Parts {
    pub(super) installed: Vec<Installed>,
    pub(super) record: Arc<Record>,
    pub(super) share: Share,
}

/// Installs a mock for the calling test.
///
/// # Safety
/// `code` yields a function that may be called as one of a site with the type `I`; it is asked only
/// if the sites have that type.
pub(super) unsafe fn try_install<I: 'static, F: Any + Send + Sync>(
    target: &Target,
    form: Form,
    place: &'static Location<'static>,
    code: impl FnOnce() -> *mut (),
    closure: F,
) -> Result<Parts, MockError> {
    for site in target.sites() {
        check::<I>(site, form)?;
    }
    let code = code();
    let Some(first) = target.sites().first() else {
        unreachable!("a target has a site");
    };
    scope::serve()?;
    let own = scope::own();
    let share = match form.everywhere {
        true => Share::exclusive(own),
        false => Share::own(own),
    };
    let name = first.name();
    let share = share.map_err(|refused| match refused {
        Refused::Both => MockError::Exclusive { name },
        Refused::Stuck(waited) => MockError::Stuck { name, waited },
    })?;
    let scope = if form.everywhere { EVERYWHERE } else { own };
    let record = Arc::new(Record::new(first, place, form.when));
    let closure: Arc<dyn Any + Send + Sync> = Arc::new(closure);
    let std = target.is_of_std().then(|| Arc::from(target.sites()));
    let mut installed = Vec::new();
    for site in target.sites() {
        let contents = Contents::new(closure.clone(), record.clone()).passing_by(std.clone());
        // SAFETY: the caller's promise, and `check` has compared the types.
        installed.push(unsafe { add(site, scope, code, contents) }?);
    }
    Ok(Parts {
        installed,
        record,
        share,
    })
}

fn check<I: 'static>(site: &'static Site, form: Form) -> Result<(), MockError> {
    let name = site.name();
    if site.is_unsafe() && !form.is_unsafe {
        return Err(MockError::NeedsUnsafe { name });
    }
    if site.is_async() != form.is_async {
        return Err(MockError::Asyncness {
            name,
            is_async: site.is_async(),
        });
    }
    check_type_of(site, TypeId::of::<I>(), type_name::<I>(), "")
}

/// Where one mock was put.
#[derive(Clone, Copy)]
pub(super) struct Installed {
    site: &'static Site,
    link: &'static Link,
    number: u64,
}

impl Installed {
    /// From now on it is asked before those that demand no number of calls, and after others that
    /// do and are older.
    pub(super) fn ask_first(self) {
        self.link.node.set_rank(FIRST + (FIRST - self.number));
    }

    /// Takes the mock away; calls that run it go on.
    ///
    /// # Safety
    /// Once, on the thread that made the mock.
    pub(super) unsafe fn give_up(self) {
        remove(self);
        // SAFETY: removed, now or before, and the caller's promise.
        unsafe { self.link.node.give_up() };
    }
}

/// Ranks above it are those of mocks that demand a number of calls.
const FIRST: u64 = 1 << 62;

/// Begins a call of the mock that is asked after the one of this rank.
pub(super) fn begin_behind(site: &'static Site, rank: u64) -> Option<Begun> {
    table(site)?.begin(scope::current(), rank)
}

/// Calls a function with the records of all mocks that this thread sees.
pub(super) fn each_seen(site: &'static Site, each: impl FnMut(&Record)) {
    if let Some(table) = table(site) {
        let scope = scope::current();
        table.each(|of| sees(scope, of), each);
    }
}

fn table(site: &'static Site) -> Option<&'static Table> {
    let tables = TABLES.lock();
    let known = tables
        .as_ref()
        .and_then(|all| all.get(&ptr::from_ref(site).addr()));
    known.map(|known| known.table)
}

/// Puts a mock into the list of a site.
///
/// # Safety
/// The code is a function of the site's type.
unsafe fn add(
    site: &'static Site,
    scope: u64,
    code: *mut (),
    contents: Contents,
) -> Result<Installed, MockError> {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let shared = registry()?.shared();
    let mut tables = TABLES.lock();
    let known = *tables
        .get_or_insert_with(HashMap::new)
        .entry(ptr::from_ref(site).addr())
        .or_insert_with(new_table);
    let life = Life {
        number,
        scope,
        owner: scope::thread(),
        code,
    };
    let link = known.table.add(&life, contents);
    if known.table.live.fetch_add(1, Ordering::Relaxed) == 0 {
        let locked = shared.lock();
        let hook = SiteHook::of(site, &locked);
        // SAFETY: the slot answers what is in this site's table, where only `add` puts code.
        unsafe { hook.set_slot(Layer::Thread, Some(known.slot), &locked) };
        hook.attach(&locked);
    }
    Ok(Installed { site, link, number })
}

fn new_table() -> Known {
    let table: &'static Table = Box::leak(Box::new(Table {
        head: AtomicPtr::new(ptr::null_mut()),
        live: AtomicUsize::new(0),
    }));
    // SAFETY: `enter` keeps the rules of a slot; its data is a table, which lives for ever and in
    // which whatever changes is atomic.
    let slot = unsafe { Slot::new(enter, ptr::from_ref(table).cast()) };
    let slot = Box::leak(Box::new(slot));
    Known { table, slot }
}

/// Takes a mock away; false if it is gone already. Calls that run it go on.
fn remove(Installed { site, link, number }: Installed) -> bool {
    let tables = TABLES.lock();
    // Under the lock nothing becomes live, so the number stays what it is. The call keeps the
    // contents until the lock is free again: dropping them runs code of the test, which may
    // mock and reset.
    if !link.node.begin(number) {
        return false;
    }
    let known = tables
        .as_ref()
        .and_then(|all| all.get(&ptr::from_ref(site).addr()));
    let last = known.is_some_and(|known| known.table.live.fetch_sub(1, Ordering::Relaxed) == 1);
    if let (true, Ok(registry), Some(hook)) = (last, registry(), SiteHook::existing(site)) {
        let locked = registry.shared().lock();
        // SAFETY: nobody is asked.
        unsafe { hook.set_slot(Layer::Thread, None, &locked) };
        hook.settle(&locked);
    }
    link.node.retire();
    drop(tables);
    // SAFETY: begun above.
    unsafe { link.node.end() };
    true
}

/// Takes away what the calling test has in the place of a function.
pub(super) fn reset(site: &'static Site) -> bool {
    let mine = |link: &'static Link| {
        let (number, scope) = link.node.look()?;
        let mine = scope == scope::current() && scope != scope::NONE;
        mine.then_some(Installed { site, link, number })
    };
    let found: Vec<_> = links(site).into_iter().filter_map(mine).collect();
    let removed = found.into_iter().filter(|mock| remove(*mock));
    removed.count() > 0
}

/// Whether the calling thread would reach a test's mock.
pub(super) fn is_mocked(site: &'static Site) -> bool {
    let seen = |link: &&'static Link| {
        let live = link.node.look();
        live.is_some_and(|(_, of)| sees(scope::current(), of))
    };
    links(site).iter().any(seen)
}

fn links(site: &'static Site) -> Vec<&'static Link> {
    table(site).map_or_else(Vec::new, |table| table.links().collect())
}
