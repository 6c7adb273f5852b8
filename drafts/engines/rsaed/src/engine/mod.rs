//! Stand-in of Portcullis' `engine`.
pub mod ed25519;
mod edwards;
mod field25519;
mod inversion25519;
mod lanes;
pub mod rsa;
mod rsa_convolution;
mod rsa_modulus;
mod rsa_weak;
mod scalar25519;
/// Why key material was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDefect {
    /// The component.
    pub component: &'static str,
    /// What is wrong.
    pub reason: String,
}

impl KeyDefect {
    pub(crate) fn new(component: &'static str, reason: impl Into<String>) -> Self {
        KeyDefect { component, reason: reason.into() }
    }
}
