//! Ed25519 (RFC 8032 §5.1, RFC 8037 §3.1), verified strictly and without doublings: S·B − k·A is a
//! sum of table entries.

mod field;
mod scalar;
mod edwards;

use core::convert::Infallible;
use std::{borrow::Cow, sync::OnceLock};

use jwt_compact::{Algorithm, AlgorithmSignature};

use super::{
    KeyDefect, NotASignature,
    hash::Hash,
    precompute::{Precomputable, Slot, TableSize},
};
use edwards::{GENERATOR, Point, Table, double_multiple};

/// Bits of a window in the generator's table: 37 windows of 64 entries, 250 KiB, shared by all
/// keys.
const GENERATOR_WINDOW: u32 = 7;

/// Bits of a window in a key's table: 51 windows of 16 entries, 86 KiB.
const KEY_WINDOW: u32 = 5;

/// Bits of a window in the table of a hot key: 37 windows of 64 entries, 250 KiB, for fourteen
/// additions less.
const WIDE_WINDOW: u32 = 7;

/// The y-coordinates, encoded, of the eight points whose order divides 8: 0, 1, −1 and the two of
/// order 8.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
];

/// Whether a canonical encoding is that of a point of small order.
fn is_of_small_order(encoding: &[u8; 32]) -> bool {
    let mut y = *encoding;
    y[31] &= 0x7f;
    SMALL_ORDER.contains(&y)
}

/// A public key that has been checked: canonical, on the curve, not of small order. Clones share
/// the table.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    bytes: [u8; 32],
    /// −A.
    negated: Point,
    table: Slot<Table>,
}

impl VerifyingKey {
    /// A public key from its 32 bytes (RFC 8032 §5.1.5). About 255 squarings.
    ///
    /// # Errors
    /// Another length, no point of the curve, a second encoding of a point, or a point of small
    /// order, under which one signature holds for many messages.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyDefect> {
        let defect = |reason: &str| KeyDefect::new("x", reason);
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| defect("must be 32 bytes"))?;
        if is_of_small_order(bytes) {
            return Err(defect("is a weak key: a point of small order"));
        }
        let point =
            Point::from_bytes(bytes).ok_or_else(|| defect("is not the canonical encoding of a point of Ed25519"))?;
        Ok(VerifyingKey { bytes: *bytes, negated: point.negated(), table: Slot::default() })
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// S·B − k·A. With tables: 37 + 51 additions, or 37 + 37.
    fn recompute(&self, s: &[u32; 8], k: &[u32; 8]) -> Point {
        let Some(table) = self.table.get() else { return double_multiple(s, &GENERATOR, k, &self.negated) };
        let generator = GENERATOR_TABLE.get_or_init(|| Table::new(&GENERATOR, GENERATOR_WINDOW));
        table.add_multiple(generator.add_multiple(Point::NEUTRAL, s), k)
    }
}

/// The generator's table, once any key has one.
static GENERATOR_TABLE: OnceLock<Table> = OnceLock::new();

impl Precomputable for VerifyingKey {
    fn bytes_of(&self, size: TableSize) -> usize {
        Table::bytes(width(size))
    }

    fn table_bytes(&self) -> usize {
        self.table.get().map_or(0, |table| table.len_bytes())
    }

    fn precompute(&self, size: TableSize) {
        if self.table_bytes() != self.bytes_of(size) {
            self.table.set(Some(Table::new(&self.negated, width(size))));
        }
    }

    fn forget_table(&self) {
        self.table.set(None);
    }

    fn precompute_generator(&self) {
        GENERATOR_TABLE.get_or_init(|| Table::new(&GENERATOR, GENERATOR_WINDOW));
    }

    fn generator_table_bytes(&self) -> usize {
        GENERATOR_TABLE.get().map_or(0, Table::len_bytes)
    }
}

/// Bits of a window in a key's table of this size.
const fn width(size: TableSize) -> u32 {
    match size {
        TableSize::Default => KEY_WINDOW,
        TableSize::Wide => WIDE_WINDOW,
    }
}

/// R and S as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl VerifyingKey {
    /// As [`engine::holds`](super::holds), without the errors of jwt-compact, which bring code
    /// along that shows them.
    pub(crate) fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = signature.try_into().map(Signature);
        signature.is_ok_and(|signature| StrictEd25519.verify_signature(&signature, self, message))
    }
}

impl AlgorithmSignature for Signature {
    const LENGTH: Option<core::num::NonZeroUsize> = core::num::NonZeroUsize::new(64);

    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        slice.try_into().map(Signature).map_err(|_| NotASignature.into())
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

/// EdDSA with Ed25519, strict: S is canonical, R is canonical and not of small order.
/// jwt-compact's own accepts more (it calls `verify`), and two verifiers that differ on one
/// signature are what a denylist gets evaded with.
#[derive(Clone, Copy, Debug)]
pub struct StrictEd25519;

impl Algorithm for StrictEd25519 {
    type SigningKey = Infallible;
    type VerifyingKey = VerifyingKey;
    type Signature = Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("EdDSA")
    }

    fn sign(&self, signing_key: &Infallible, _: &[u8]) -> Signature {
        match *signing_key {}
    }

    fn verify_signature(&self, signature: &Signature, key: &VerifyingKey, message: &[u8]) -> bool {
        let Some((r, s)) = signature.0.split_first_chunk::<32>() else { return false };
        let Some(s) = s.first_chunk::<32>().and_then(scalar::from_canonical_bytes) else { return false };
        // Whoever equals the encoding computed below is canonical; what is left is the eight
        // points of small order.
        if is_of_small_order(r) {
            return false;
        }
        let k = scalar::from_wide_bytes(Hash::Sha512.of(&[r, &key.bytes, message]).padded());
        key.recompute(&s, &k).to_bytes() == *r
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_and_non_canonical_keys_are_refused() {
        let mut identity = [0u8; 32];
        identity[0] = 1;
        assert!(VerifyingKey::from_bytes(&identity).unwrap_err().reason.contains("weak"));
        assert!(VerifyingKey::from_bytes(&[0; 32]).unwrap_err().reason.contains("weak"));
        // y = p + 3, a second encoding of y = 3, which is a point of large order
        let mut twice = [0xff; 32];
        twice[0] = 0xf0;
        twice[31] = 0x7f;
        assert!(VerifyingKey::from_bytes(&twice).is_err());
        assert!(VerifyingKey::from_bytes(&[1; 31]).is_err());
    }
}
