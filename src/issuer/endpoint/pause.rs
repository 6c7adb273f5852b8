//! Waiting between two tries: each time longer, and never as long as the others wait.

use super::{
    super::random::random,
    channel::{Channel, Unavailable},
};

pub(super) struct Pause {
    next_ms: u64,
    most_ms: u64,
}

impl Pause {
    pub(super) const fn new(first_ms: u64, most_ms: u64) -> Self {
        Pause { next_ms: first_ms, most_ms }
    }

    /// Waits from half of its time to the whole of it, and says for how long; an error when it
    /// cannot, since the request's time is over.
    pub(super) async fn wait(&mut self, channel: &Channel) -> Result<u64, Unavailable> {
        let half = self.next_ms.div_euclid(2);
        // Without randomness all wait for as long, which is worse and no error.
        let drawn = random::<16>().map_or(u16::MAX, |[high, low, ..]| u16::from_be_bytes([high, low]));
        let drawn = u64::from(drawn);
        let jitter = half.saturating_mul(drawn).div_euclid(u64::from(u16::MAX));
        let milliseconds = self.next_ms.saturating_sub(half).saturating_add(jitter).max(1);
        self.next_ms = self.next_ms.saturating_mul(2).min(self.most_ms);
        channel.wait(milliseconds).await?;
        Ok(milliseconds)
    }
}
