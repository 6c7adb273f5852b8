//! Points of a short Weierstrass curve y² = x³ + a·x + b of prime order, a ∈ {−3, 0}.
//!
//! A sum is held in XYZZ coordinates: (X, Y, ZZ, ZZZ) with x = X/ZZ, y = Y/ZZZ and ZZ³ = ZZZ²
//! (Explicit-Formulas Database, “shortw/xyzz”). Its mixed addition is 8M + 2S, one squaring less
//! than Jacobian coordinates, and the doublings at which it is slower are rare here. Table points
//! are affine.
//!
//! # Bounds
//! Table coordinates lie in [−2⁻²⁰·p, p + 2⁻²⁰·p]. Of a sum, in units of p where R ≥ 32·p,
//! additions and doublings reproduce −4 ≤ X ≤ 1.8, −2 ≤ Y ≤ 2 and −0.4 ≤ ZZ, ZZZ ≤ 1.4,
//! with |P|, |R| and |Q − X'| below 8 (test `sums_stay_within_their_bounds`); where R = 2·p every
//! product is folded into [−2⁻²⁰·p, p + 2⁻²⁰·p] besides.

use super::{
    super::limbs::{Number, widened},
    curves::Curve,
    element::Element,
    montgomery::Modulus,
};

/// The arithmetic of one curve to the code that all curves share: a sum of points, and the
/// products of the field. A point is its two coordinates in a slice; numbers have the field's
/// limbs, the others are 0.
pub(crate) trait Points {
    /// The sum += point, or −= where `negative`.
    fn add(&mut self, point: &[i32], negative: bool);

    /// The sum, twice.
    fn double(&mut self);

    /// X, Y, ZZ and ZZZ; `None` at infinity.
    fn coordinates(&self) -> Option<[Number; 4]>;

    /// a·b/R − c, as [`Element::set_product_minus`].
    fn product_minus(&self, a: &Number, b: &Number, c: &Number) -> Number;

    /// a²/R − b − 2·c, as [`Element::set_square_minus`].
    fn square_minus(&self, a: &Number, b: &Number, c: &Number) -> Number;
}

/// X, Y, ZZ and ZZZ.
#[derive(Clone, Debug)]
pub(crate) struct Xyzz<F, const L: usize> {
    pub(crate) x: Element<F, L>,
    pub(crate) y: Element<F, L>,
    pub(crate) zz: Element<F, L>,
    pub(crate) zzz: Element<F, L>,
}

/// A sum of points. An addition reads one of two sets of coordinates and writes the other, and its
/// intermediate results live with the sum: copying and clearing 36 bytes costs WebAssembly more
/// than a reduction's carries.
#[derive(Clone, Debug)]
pub(crate) struct Sum<C: Curve<L>, const L: usize> {
    infinite: bool,
    second: bool,
    coordinates: [Xyzz<C::Field, L>; 2],
    scratch: Scratch<C::Field, L>,
}

/// P, R, P², P³, Q of an addition, and −Y or Y.
#[derive(Clone, Debug)]
struct Scratch<F, const L: usize> {
    p: Element<F, L>,
    r: Element<F, L>,
    pp: Element<F, L>,
    ppp: Element<F, L>,
    q: Element<F, L>,
    other: Element<F, L>,
}

impl<C: Curve<L>, const L: usize> Sum<C, L> {
    /// The point at infinity.
    pub(crate) fn infinity() -> Self {
        let zero = Element::ZERO;
        let scratch = Scratch { p: zero, r: zero, pp: zero, ppp: zero, q: zero, other: zero };
        let none = Xyzz { x: zero, y: zero, zz: zero, zzz: zero };
        Sum { infinite: true, second: false, coordinates: [none.clone(), none], scratch }
    }
}

