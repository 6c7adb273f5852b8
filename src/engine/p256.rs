//! ECDSA on P-256 with SHA-256 (RFC 7518 §3.4), for now jwt-compact's own on the crate `p256`.

pub use jwt_compact::alg::Es256;
pub use p256::ecdsa::VerifyingKey;

use super::KeyDefect;

/// The length of a coordinate, in bytes.
const COORDINATE: usize = 32;

/// A public key from its affine coordinates, big-endian, 32 bytes each (RFC 7518 §6.2.1).
///
/// # Errors
/// A coordinate of another length, or a point that is not on the curve; the latter is laid at `x`.
pub fn key_from_coordinates(x: &[u8], y: &[u8]) -> Result<VerifyingKey, KeyDefect> {
    for (component, coordinate) in [("x", x), ("y", y)] {
        if coordinate.len() != COORDINATE {
            return Err(KeyDefect::new(component, format!("must be {COORDINATE} bytes and has {}", coordinate.len())));
        }
    }
    // SEC 1 §2.3.3: 4, x, y
    VerifyingKey::from_sec1_bytes(&[&[4], x, y].concat())
        .map_err(|_| KeyDefect::new("x", "is not on the curve together with y"))
}

/// A public key from an uncompressed point (SEC 1 §2.3.3), as SubjectPublicKeyInfo holds it.
///
/// # Errors
/// Another encoding, or a point that is not on the curve.
pub fn key_from_point(point: &[u8]) -> Result<VerifyingKey, KeyDefect> {
    match point.split_first() {
        Some((4, coordinates)) if coordinates.len() == 2 * COORDINATE => {
            let (x, y) = coordinates.split_at(COORDINATE);
            key_from_coordinates(x, y)
        }
        _ => Err(KeyDefect::new("x", "must be an uncompressed point of 65 bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_off_the_curve_is_refused() {
        assert_eq!(key_from_coordinates(&[1; 32], &[1; 32]).unwrap_err().component, "x");
        assert_eq!(key_from_coordinates(&[0; 32], &[0; 32]).unwrap_err().component, "x");
        assert_eq!(key_from_coordinates(&[1; 32], &[1; 31]).unwrap_err().component, "y");
        assert_eq!(key_from_point(&[0]).unwrap_err().component, "x");
    }
}
