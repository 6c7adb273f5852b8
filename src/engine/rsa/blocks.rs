//! Products of numbers in 64-bit words, a block of words at a time: the kernels of `wide`.
//!
//! A number is a slice of words, least significant first. A product is made column by column
//! ("product scanning"): whatever meets in a word is summed before it is carried. What has a
//! block's length is unrolled.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "every index is a function of the modulus' length alone, and every sum's bound is stated and tested"
)]

/// Words that a step takes at once. Longer blocks make fewer passes over T, and longer code.
pub(super) const BLOCK: usize = 8;
/// Words of the longest modulus: 4096 bits.
pub(super) const LONGEST: usize = 64;

pub(super) type Block = [u64; BLOCK];
/// A number of any length in use, the words above it 0.
pub(super) type Number = [u64; LONGEST];

/// The sum of a column and the carry into the next: `low + high·2⁶⁴`. A product takes the lower
/// word along, a·b + low < 2¹²⁸, and leaves its upper word to be summed: a carry is never in
/// flight between the two. A column has at most LONGEST products, so `high` stays below 2⁷⁰.
struct Column {
    low: u64,
    high: u128,
}

impl Column {
    const ZERO: Column = Column { low: 0, high: 0 };

    #[inline(always)]
    fn add(&mut self, word: u64) {
        let (low, carry) = self.low.overflowing_add(word);
        self.low = low;
        self.high += u128::from(carry);
    }

    #[inline(always)]
    fn add_product(&mut self, a: u64, b: u64) {
        let product = u128::from(a) * u128::from(b) + u128::from(self.low);
        self.low = product as u64;
        self.high += product >> 64;
    }

    /// The lowest word; what is above it becomes the next column's.
    #[inline(always)]
    fn take(&mut self) -> u64 {
        let word = self.low;
        *self = Column { low: self.high as u64, high: self.high >> 64 };
        word
    }
}

/// `sum += a·b`, where `sum` has BLOCK words more than `b`, and `b` at least BLOCK words; the word
/// that is carried out.
#[inline(never)]
pub(super) fn add_product(sum: &mut [u64], a: &Block, b: &[u64]) -> u64 {
    let mut column = Column::ZERO;
    let windows = b.windows(BLOCK);
    // What is as long as a block at compile time is unrolled.
    let (Some((first, rest)), Some(lowest), Some(highest)) =
        (sum.split_first_chunk_mut::<{ BLOCK - 1 }>(), b.first_chunk::<BLOCK>(), b.last_chunk::<BLOCK>())
    else {
        return 0;
    };
    let Some((middle, last)) = rest.split_last_chunk_mut::<BLOCK>() else { return 0 };
    for (place, sum) in first.iter_mut().enumerate() {
        column.add(*sum);
        for row in 0..=place {
            column.add_product(a[row], lowest[place - row]);
        }
        *sum = column.take();
    }
    for (window, sum) in windows.zip(middle) {
        column.add(*sum);
        for row in 0..BLOCK {
            column.add_product(a[row], window[BLOCK - 1 - row]);
        }
        *sum = column.take();
    }
    for (place, sum) in last.iter_mut().enumerate() {
        column.add(*sum);
        for row in place + 1..BLOCK {
            column.add_product(a[row], highest[BLOCK + place - row]);
        }
        *sum = column.take();
    }
    column.take()
}

/// `a·b mod 2^(64·BLOCK)`.
#[inline(always)]
pub(super) fn low_product(a: &[u64], b: &Block) -> Block {
    let mut column = Column::ZERO;
    core::array::from_fn(|place| {
        for row in 0..=place {
            column.add_product(a[row], b[place - row]);
        }
        column.take()
    })
}

/// Adds a word, and carries as far as needed; what goes out of the number.
pub(super) fn carry_into(number: &mut [u64], mut carry: u64) -> u64 {
    for word in number {
        if carry == 0 {
            break;
        }
        let (sum, out) = word.overflowing_add(carry);
        (*word, carry) = (sum, u64::from(out));
    }
    carry
}

/// `a ← a − b mod 2^(64·length)`; whether a was below b.
pub(super) fn subtract(a: &mut [u64], b: &[u64]) -> bool {
    a.iter_mut().zip(b).fold(false, |borrow, (a, b)| {
        let (difference, below) = a.overflowing_sub(*b);
        let (difference, below_with_borrow) = difference.overflowing_sub(u64::from(borrow));
        *a = difference;
        below | below_with_borrow
    })
}

/// a < b, of one length.
pub(super) fn less(a: &[u64], b: &[u64]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// `sum += Σ aᵢ·aⱼ·2^(64·(i+j))` over i < j; the word that is carried out.
#[inline(never)]
pub(super) fn add_triangle(sum: &mut [u64; 2 * BLOCK], a: &Block) -> u64 {
    let mut column = Column::ZERO;
    let (lower, upper) = sum.split_at_mut(BLOCK);
    for (place, sum) in lower.iter_mut().take(BLOCK).enumerate() {
        column.add(*sum);
        for row in 0..place.div_ceil(2) {
            column.add_product(a[row], a[place - row]);
        }
        *sum = column.take();
    }
    for (place, sum) in upper.iter_mut().take(BLOCK).enumerate() {
        column.add(*sum);
        for row in place + 1..(place + BLOCK).div_ceil(2) {
            column.add_product(a[row], a[place + BLOCK - row]);
        }
        *sum = column.take();
    }
    column.take()
}

/// `sum ← 2·sum + Σ aᵢ²·2^(128·i)`: less than R² for the a² that it is.
pub(super) fn double_and_add_squares(sum: &mut [u64], a: &[u64]) {
    let (mut shifted_out, mut carry) = (0, 0_u128);
    for ([low, high], a) in sum.as_chunks_mut::<2>().0.iter_mut().zip(a) {
        let square = u128::from(*a) * u128::from(*a);
        let doubled = [*low << 1 | shifted_out, *high << 1 | *low >> 63];
        shifted_out = *high >> 63;
        carry += u128::from(doubled[0]) + u128::from(square as u64);
        *low = carry as u64;
        carry = (carry >> 64) + u128::from(doubled[1]) + (square >> 64);
        *high = carry as u64;
        carry >>= 64;
    }
}

/// Big-endian bytes into words that are 0.
pub(super) fn read(bytes: &[u8], words: &mut [u64]) {
    for (chunk, word) in bytes.rchunks(8).zip(words) {
        *word = chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
}

/// The lowest words as big-endian bytes, filling `bytes`.
pub(super) fn write(words: &[u64], bytes: &mut [u8]) {
    for (chunk, word) in bytes.rchunks_mut(8).zip(words) {
        let word = word.to_be_bytes();
        chunk.copy_from_slice(&word[word.len() - chunk.len()..]);
    }
}