impl<C: Curve<L>, const L: usize> Points for Sum<C, L> {
    /// self += point, or −= where `negative`: “madd-2008-s”, 8M + 2S, with every exception:
    /// infinity + P, P + P, P − P.
    ///
    /// P = x₂·ZZ − X, R = y₂·ZZZ − Y, Q = X·P², X' = R² − P³ − 2·Q, Y' = R·(Q − X') − Y·P³, ZZ' =
    /// ZZ·P², ZZZ' = ZZZ·P³. P = 0 says that x is the same; then R = 0 that y is, too. For −point,
    /// R has the other sign: R = y₂·ZZZ + Y is used and Y' = R·(X' − Q) − Y·P³, which spares
    /// negating y₂.
    fn add(&mut self, point: &[i32], negative: bool) {
        let Some((x, rest)) = point.split_first_chunk::<L>() else { return };
        let Some(y) = rest.first_chunk::<L>() else { return };
        let [first, second] = &mut self.coordinates;
        let (from, to) = if self.second { (second, first) } else { (first, second) };
        let s = &mut self.scratch;
        if self.infinite {
            self.infinite = false;
            from.x = Element::from_limbs(*x);
            from.y.set_signed(&Element::from_limbs(*y), negative);
            from.y = from.y.combined(1, &Element::ZERO, 0);
            (from.zz, from.zzz) = (Element::ONE, Element::ONE);
            return;
        }
        s.p.set_product_minus(x, &from.zz, &from.x);
        s.other.set_signed(&from.y, negative);
        s.r.set_product_minus(y, &from.zzz, &s.other);
        if s.p.is_zero() {
            if s.r.is_zero() {
                self.double();
            } else {
                self.infinite = true;
            }
            return;
        }
        s.pp.set_square(&s.p);
        s.ppp.set_product(&s.p, &s.pp);
        s.q.set_product(&from.x, &s.pp);
        to.zz.set_product(&from.zz, &s.pp);
        to.zzz.set_product(&from.zzz, &s.ppp);
        to.x.set_square_minus(&s.r, &s.ppp, &s.q);
        s.other.set_product(&from.y, &s.ppp);
        if negative {
            s.pp.set_difference(&to.x, &s.q);
        } else {
            s.pp.set_difference(&s.q, &to.x);
        }
        to.y.set_product_minus(&s.pp.limbs, &s.r, &s.other);
        self.second = !self.second;
    }

    /// self = 2·self: “dbl-2008-s-1”, 7M + 2S for a = −3, 6M + 3S for a = 0. The order is odd, so
    /// that Y ≠ 0.
    ///
    /// U = 2·Y, V = U², W = U·V, S = X·V, M = 3·X² + a·ZZ², X' = M² − 2·S, Y' = M·(S − X') − W·Y,
    /// ZZ' = V·ZZ, ZZZ' = W·ZZZ; for a = −3, M = 3·(X − ZZ)·(X + ZZ).
    fn double(&mut self) {
        if self.infinite {
            return;
        }
        let [first, second] = &mut self.coordinates;
        let (from, to) = if self.second { (second, first) } else { (first, second) };
        let s = &mut self.scratch;
        let zero = Element::ZERO;
        let u = from.y.combined(2, &zero, 0);
        s.pp.set_square(&u);
        s.ppp.set_product(&u, &s.pp);
        s.q.set_product(&from.x, &s.pp);
        let third = if C::A_IS_MINUS_3 {
            from.x.combined(1, &from.zz, -1).mul(&from.x.combined(1, &from.zz, 1))
        } else {
            from.x.square()
        };
        s.r = third.combined(3, &zero, 0);
        to.x.set_square_minus(&s.r, &zero, &s.q);
        s.p.set_difference(&s.q, &to.x);
        s.other.set_product(&s.ppp, &from.y);
        to.y.set_product_minus(&s.p.limbs, &s.r, &s.other);
        to.zz.set_product(&from.zz, &s.pp);
        to.zzz.set_product(&from.zzz, &s.ppp);
        self.second = !self.second;
    }

    fn coordinates(&self) -> Option<[Number; 4]> {
        let [first, second] = &self.coordinates;
        let Xyzz { x, y, zz, zzz } = if self.second { second } else { first };
        (!self.infinite).then(|| [x, y, zz, zzz].map(|element| widened(&element.limbs)))
    }

