//! Functions to call, once in a crate that `hot` rewrites and once in one that it doesn't.

pub struct Mixer {
    pub key: u64,
}

pub trait Step {
    fn step(&self, x: u64) -> u64;
}

/// Says which text is running.
#[inline(never)]
pub fn version() -> u64 {
    1_000_000
}

#[inline(never)]
pub fn free(x: u64) -> u64 {
    x.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 1_000_000
}

impl Mixer {
    #[inline(never)]
    pub fn method(&self, x: u64, y: u64) -> u64 {
        (x ^ self.key).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ y ^ 1_000_000
    }
}

impl Step for Mixer {
    fn step(&self, x: u64) -> u64 {
        (x ^ self.key).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 1_000_000
    }
}

#[inline]
pub fn small(x: u64) -> u64 {
    (x >> 3) ^ 1_000_000
}
