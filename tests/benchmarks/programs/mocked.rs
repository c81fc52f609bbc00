//! Functions that aren't inlined, of different lengths.

#[inline(never)]
pub fn one(x: u64) -> u64 {
    x.wrapping_mul(3) + 1
}

#[inline(never)]
pub fn two(x: u64) -> u64 {
    (x ^ (x >> 3)).wrapping_mul(5)
}

#[inline(never)]
pub fn three(x: u64) -> u64 {
    let y = x.rotate_left(7) ^ x;
    y.wrapping_mul(7).wrapping_add(y >> 5)
}

#[inline(never)]
pub fn four(x: u64) -> u64 {
    if x % 3 == 0 {
        x / 3
    } else {
        x.wrapping_add(7)
    }
}

#[inline(never)]
pub fn other(x: u64) -> u64 {
    x
}

#[inline(never)]
pub fn generic<T: Copy>(x: T) -> T {
    x
}