    fn product_minus(&self, a: &Number, b: &Number, c: &Number) -> Number {
        let [a, b, c] = [a, b, c].map(narrowed::<C::Field, L>);
        let mut out = Element::ZERO;
        out.set_product_minus(&a.limbs, &b, &c);
        widened(&out.limbs)
    }

    fn square_minus(&self, a: &Number, b: &Number, c: &Number) -> Number {
        let [a, b, c] = [a, b, c].map(narrowed::<C::Field, L>);
        let mut out = Element::ZERO;
        out.set_square_minus(&a, &b, &c);
        widened(&out.limbs)
    }
}

/// The element that a number's lowest limbs are.
fn narrowed<F: Modulus<L>, const L: usize>(number: &Number) -> Element<F, L> {
    number.first_chunk().map_or(Element::ZERO, |limbs| Element::from_limbs(*limbs))
}

#[cfg(test)]
mod tests {
    /// Values in units of p.
    #[derive(Clone, Copy, Debug)]
    struct Interval(f64, f64);

    impl Interval {
        fn times(self, other: Self, r: f64) -> Self {
            let corners =
                [self.0 * other.0, self.0 * other.1, self.1 * other.0, self.1 * other.1].map(|corner| corner / r);
            // REDC adds m·p/R, m < R.
            Interval(corners.into_iter().fold(f64::MAX, f64::min), corners.into_iter().fold(f64::MIN, f64::max) + 1.0)
        }

        fn squared(self, r: f64) -> Self {
            let most = self.0.abs().max(self.1.abs());
            Interval(0.0, most * most / r + 1.0)
        }

        fn minus(self, other: Self) -> Self {
            Interval(self.0 - other.1, self.1 - other.0)
        }

        fn hull(self, other: Self) -> Self {
            Interval(self.0.min(other.0), self.1.max(other.1))
        }

        fn within(self, low: f64, high: f64) -> bool {
            low <= self.0 && self.1 <= high
        }
    }

    /// The addition and the doubling, in intervals, until they no longer grow.
    #[test]
    fn sums_stay_within_their_bounds() {
        let settled = Interval(-0.001, 1.001);
        // P-256 and secp256k1: R > 32·p; P-384: R > 2^21·p. P-521 folds every result, whatever it
        // is.
        for r in [32.0, f64::from(1 << 21)] {
            let (mut x, mut y, mut zz, mut zzz) = (settled, settled, settled, settled);
            for _ in 0..200 {
                let p = settled.times(zz, r).minus(x);
                let r_add = settled.times(zzz, r).minus(y.hull(Interval(0.0, 0.0).minus(y)));
                let pp = p.squared(r);
                let ppp = p.times(pp, r);
                let q = x.times(pp, r);
                let x_add = r_add.squared(r).minus(ppp).minus(q).minus(q);
                let difference = q.minus(x_add).hull(x_add.minus(q));
                let y_add = difference.times(r_add, r).minus(y.times(ppp, r));

                let v = settled.squared(r);
                let w = settled.times(v, r);
                let s = x.times(v, r);
                let x_double = settled.squared(r).minus(s).minus(s);
                let y_double = s.minus(x_double).times(settled, r).minus(w.times(y, r));

                zz = zz.hull(zz.times(pp, r)).hull(v.times(zz, r));
                zzz = zzz.hull(zzz.times(ppp, r)).hull(w.times(zzz, r));
                x = x.hull(x_add).hull(x_double);
                y = y.hull(y_add).hull(y_double);
                for value in [p, r_add, pp, ppp, q, difference] {
                    assert!(value.within(-8.0, 8.0), "{value:?}");
                }
            }
            assert!(x.within(-4.0, 1.8) && y.within(-2.0, 2.0), "{x:?} {y:?}");
            assert!(zz.within(-0.4, 1.4) && zzz.within(-0.4, 1.4), "{zz:?} {zzz:?}");
        }
    }
}
