//! The curves: y² = x³ + a·x + b over a prime field, with a base point G of prime order n and
//! cofactor 1.
//!
//! P-256, P-384 and P-521 are those of NIST SP 800-186 §3.2.1 (a = −3), secp256k1 that of SEC 2
//! §2.4.1 (a = 0).

use std::sync::OnceLock;

use super::{
    super::hash::Hash,
    element::Element,
    montgomery::Modulus,
    prime::Prime,
    table::Table,
    weierstrass::{Points, Sum},
};

/// A curve over a field of `L` limbs, and the ECDSA algorithm of RFC 7518 §3.4 or RFC 8812 §3.2
/// that is defined on it.
pub trait Curve<const L: usize>: Copy + Default + core::fmt::Debug + Send + Sync + 'static {
    /// The field's prime.
    type Field: Modulus<L>;
    /// The prime order n of the base point, which is that of every point but infinity.
    type Order: Modulus<L>;
    /// Whether a = −3; otherwise a = 0.
    const A_IS_MINUS_3: bool;
    /// b.
    const B: Element<Self::Field, L>;
    /// The base point's coordinates.
    const G: (Element<Self::Field, L>, Element<Self::Field, L>);

    /// The same as a value.
    fn parameters() -> &'static Parameters;
}

/// A curve to the code that all curves share, which knows their numbers as slices.
#[derive(Debug)]
pub struct Parameters {
    /// The name of the JOSE algorithm, and its hash.
    pub(super) alg: &'static str,
    pub(super) hash: Hash,
    pub(super) field: Prime,
    pub(super) order: Prime,
    pub(super) a_is_minus_3: bool,
    /// b, and the base point's coordinates.
    pub(super) b: &'static [i32],
    pub(super) generator: [&'static [i32]; 2],
    /// Window widths: of the generator's table, of a key's by default, of a key's when wide.
    pub(super) windows: [usize; 3],
    /// The curve's own arithmetic, at infinity.
    pub(super) infinity: fn() -> Box<dyn Points>,
    /// The generator's table, once it is built.
    pub(super) generator_table: OnceLock<Table>,
}

macro_rules! curve {
    ($curve:ident, $field:ident, $order:ident, $limbs:literal, $hash:ident, $alg:literal, a_is_minus_3: $a:literal, $(unrolled_twice: $twice:literal,)?
     windows: $windows:expr, p: $p:literal, n: $n:literal, b: $b:literal, x: $x:literal, y: $y:literal) => {
        #[doc = concat!("The field of ", stringify!($curve), ".")]
        #[derive(Clone, Copy, Debug)]
        pub struct $field;

        impl Modulus<$limbs> for $field {
            const HEX: &'static str = $p;
            const SPARSE: bool = true;
            $(const UNROLLED_TWICE: bool = $twice;)?
        }

        #[doc = concat!("The order of ", stringify!($curve), ".")]
        #[derive(Clone, Copy, Debug)]
        pub struct $order;

        impl Modulus<$limbs> for $order {
            const HEX: &'static str = $n;
            const SPARSE: bool = false;
        }

        #[doc = concat!("The curve of ", $alg, ".")]
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $curve;

        impl Curve<$limbs> for $curve {
            type Field = $field;
            type Order = $order;
            const A_IS_MINUS_3: bool = $a;
            const B: Element<$field, $limbs> = Element::from_hex($b);
            const G: (Element<$field, $limbs>, Element<$field, $limbs>) =
                (Element::from_hex($x), Element::from_hex($y));

            fn parameters() -> &'static Parameters {
                static PARAMETERS: Parameters = Parameters {
                    alg: $alg,
                    hash: Hash::$hash,
                    field: Prime::of::<$field, $limbs>(),
                    order: Prime::of::<$order, $limbs>(),
                    a_is_minus_3: $a,
                    b: &<$curve>::B.limbs,
                    generator: [&<$curve>::G.0.limbs, &<$curve>::G.1.limbs],
                    windows: $windows,
                    infinity: || Box::new(Sum::<$curve, $limbs>::infinity()),
                    generator_table: OnceLock::new(),
                };
                &PARAMETERS
            }
        }
    };
}

curve! {
    P256, P256Field, P256Order, 9, Sha256, "ES256", a_is_minus_3: true, unrolled_twice: true, windows: [8, 6, 8],
    p: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    n: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
    x: "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
    y: "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
}

curve! {
    P384, P384Field, P384Order, 14, Sha384, "ES384", a_is_minus_3: true, windows: [6, 5, 6],
    p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
    n: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    b: "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
    x: "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
    y: "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f"
}

curve! {
    P521, P521Field, P521Order, 18, Sha512, "ES512", a_is_minus_3: true, windows: [6, 5, 6],
    p: "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    n: "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    b: "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
    x: "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
    y: "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650"
}

curve! {
    Secp256k1, Secp256k1Field, Secp256k1Order, 9, Sha256, "ES256K", a_is_minus_3: false, windows: [8, 6, 8],
    p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
    n: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    b: "07",
    x: "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    y: "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
}
