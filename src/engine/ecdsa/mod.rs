//! ECDSA verification (FIPS 186-5 §6.4.2) for the algorithms ES256, ES384, ES512 (RFC 7518 §3.4) and ES256K (RFC 8812 §3.2).

pub mod montgomery;
pub mod element;
mod weierstrass;
pub mod table;
pub mod curves;

use core::{convert::Infallible, fmt, marker::PhantomData, num::NonZeroUsize};
use std::borrow::Cow;

use jwt_compact::{Algorithm, AlgorithmSignature};

use super::{
    KeyDefect, NotASignature,
    limbs::{from_bytes, less, plus, write_bytes},
    precompute::{Precomputable, Slot, TableSize},
};
use curves::{Curve, P256, P384, P521, Secp256k1};
use element::{Element, inverse};
use montgomery::Modulus;
use table::{Scalar, Table, straus};
use weierstrass::{Affine, Sum, is_on_curve};

/// The window width of the short tables that a verification without a key's table makes for itself: 16 multiples.
const SHORT: usize = 5;

/// ECDSA on the curve `C` with the hash that JOSE gives it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ecdsa<C, const L: usize>(PhantomData<C>);

/// ECDSA on P-256 with SHA-256.
pub type Es256 = Ecdsa<P256, 9>;
/// ECDSA on P-384 with SHA-384.
pub type Es384 = Ecdsa<P384, 14>;
/// ECDSA on P-521 with SHA-512.
pub type Es512 = Ecdsa<P521, 18>;
/// ECDSA on secp256k1 with SHA-256.
pub type Es256k = Ecdsa<Secp256k1, 9>;

/// A public key that was checked: a point on the curve other than infinity. Clones share its table.
#[derive(Clone)]
pub struct EcdsaKey<C: Curve<L>, const L: usize> {
    point: Affine<C::Field, L>,
    table: Slot<Table<C::Field, L>>,
}

impl<C: Curve<L>, const L: usize> EcdsaKey<C, L> {
    /// The length of a coordinate and of each half of a signature, in bytes.
    pub const COORDINATE: usize = C::Field::BYTES;

    /// A public key from its affine coordinates, big-endian, of the curve's full width (RFC 7518 §6.2.1).
    ///
    /// # Errors
    /// A coordinate of another length, or not below the field's prime; a point that is not on the curve, which is laid at `x`.
    pub fn from_coordinates(x: &[u8], y: &[u8]) -> Result<Self, KeyDefect> {
        let coordinate = |component, bytes: &[u8]| {
            if bytes.len() != Self::COORDINATE {
                let reason = format!("must be {} bytes and has {}", Self::COORDINATE, bytes.len());
                return Err(KeyDefect::new(component, reason));
            }
            from_bytes(bytes)
                .filter(|limbs| less(limbs, &C::Field::LIMBS))
                .map(Element::from_canonical)
                .ok_or_else(|| KeyDefect::new(component, "is not below the field's prime"))
        };
        let point = Affine { x: coordinate("x", x)?, y: coordinate("y", y)? };
        // The cofactor is 1, and b ≠ 0 keeps (0, 0) off the curve: every point on it is of order n. Infinity has no coordinates.
        if !is_on_curve::<C, L>(&point) {
            return Err(KeyDefect::new("x", "is not on the curve together with y"));
        }
        Ok(EcdsaKey { point, table: Slot::default() })
    }

    /// A public key from an uncompressed point (SEC 1 §2.3.3), as SubjectPublicKeyInfo holds it.
    ///
    /// # Errors
    /// Another encoding, or a point that is not on the curve.
    pub fn from_point(point: &[u8]) -> Result<Self, KeyDefect> {
        match point.split_first() {
            // The second half may be shorter or longer by the slice's length, which `from_coordinates` checks.
            Some((4, coordinates)) if coordinates.len() >= Self::COORDINATE => {
                let (x, y) = coordinates.split_at(Self::COORDINATE);
                Self::from_coordinates(x, y)
            }
            _ => Err(KeyDefect::new("x", "must be an uncompressed point: the byte 4 and both coordinates")),
        }
    }

    /// Bits of a window in a table of this size.
    fn width(size: TableSize) -> usize {
        let [_, default, wide] = C::WINDOWS;
        match size {
            TableSize::Default => default,
            TableSize::Wide => wide,
        }
    }

    /// FIPS 186-5 §6.4.2 from the hash on: R = (e/s)·G + (r/s)·Q is finite and its x is r modulo n.
    ///
    /// The leftmost bits of the hash, as many as n has, are e. Every hash of JOSE is a whole number of bytes no longer than n, so
    /// that they are cut at a byte. With tables, for windows of w bits, this is ⌈BITS/w⌉ additions (8M + 2S) a scalar.
    pub fn verify_hash(&self, signature: &EcdsaSignature<C, L>, hash: &[u8]) -> bool {
        let e = from_bytes::<L>(hash.get(..C::Order::BYTES).unwrap_or(hash));
        let scalars = e.zip(inverse::<C::Order, L>(&signature.s, &C::Order::R_SQUARED)).map(|(e, inverse)| {
            // R²/s; e·(R²/s)/R = (e/s)·R, and once more by 1/R, which is what `to_canonical` does.
            let inverse = Element::<C::Order, L>::from_limbs(inverse);
            [e, signature.r].map(|factor| {
                let scaled = Element::from_limbs(factor).mul(&inverse);
                Scalar::new::<C>(&scaled.to_canonical())
            })
        });
        scalars.is_some_and(|[u1, u2]| self.sum(&u1, &u2).is_some_and(|sum| has_x_modulo_order(&sum, &signature.r)))
    }

