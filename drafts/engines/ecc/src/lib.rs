//! Elliptic-curve engines, as they shall stand in `src/engine/`; this file is not part of them.
mod limbs;
pub mod montgomery;
mod inverse;
mod weierstrass;
pub mod table;
pub mod curves;
pub mod ecdsa;

/// Why key material was refused: which number of the key, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDefect {
    /// The component by its name in RFC 7518 §6: `n`, `e`, `x`, `y` or `k`.
    pub component: &'static str,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl KeyDefect {
    pub(crate) fn new(component: &'static str, reason: impl Into<String>) -> Self {
        KeyDefect { component, reason: reason.into() }
    }
}

/// Chains of products, to be timed from outside.
#[cfg(feature = "bench")]
#[allow(missing_docs)]
pub mod bench {
    use super::montgomery::{Element, Modulus};

    pub fn mul<M: Modulus<L>, const L: usize>(n: u32) -> i32 {
        let (mut a, mut b) = (Element::<M, L>::from_limbs(M::R_SQUARED), Element::<M, L>::from_limbs(M::ONE));
        for _ in 0..n / 2 {
            a.set_product(&Element { ..a }, &b);
            b.set_product(&a, &Element { ..b });
        }
        a.limbs[0] ^ b.limbs[3]
    }

    pub fn square<M: Modulus<L>, const L: usize>(n: u32) -> i32 {
        let (mut a, mut b) = (Element::<M, L>::from_limbs(M::R_SQUARED), Element::<M, L>::from_limbs(M::ONE));
        for _ in 0..n / 2 {
            a.set_square(&b);
            b.set_square(&a);
        }
        a.limbs[0] ^ b.limbs[3]
    }
}
