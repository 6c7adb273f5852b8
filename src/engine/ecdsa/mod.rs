//! ECDSA verification (FIPS 186-5 §6.4.2) for the algorithms ES256, ES384, ES512 (RFC 7518 §3.4)
//! and ES256K (RFC 8812 §3.2).

pub mod montgomery;
mod prime;
pub mod element;
mod weierstrass;
pub mod table;
pub mod curves;

use core::{convert::Infallible, fmt, marker::PhantomData, num::NonZeroUsize};
use std::borrow::Cow;

use jwt_compact::{Algorithm, AlgorithmSignature};

use super::{
    KeyDefect, NotASignature,
    limbs::{Number, WIDEST, add, less, widened, write_bytes},
    precompute::{Precomputable, Slot, TableSize},
};
use curves::{Curve, P256, P384, P521, Parameters, Secp256k1};
use montgomery::Modulus;
use prime::Prime;
use table::{Scalar, Table, straus};
use weierstrass::Points;

/// The window width of the short tables that a verification without a key's table makes for
/// itself: 16 multiples.
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
pub struct EcdsaKey<C: Curve<L>, const L: usize>(Key, PhantomData<C>);

/// A key of any curve: what works with all of them is there once and not once a curve.
#[derive(Clone)]
struct Key {
    curve: &'static Parameters,
    /// Both coordinates in Montgomery form.
    point: Vec<i32>,
    table: Slot<Table>,
}

impl<C: Curve<L>, const L: usize> EcdsaKey<C, L> {
    /// The length of a coordinate and of each half of a signature, in bytes.
    pub const COORDINATE: usize = C::Field::BYTES;

    /// A public key from its affine coordinates, big-endian, of the curve's full width (RFC 7518
    /// §6.2.1).
    ///
    /// # Errors
    /// A coordinate of another length, or not below the field's prime; a point that is not on the
    /// curve, which is laid at `x`.
    pub fn from_coordinates(x: &[u8], y: &[u8]) -> Result<Self, KeyDefect> {
        Key::from_coordinates(C::parameters(), x, y).map(|key| EcdsaKey(key, PhantomData))
    }

    /// A public key from an uncompressed point (SEC 1 §2.3.3), as SubjectPublicKeyInfo holds it.
    ///
    /// # Errors
    /// Another encoding, or a point that is not on the curve.
    pub fn from_point(point: &[u8]) -> Result<Self, KeyDefect> {
        Key::from_point(C::parameters(), point).map(|key| EcdsaKey(key, PhantomData))
    }

    /// FIPS 186-5 §6.4.2 from the hash on.
    pub fn verify_hash(&self, signature: &EcdsaSignature<C, L>, hash: &[u8]) -> bool {
        self.0.verify(&signature.halves, hash)
    }

    /// As [`engine::holds`](super::holds), without the errors of jwt-compact, which bring code
    /// along that shows them.
    pub(crate) fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        let curve = self.0.curve;
        halves(&curve.order, signature).is_some_and(|halves| self.0.verify(&halves, &curve.hash.of(&[message])))
    }
}

impl Key {
    fn from_coordinates(curve: &'static Parameters, x: &[u8], y: &[u8]) -> Result<Self, KeyDefect> {
        let field = &curve.field;
        let products = (curve.infinity)();
        let mut point = Vec::with_capacity(field.modulus.len().saturating_mul(2));
        for (component, bytes) in [("x", x), ("y", y)] {
            if bytes.len() != field.bytes {
                let reason =
                    ["must be ", &field.bytes.to_string(), " bytes and has ", &bytes.len().to_string()].concat();
                return Err(KeyDefect::new(component, reason));
            }
            let number =
                field.residue(bytes).ok_or_else(|| KeyDefect::new(component, "is not below the field's prime"))?;
            point.extend(field.cut(&products.product_minus(&number, &field.r_squared(), &ZERO)));
        }
        let key = Key { curve, point, table: Slot::default() };
        // The cofactor is 1, and b ≠ 0 keeps (0, 0) off the curve: every point on it is of order
        // n. Infinity has no coordinates.
        if !key.is_on_curve() {
            return Err(KeyDefect::new("x", "is not on the curve together with y"));
        }
        Ok(key)
    }