    /// u1·G + u2·Q: each from its table, or else from a short one that is made for this sum and has to be doubled along.
    fn sum(&self, u1: &Scalar<L>, u2: &Scalar<L>) -> Option<Sum<C, L>> {
        let mut sum = Sum::infinity();
        let generator = generator::<C, L>();
        let of_key = self.table.get();
        if of_key.is_some() {
            self.precompute_generator();
        }
        let of_generator = C::generator_table().get();
        let terms = [(&self.point, u2, of_key.as_deref()), (&generator, u1, of_generator)];
        let mut short = Vec::new();
        for (point, scalar, _) in terms.iter().filter(|(.., table)| table.is_none()) {
            short.push((Table::new::<C>(point, SHORT, 1)?, *scalar));
        }
        straus(&mut sum, SHORT, &short);
        for (_, scalar, table) in terms {
            if let Some(table) = table {
                table.add_multiple(&mut sum, scalar);
            }
        }
        Some(sum)
    }
}

impl<C: Curve<L>, const L: usize> Precomputable for EcdsaKey<C, L> {
    fn bytes_of(&self, size: TableSize) -> usize {
        Table::<C::Field, L>::bytes_of::<C>(Self::width(size))
    }

    fn table_bytes(&self) -> usize {
        self.table.get().map_or(0, |table| table.bytes())
    }

    fn precompute(&self, size: TableSize) {
        let width = Self::width(size);
        if self.table_bytes() != self.bytes_of(size) {
            let windows = Table::<C::Field, L>::windows::<C>(width);
            self.table.set(Table::new::<C>(&self.point, width, windows));
        }
    }

    fn forget_table(&self) {
        self.table.set(None);
    }

    /// Should another thread be faster, its table stands.
    fn precompute_generator(&self) {
        let [width, ..] = C::WINDOWS;
        if C::generator_table().get().is_none() {
            let table = Table::new::<C>(&generator::<C, L>(), width, Table::<C::Field, L>::windows::<C>(width));
            table.and_then(|table| C::generator_table().set(table).err());
        }
    }

    fn generator_table_bytes(&self) -> usize {
        C::generator_table().get().map_or(0, Table::bytes)
    }
}

impl<C: Curve<L>, const L: usize> fmt::Debug for EcdsaKey<C, L> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EcdsaKey").field("alg", &C::ALG).field("table_bytes", &self.table_bytes()).finish()
    }
}

fn generator<C: Curve<L>, const L: usize>() -> Affine<C::Field, L> {
    let (x, y) = C::G;
    Affine { x, y }
}

/// Whether the sum's x is r modulo n: x is r, or r + n where that is below p, since n < p < 2·n on these curves (Hasse).
fn has_x_modulo_order<C: Curve<L>, const L: usize>(sum: &Sum<C, L>, r: &[i32; L]) -> bool {
    let second = plus(r, &C::Order::LIMBS, 1);
    sum.has_x(r) || less(&second, &C::Field::LIMBS) && sum.has_x(&second)
}

/// r and s, each in 1..n.
#[derive(Clone, Debug)]
pub struct EcdsaSignature<C, const L: usize> {
    r: [i32; L],
    s: [i32; L],
    curve: PhantomData<C>,
}

impl<C: Curve<L>, const L: usize> EcdsaSignature<C, L> {
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (r, s) = bytes.split_at_checked(C::Order::BYTES).filter(|(_, s)| s.len() == C::Order::BYTES)?;
        let number =
            |bytes| from_bytes::<L>(bytes).filter(|number| *number != [0; L] && less(number, &C::Order::LIMBS));
        let (r, s) = number(r).zip(number(s))?;
        Some(EcdsaSignature { r, s, curve: PhantomData })
    }
}

impl<C: Curve<L>, const L: usize> EcdsaKey<C, L> {
    /// As [`engine::holds`](super::holds), without the errors of jwt-compact, which bring code along that shows them.
    pub(crate) fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = EcdsaSignature::from_bytes(signature);
        signature.is_some_and(|signature| self.verify_hash(&signature, &C::HASH.of(&[message])))
    }
}

impl<C: Curve<L>, const L: usize> AlgorithmSignature for EcdsaSignature<C, L> {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(C::Order::BYTES.saturating_mul(2));

    /// r and s, big-endian, one after the other (RFC 7518 §3.4).
    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        Ok(Self::from_bytes(slice).ok_or(NotASignature)?)
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        let mut bytes = vec![0; C::Order::BYTES.saturating_mul(2)];
        let (r, s) = bytes.split_at_mut(C::Order::BYTES);
        write_bytes(&self.r, r);
        write_bytes(&self.s, s);
        Cow::Owned(bytes)
    }
}

impl<C: Curve<L>, const L: usize> Algorithm for Ecdsa<C, L> {
    type SigningKey = Infallible;
    type VerifyingKey = EcdsaKey<C, L>;
    type Signature = EcdsaSignature<C, L>;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(C::ALG)
    }

    fn sign(&self, signing_key: &Infallible, _: &[u8]) -> Self::Signature {
        match *signing_key {}
    }

    fn verify_signature(&self, signature: &Self::Signature, key: &Self::VerifyingKey, message: &[u8]) -> bool {
        key.verify_hash(signature, &C::HASH.of(&[message]))
    }
}
