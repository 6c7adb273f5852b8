//! What was revoked at once, and its bytes.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::{base64url, revocation::snapshot::Head};

/// Revocations, and until when they have to be known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Batch {
    /// In seconds since 1970: from then on no token is left that it could concern.
    pub(super) expires: u64,
    /// Ascending.
    pub(super) tokens: Vec<u64>,
    pub(super) cutoffs: BTreeMap<u64, u64>,
}

impl Batch {
    /// Expiry (8 bytes), the number of tokens and of cutoffs (2 each), tokens (8 each), cutoffs (8
    /// and 8), all in network order.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        // A batch is bounded by `MOST_AT_ONCE`, far below 2¹⁶.
        let count = |length: usize| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        bytes.extend(self.expires.to_be_bytes());
        bytes.extend(count(self.tokens.len()));
        bytes.extend(count(self.cutoffs.len()));
        bytes.extend(self.tokens.iter().flat_map(|hash| hash.to_be_bytes()));
        bytes
            .extend(self.cutoffs.iter().flat_map(|(hash, before)| [hash.to_be_bytes(), before.to_be_bytes()].concat()));
    }

    /// Takes one batch off the beginning.
    fn read<'b>(bytes: &'b [u8]) -> Option<(Batch, &'b [u8])> {
        let (expires, rest) = number(bytes)?;
        let ([a, b, c, d], rest) = rest.split_first_chunk::<4>()?;
        let (tokens, cutoffs) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
        let mut batch = Batch { expires, tokens: Vec::with_capacity(tokens.into()), cutoffs: BTreeMap::new() };
        let mut rest: &'b [u8] = rest;
        for _ in 0..tokens {
            let (hash, more) = number(rest)?;
            batch.tokens.push(hash);
            rest = more;
        }
        for _ in 0..cutoffs {
            let (hash, more) = number(rest)?;
            let (before, more) = number(more)?;
            batch.cutoffs.insert(hash, before);
            rest = more;
        }
        Some((batch, rest))
    }

    /// The head of the chain after it.
    pub(super) fn head_after(&self, head: &Head) -> Head {
        #[cfg(test)]
        tests::HASHED.set(tests::hashed().saturating_add(1));
        let mut bytes = head.to_vec();
        self.write(&mut bytes);
        Sha256::digest(&bytes).into()
    }

    /// How many bytes it takes.
    pub(super) fn size(&self) -> usize {
        let tokens = self.tokens.len().saturating_mul(8);
        tokens.saturating_add(self.cutoffs.len().saturating_mul(16)).saturating_add(12)
    }
}

/// Batches, one after the other, as a text.
pub(super) fn write_all(batches: &[Batch]) -> String {
    let mut bytes = Vec::with_capacity(batches.iter().map(Batch::size).sum());
    batches.iter().for_each(|batch| batch.write(&mut bytes));
    base64url::encode(&bytes)
}

/// The same back; `None` for what was never written.
pub(super) fn read_all(text: &str) -> Option<Vec<Batch>> {
    let bytes = base64url::decode(text)?;
    let (mut batches, mut rest) = (Vec::new(), bytes.as_slice());
    while !rest.is_empty() {
        let (batch, more) = Batch::read(rest)?;
        batches.push(batch);
        rest = more;
    }
    Some(batches)
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    bytes.split_first_chunk::<8>().map(|(number, rest)| (u64::from_be_bytes(*number), rest))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    std::thread_local! {
        /// How many batches this thread has hashed.
        pub(super) static HASHED: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
    }

    pub(in crate::issuer::feed) fn hashed() -> u64 {
        HASHED.get()
    }

    #[test]
    fn batches_come_back_as_they_were_and_half_a_batch_is_none() {
        let one = Batch { expires: 9, tokens: vec![1, u64::MAX], cutoffs: BTreeMap::from([(3, 4)]) };
        let two = Batch { expires: u64::MAX, ..Batch::default() };
        let text = write_all(&[one.clone(), two.clone()]);
        assert_eq!(read_all(&text), Some(vec![one.clone(), two.clone()]));
        assert_eq!(one.size() + two.size(), base64url::decode(&text).unwrap().len());
        assert_eq!(read_all(""), Some(Vec::new()));
        for length in 1..text.len() {
            assert_ne!(read_all(&text[..length]), Some(vec![one.clone(), two.clone()]));
        }
        assert_eq!((read_all(&text[..4]), read_all("=")), (None, None));
        assert_ne!(one.head_after(&[0; 32]), two.head_after(&[0; 32]));
        assert_ne!(one.head_after(&[0; 32]), one.head_after(&[1; 32]));
    }
}
