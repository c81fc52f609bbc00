//! Machine code as bytes, with what it does in words beside it.

use super::*;

/// Calls and jumps at these places lead out of the function; of those in `formats`, the callee
/// takes no address.
struct Outside {
    all: Vec<usize>,
    formats: Vec<usize>,
}

impl References for Outside {
    fn is_any(&self, place: Range<usize>) -> bool {
        self.all.iter().any(|at| place.contains(at))
    }

    fn takes_none(&self, place: Range<usize>) -> bool {
        self.formats.iter().any(|at| place.contains(at))
    }
}

#[track_caller]
fn check(code: &[u8], at: usize, expected: AddressUse) {
    let outside = Outside {
        all: vec![at],
        formats: Vec::new(),
    };
    assert_eq!(address_use(code, at, &outside), expected);
}

#[test]
fn a_call_is_told_from_an_address_that_is_kept() {
    // call *f(%rip); call f; jmp f
    check(b"\x90\xff\x15\0\0\0\0", 3, AddressUse::Called);
    check(b"\xe8\0\0\0\0", 1, AddressUse::Called);
    check(b"\xe9\0\0\0\0", 1, AddressUse::Called);
    // mov f(%rip), %rax; mov %rsp, %rdi; call *%rax
    check(
        b"\x48\x8b\x05\0\0\0\0\x48\x89\xe7\xff\xd0",
        3,
        AddressUse::Called,
    );
    // The same, and %rax becomes an argument.
    check(
        b"\x48\x8b\x05\0\0\0\0\x48\x89\xc7\xff\xd0",
        3,
        AddressUse::Kept,
    );
    // lea f(%rip), %rdi; call g
    check(b"\x48\x8d\x3d\0\0\0\0\xe8\0\0\0\0", 3, AddressUse::Kept);
    // lea f(%rip), %rax; ret
    check(b"\x48\x8d\x05\0\0\0\0\xc3", 3, AddressUse::Kept);
    // mov f(%rip), %rax; mov %rax, (%rdi); ret
    check(b"\x48\x8b\x05\0\0\0\0\x48\x89\x07\xc3", 3, AddressUse::Kept);
}

#[test]
fn a_register_that_outlives_a_call_is_followed() {
    // mov f(%rip), %rbx; call *%rbx; xor %ebx, %ebx; mov %rbx, (%r14); ret
    check(
        b"\x48\x8b\x1d\0\0\0\0\xff\xd3\x31\xdb\x49\x89\x1e\xc3",
        3,
        AddressUse::Called,
    );
    // Called, then stored.
    check(
        b"\x48\x8b\x1d\0\0\0\0\xff\xd3\x49\x89\x1e\xc3",
        3,
        AddressUse::Kept,
    );
    // mov f(%rip), %rbx; call *%rbx; je +4; ret; nop*3; mov %rbx, (%r14)
    check(
        b"\x48\x8b\x1d\0\0\0\0\xff\xd3\x74\x04\xc3\x90\x90\x90\x49\x89\x1e\xc3",
        3,
        AddressUse::Kept,
    );
    // The same behind a `ret` to which nothing jumps: where the call unwinds to.
    check(
        b"\x48\x8b\x1d\0\0\0\0\xff\xd3\xc3\x49\x89\x1e\xc3",
        3,
        AddressUse::Kept,
    );
}

#[test]
fn the_frame_is_told_from_other_memory() {
    // mov f(%rip), %rax; mov %rax, 16(%rsp); lea 8(%rsp), %rdi; call g
    let stored = b"\x48\x8b\x05\0\0\0\0\x48\x89\x44\x24\x10\x48\x8d\x7c\x24\x08\xe8\0\0\0\0\xc3";
    check(stored, 3, AddressUse::InFrame);
    // Read again and returned: mov 16(%rsp), %rax; ret
    let again = [&stored[..stored.len() - 1], b"\x48\x8b\x44\x24\x10\xc3"].concat();
    check(&again, 3, AddressUse::Kept);
    // mov f(%rip), %rcx; mov %rcx, 16(%rsp); call g: %rcx may be its argument, unless g is known.
    let rest = b"\x48\x8b\x0d\0\0\0\0\x48\x89\x4c\x24\x10\xe8\0\0\0\0\xc3";
    check(rest, 3, AddressUse::Kept);
    let known = Outside {
        all: vec![3, 13],
        formats: vec![13],
    };
    assert_eq!(address_use(rest, 3, &known), AddressUse::InFrame);
    // movq %rax, %xmm0; movups %xmm0, 16(%rsp)
    check(
        b"\x48\x8b\x05\0\0\0\0\x66\x48\x0f\x6e\xc0\x0f\x11\x44\x24\x10\xc3",
        3,
        AddressUse::Kept,
    );
}

#[test]
fn what_is_put_aside_is_told_from_objects() {
    // mov f(%rip), %rax; mov %rax, 32(%rsp); call *%rax; …; mov 32(%rsp), %rax; call *%rax; ret
    let with = |between: &[u8]| {
        let before = b"\x48\x8b\x05\0\0\0\0\x48\x89\x44\x24\x20\xff\xd0";
        [before, between, b"\x48\x8b\x44\x24\x20\xff\xd0", b"\xc3"].concat()
    };
    check(&with(b""), 3, AddressUse::Called);
    // mov %rax, 32(%rsp); call *32(%rsp)
    let at_once = b"\x48\x8b\x05\0\0\0\0\x48\x89\x44\x24\x20\xff\x54\x24\x20\xc3";
    check(at_once, 3, AddressUse::Called);
    // An object above it: lea 40(%rsp), %rdi; call g
    check(
        &with(b"\x48\x8d\x7c\x24\x28\xe8\0\0\0\0"),
        3,
        AddressUse::Called,
    );
    // One of which it may be a part: lea 24(%rsp), %rdi, and lea 32(%rsp), %rdi
    check(
        &with(b"\x48\x8d\x7c\x24\x18\xe8\0\0\0\0"),
        3,
        AddressUse::InFrame,
    );
    check(
        &with(b"\x48\x8d\x7c\x24\x20\xe8\0\0\0\0"),
        3,
        AddressUse::Kept,
    );
    // mov %rsp, %rdi; call g
    check(&with(b"\x48\x89\xe7\xe8\0\0\0\0"), 3, AddressUse::InFrame);
    // A list: mov 48(%rsp,%rcx,8), %rdx
    check(&with(b"\x48\x8b\x54\xcc\x30"), 3, AddressUse::InFrame);
    // Distances change: push %rbx
    check(&with(b"\x53"), 3, AddressUse::InFrame);
    // It is an argument that is passed in the frame: nobody takes it up.
    let passed = b"\x48\x8b\x05\0\0\0\0\x48\x89\x04\x24\xe8\0\0\0\0\xc3";
    check(passed, 3, AddressUse::InFrame);
    // Taken up, and stored elsewhere: mov %rax, (%rbx)
    let moved = b"\x48\x8b\x05\0\0\0\0\x48\x89\x44\x24\x20\x48\x8b\x44\x24\x20\x48\x89\x03\xc3";
    check(moved, 3, AddressUse::Kept);
}