    fn from_point(curve: &'static Parameters, point: &[u8]) -> Result<Self, KeyDefect> {
        match point.split_first() {
            // The second half may be shorter or longer by the slice's length, which
            // `from_coordinates` checks.
            Some((4, coordinates)) if coordinates.len() >= curve.field.bytes => {
                let (x, y) = coordinates.split_at(curve.field.bytes);
                Self::from_coordinates(curve, x, y)
            }
            _ => Err(KeyDefect::new("x", "must be an uncompressed point: the byte 4 and both coordinates")),
        }
    }

    /// x³ + a·x + b − y² = 0 (SEC 1 §2.2.1). 4M.
    fn is_on_curve(&self) -> bool {
        let (field, products) = (&self.curve.field, (self.curve.infinity)());
        let (x, y) = self.point.split_at(field.modulus.len());
        let (x, y) = (widened(x), widened(y));
        // (x² + a)·x + b − y²
        let square = products.product_minus(&x, &x, &ZERO);
        let a = if self.curve.a_is_minus_3 { -3 } else { 0 };
        let slope = field.combined(1, &square, a, &widened(field.one));
        let right = products.product_minus(&slope, &x, &ZERO);
        let right = field.combined(1, &right, 1, &widened(self.curve.b));
        field.is_zero(field.combined(1, &right, -1, &products.product_minus(&y, &y, &ZERO)))
    }

    /// Bits of a window in a table of this size.
    fn width(&self, size: TableSize) -> usize {
        let [_, default, wide] = self.curve.windows;
        match size {
            TableSize::Default => default,
            TableSize::Wide => wide,
        }
    }

    /// FIPS 186-5 §6.4.2 from the hash on: R = (e/s)·G + (r/s)·Q is finite and its x is r modulo n.
    ///
    /// The leftmost bits of the hash, as many as n has, are e. Every hash of JOSE is a whole
    /// number of bytes no longer than n, so that they are cut at a byte. With tables, for windows
    /// of w bits, this is ⌈BITS/w⌉ additions (8M + 2S) a scalar.
    fn verify(&self, [r, s]: &[Number; 2], hash: &[u8]) -> bool {
        let order = &self.curve.order;
        let e = order.below_r(hash.get(..order.bytes).unwrap_or(hash));
        let Some((e, inverse)) = e.zip(order.inverted(*s)) else { return false };
        // R²/s; e·(R²/s)/R = (e/s)·R, and once more by 1/R.
        let [u1, u2] = [&e, r].map(|factor| {
            let scaled = order.product(&order.product(factor, &inverse), &UNIT);
            Scalar::new(self.curve, &order.canonical(scaled))
        });
        self.sum(&u1, &u2).is_some_and(|sum| has_x_modulo_order(self.curve, &*sum, r))
    }

    /// u1·G + u2·Q: each from its table, or else from a short one that is made for this sum and
    /// has to be doubled along.
    fn sum(&self, u1: &Scalar, u2: &Scalar) -> Option<Box<dyn Points>> {
        let curve = self.curve;
        let mut sum = (curve.infinity)();
        let of_key = self.table.get();
        if of_key.is_some() {
            self.precompute_generator();
        }
        let generator = curve.generator.concat();
        let terms = [(&self.point, u2, of_key.as_deref()), (&generator, u1, curve.generator_table.get())];
        let mut short = Vec::new();
        for (point, scalar, _) in terms.iter().filter(|(.., table)| table.is_none()) {
            short.push((Table::new(curve, point, SHORT, 1)?, *scalar));
        }
        straus(curve, &mut *sum, SHORT, &short);
        for (_, scalar, table) in terms {
            if let Some(table) = table {
                table.add_multiple(curve, &mut *sum, scalar);
            }
        }
        Some(sum)
    }

    fn table_bytes(&self) -> usize {
        self.table.get().map_or(0, |table| table.bytes())
    }

    fn bytes_of(&self, size: TableSize) -> usize {
        Table::bytes_of(self.curve, self.width(size))
    }

    fn precompute(&self, size: TableSize) {
        let width = self.width(size);
        if self.table_bytes() != self.bytes_of(size) {
            let windows = Table::windows(self.curve, width);
            self.table.set(Table::new(self.curve, &self.point, width, windows));
        }
    }

