//! Memory that a plugin's initialisers ask for, before the plugin knows the allocator of its host:
//! it comes from the system's, and goes back there, whatever the host's allocator is by then.
//!
//! There is little of it, mostly none: then giving memory back costs one load more. Knows nothing
//! of hosts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The blocks that were given out early.
pub(super) struct Early {
    newest: AtomicPtr<Block>,
}

/// Never freed, so that the list can be walked without a lock.
struct Block {
    /// The block, null when it was given back.
    address: AtomicPtr<u8>,
    next: *mut Block,
}

impl Early {
    pub(super) const fn new() -> Self {
        Self {
            newest: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// A new block, or null.
    ///
    /// # Safety
    /// As for [`GlobalAlloc::alloc`].
    pub(super) unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the layout of a type that has a size.
        let block = unsafe { System.alloc(Layout::new::<Block>()) }.cast::<Block>();
        if block.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        let address = unsafe { System.alloc(layout) };
        let mut next = self.newest.load(Ordering::Relaxed);
        loop {
            let new = Block {
                address: AtomicPtr::new(address),
                next,
            };
            // SAFETY: room for one, which nobody else knows before the exchange succeeds.
            unsafe { block.write(new) };
            match self.newest.compare_exchange_weak(
                next,
                block,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return address,
                Err(newer) => next = newer,
            }
        }
    }

    /// Gives a block back, if it is one of these.
    ///
    /// # Safety
    /// The pointer and the layout are those of a block of some allocator, which nobody uses any
    /// more.
    pub(super) unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) -> bool {
        let found = self.take(pointer).is_some();
        if found {
            // SAFETY: `alloc` or `realloc` had it from the system, and the rest is the caller's
            // promise.
            unsafe { System.dealloc(pointer, layout) };
        }
        found
    }

    /// Another size for a block, if it is one of these: where it is now, or null.
    ///
    /// # Safety
    /// As for [`GlobalAlloc::realloc`], of whatever allocator the block is.
    pub(super) unsafe fn realloc(
        &self,
        pointer: *mut u8,
        layout: Layout,
        size: usize,
    ) -> Option<*mut u8> {
        let block = self.take(pointer)?;
        // SAFETY: `alloc` or this function had it from the system, and the rest is the caller's
        // promise.
        let moved = unsafe { System.realloc(pointer, layout, size) };
        let kept = if moved.is_null() { pointer } else { moved };
        block.address.store(kept, Ordering::Release);
        Some(moved)
    }

    /// The block at this address, which from now on has none.
    fn take(&self, pointer: *mut u8) -> Option<&Block> {
        let mut next = self.newest.load(Ordering::Acquire).cast_const();
        // SAFETY: null, or a block that `alloc` published with Release and that is never freed.
        while let Some(block) = unsafe { next.as_ref() } {
            let null = ptr::null_mut();
            let taken =
                block
                    .address
                    .compare_exchange(pointer, null, Ordering::AcqRel, Ordering::Relaxed);
            if taken.is_ok() {
                return Some(block);
            }
            next = block.next;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_known_until_they_are_given_back() {
        let early = Early::new();
        let (small, large) = (Layout::new::<u64>(), Layout::new::<[u64; 100]>());
        // SAFETY: layouts with a size; each block is given back once, with its layout.
        unsafe {
            let [one, two] = [small, large].map(|layout| early.alloc(layout));
            assert!(!one.is_null() && !two.is_null());
            one.cast::<u64>().write(7);
            let moved = early.realloc(one, small, large.size());
            let moved = moved.expect("one of these");
            assert_eq!(moved.cast::<u64>().read(), 7);
            assert!(early.dealloc(two, large) && !early.dealloc(two, large));
            let grown = Layout::from_size_align(large.size(), small.align()).expect("a layout");
            assert!(early.dealloc(moved, grown) && !early.dealloc(moved, grown));
        }
    }

    #[test]
    fn blocks_of_others_are_left_alone() {
        let early = Early::new();
        let layout = Layout::new::<u64>();
        // SAFETY: a layout with a size; given back once.
        unsafe {
            let own = early.alloc(layout);
            let other = System.alloc(layout);
            assert!(!early.dealloc(other, layout));
            assert!(early.realloc(other, layout, 16).is_none());
            System.dealloc(other, layout);
            assert!(early.dealloc(own, layout));
        }
    }
}
