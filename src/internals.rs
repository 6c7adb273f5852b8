//! The door through which the tests of this crate, its fuzz targets and its models look inside.
//!
//! **It is no part of the API:** whatever stands here may change in any release. It is compiled in
//! every build, so that the tests test what ships.

/// The encoding of every part of a token.
pub mod base64url {
    pub use crate::base64url::{decode, encode};
}

/// Paths as they are judged.
pub mod uri {
    pub use crate::binding::uri::{Url, normal_path};
    pub use crate::gate::route::PathPattern;
}

/// A key by its JWK.
pub mod jwk {
    pub use crate::keys::jwk::parse;
}

/// The arithmetic.
pub mod engine {
    pub use crate::engine::*;
}

/// The rotation of refresh tokens.
#[cfg(feature = "issuer")]
pub mod sessions {
    pub use crate::issuer::sessions::*;
}

/// The feed of revocations.
#[cfg(feature = "issuer")]
pub mod feed {
    pub use crate::issuer::feed::*;
}
