//! Functions to call, once in a crate that `hot` rewrites and once in one that it doesn't.
//!
//! Eight of a kind, of different lengths: a single one costs a cycle more or less, depending on
//! where it and the loop happen to lie.

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
pub fn free_0(x: u64) -> u64 {
    x.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 1_000_000
}

#[inline(never)]
pub fn free_1(x: u64) -> u64 {
    x.rotate_left(9).wrapping_add(1_000_000)
}

#[inline(never)]
pub fn free_2(x: u64) -> u64 {
    (x ^ 1_000_000).wrapping_mul(5)
}

#[inline(never)]
pub fn free_3(x: u64) -> u64 {
    x.wrapping_mul(x | 1).rotate_right(7) ^ 1_000_000
}

#[inline(never)]
pub fn free_4(x: u64) -> u64 {
    (x >> 7) ^ x ^ 1_000_000
}

#[inline(never)]
pub fn free_5(x: u64) -> u64 {
    x.wrapping_sub(1_000_000) ^ (x << 13)
}

#[inline(never)]
pub fn free_6(x: u64) -> u64 {
    (x.swap_bytes() ^ 1_000_000).wrapping_add(x)
}

#[inline(never)]
pub fn free_7(x: u64) -> u64 {
    (!x).wrapping_mul(0xBF58_476D_1CE4_E5B9)
        .wrapping_add(1_000_000)
}

impl Mixer {
    #[inline(never)]
    pub fn method_0(&self, x: u64, y: u64) -> u64 {
        let x = x ^ self.key ^ y;
        x.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 1_000_000
    }

    #[inline(never)]
    pub fn method_1(&self, x: u64, y: u64) -> u64 {
        let x = x ^ self.key ^ y;
        x.rotate_left(9).wrapping_add(1_000_000)
    }

    #[inline(never)]
    pub fn method_2(&self, x: u64, y: u64) -> u64 {
        let x = x ^ self.key ^ y;
        (x ^ 1_000_000).wrapping_mul(5)
    }

    #[inline(never)]
    pub fn method_3(&self, x: u64, y: u64) -> u64 {
        let x = x ^ self.key ^ y;
        x.wrapping_mul(x | 1).rotate_right(7) ^ 1_000_000
    }

    #[inline(never)]
    pub fn method_4(&self, x: u64, y: u64) -> u64 {
        let x = x ^ self.key ^ y;
        (x >> 7) ^ x ^ 1_000_000
    }

    #[inline(never)]
    pub fn method_5(&self, x: u64, y: u64) -> u64 {
        let x = x ^ self.key ^ y;
        x.wrapping_sub(1_000_000) ^ (x << 13)
    }

    #[inline(never)]
    pub fn method_6(&self, x: u64, y: u64) -> u64 {
        let x = x ^ self.key ^ y;
        (x.swap_bytes() ^ 1_000_000).wrapping_add(x)
    }

    #[inline(never)]
    pub fn method_7(&self, x: u64, y: u64) -> u64 {
        let x = x ^ self.key ^ y;
        (!x).wrapping_mul(0xBF58_476D_1CE4_E5B9)
            .wrapping_add(1_000_000)
    }
}

pub struct Kind0(pub u64);

impl Step for Kind0 {
    fn step(&self, x: u64) -> u64 {
        let x = x ^ self.0;
        x.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 1_000_000
    }
}

pub struct Kind1(pub u64);

impl Step for Kind1 {
    fn step(&self, x: u64) -> u64 {
        let x = x ^ self.0;
        x.rotate_left(9).wrapping_add(1_000_000)
    }
}

pub struct Kind2(pub u64);

impl Step for Kind2 {
    fn step(&self, x: u64) -> u64 {
        let x = x ^ self.0;
        (x ^ 1_000_000).wrapping_mul(5)
    }
}

pub struct Kind3(pub u64);

impl Step for Kind3 {
    fn step(&self, x: u64) -> u64 {
        let x = x ^ self.0;
        x.wrapping_mul(x | 1).rotate_right(7) ^ 1_000_000
    }
}

pub struct Kind4(pub u64);

impl Step for Kind4 {
    fn step(&self, x: u64) -> u64 {
        let x = x ^ self.0;
        (x >> 7) ^ x ^ 1_000_000
    }
}

pub struct Kind5(pub u64);

impl Step for Kind5 {
    fn step(&self, x: u64) -> u64 {
        let x = x ^ self.0;
        x.wrapping_sub(1_000_000) ^ (x << 13)
    }
}

pub struct Kind6(pub u64);

impl Step for Kind6 {
    fn step(&self, x: u64) -> u64 {
        let x = x ^ self.0;
        (x.swap_bytes() ^ 1_000_000).wrapping_add(x)
    }
}

pub struct Kind7(pub u64);

impl Step for Kind7 {
    fn step(&self, x: u64) -> u64 {
        let x = x ^ self.0;
        (!x).wrapping_mul(0xBF58_476D_1CE4_E5B9)
            .wrapping_add(1_000_000)
    }
}

/// One of each kind.
pub fn kinds(key: u64) -> [Box<dyn Step>; 8] {
    [
        Box::new(Kind0(key)),
        Box::new(Kind1(key)),
        Box::new(Kind2(key)),
        Box::new(Kind3(key)),
        Box::new(Kind4(key)),
        Box::new(Kind5(key)),
        Box::new(Kind6(key)),
        Box::new(Kind7(key)),
    ]
}

#[inline]
pub fn small(x: u64) -> u64 {
    (x >> 3) ^ 1_000_000
}