    /// Should another thread be faster, its table stands.
    fn precompute_generator(&self) {
        let [width, ..] = self.curve.windows;
        if self.curve.generator_table.get().is_none() {
            let generator = self.curve.generator.concat();
            let table = Table::new(self.curve, &generator, width, Table::windows(self.curve, width));
            table.and_then(|table| self.curve.generator_table.set(table).err());
        }
    }
}

impl<C: Curve<L>, const L: usize> Precomputable for EcdsaKey<C, L> {
    fn bytes_of(&self, size: TableSize) -> usize {
        self.0.bytes_of(size)
    }

    fn table_bytes(&self) -> usize {
        self.0.table_bytes()
    }

    fn precompute(&self, size: TableSize) {
        self.0.precompute(size);
    }

    fn forget_table(&self) {
        self.0.table.set(None);
    }

    fn precompute_generator(&self) {
        self.0.precompute_generator();
    }

    fn generator_table_bytes(&self) -> usize {
        self.0.curve.generator_table.get().map_or(0, Table::bytes)
    }
}

impl<C: Curve<L>, const L: usize> fmt::Debug for EcdsaKey<C, L> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alg = self.0.curve.alg;
        formatter.debug_struct("EcdsaKey").field("alg", &alg).field("table_bytes", &self.0.table_bytes()).finish()
    }
}

const ZERO: Number = [0; WIDEST];
/// 1, not in Montgomery form: a product with it takes the other factor out of that form.
const UNIT: Number = {
    let mut unit = ZERO;
    unit[0] = 1;
    unit
};

/// Whether the sum's x is r modulo n: x is r, or r + n where that is below p, since n < p < 2·n on
/// these curves (Hasse).
fn has_x_modulo_order(curve: &Parameters, sum: &dyn Points, r: &Number) -> bool {
    let mut second = *r;
    add(&mut second, &widened(curve.order.modulus), 1);
    has_x(curve, sum, r) || less(&second, &widened(curve.field.modulus)) && has_x(curve, sum, &second)
}

/// Whether x ≡ `number` modulo p, without an inversion: number·ZZ = X. `number` is plain (not in
/// Montgomery form), in [0, p).
fn has_x(curve: &Parameters, sum: &dyn Points, number: &Number) -> bool {
    sum.coordinates().is_some_and(|[x, _, zz, _]| {
        // X/R and number·ZZ/R are both out of Montgomery form
        let x = sum.product_minus(&x, &UNIT, &ZERO);
        curve.field.is_zero(sum.product_minus(number, &zz, &x))
    })
}

/// r and s, each in 1..n.
#[derive(Clone, Debug)]
pub struct EcdsaSignature<C, const L: usize> {
    halves: [Number; 2],
    curve: PhantomData<C>,
}

/// The halves of a signature, each in 1..n.
fn halves(order: &Prime, signature: &[u8]) -> Option<[Number; 2]> {
    let (r, s) = signature.split_at_checked(order.bytes).filter(|(_, s)| s.len() == order.bytes)?;
    let number = |bytes| order.residue(bytes).filter(|number| *number != ZERO);
    number(r).zip(number(s)).map(|(r, s)| [r, s])
}

impl<C: Curve<L>, const L: usize> AlgorithmSignature for EcdsaSignature<C, L> {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(C::Order::BYTES.saturating_mul(2));

    /// r and s, big-endian, one after the other (RFC 7518 §3.4).
    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        let halves = halves(&C::parameters().order, slice).ok_or(NotASignature)?;
        Ok(EcdsaSignature { halves, curve: PhantomData })
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        let mut bytes = vec![0; C::Order::BYTES.saturating_mul(2)];
        let halves = bytes.chunks_exact_mut(C::Order::BYTES);
        halves.zip(&self.halves).for_each(|(half, number)| write_bytes(number, half));
        Cow::Owned(bytes)
    }
}

impl<C: Curve<L>, const L: usize> Algorithm for Ecdsa<C, L> {
    type SigningKey = Infallible;
    type VerifyingKey = EcdsaKey<C, L>;
    type Signature = EcdsaSignature<C, L>;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(C::parameters().alg)
    }

    fn sign(&self, signing_key: &Infallible, _: &[u8]) -> Self::Signature {
        match *signing_key {}
    }

    fn verify_signature(&self, signature: &Self::Signature, key: &Self::VerifyingKey, message: &[u8]) -> bool {
        key.verify_hash(signature, &C::parameters().hash.of(&[message]))
    }
}
