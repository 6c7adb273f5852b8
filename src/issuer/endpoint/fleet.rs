//! The row that all processes of an issuer visit (`issuer::fleet`): what this one needs to know of
//! the others.

use super::{
    super::{
        feed::NEVER,
        fleet::{FLEET, Fleet, Lifetimes},
    },
    Issuer,
    channel::{Channel, StoreEntry},
    error_response::ErrorResponse,
    pause::Pause,
};

/// How often a visit is tried. Whoever is faster has visited by that.
const TRIES: u32 = 16;
const RACE_MS: (u64, u64) = (4, 250);

/// The longest lives of what any process has issued. They are read each time: another
/// configuration may have begun since the last one.
///
/// Where nobody can tell, they are the longest that there are; a request that the store has left
/// without an answer does not wait for another.
pub(super) async fn lifetimes(issuer: &Issuer, channel: &Channel) -> Lifetimes {
    if channel.has_failed() {
        return Lifetimes::LONGEST;
    }
    let found = channel.read(FLEET).await;
    found.map_or(Lifetimes::LONGEST, |found| told(issuer, found.as_ref()))
}

/// The same by the row as it was found.
pub(super) fn told(issuer: &Issuer, found: Option<&StoreEntry>) -> Lifetimes {
    let fleet = Fleet::read(found.map(|entry| entry.value.as_str()));
    fleet.map_or(Lifetimes::LONGEST, |fleet| fleet.lifetimes(own(issuer)))
}

fn own(issuer: &Issuer) -> Lifetimes {
    Lifetimes::of(&issuer.settings.rules.configuration)
}

/// Leaves a clock and this process's lifetimes, and says until when the store may be swept: what
/// is past by all clocks that count.
pub(super) async fn visit(issuer: &Issuer, channel: &Channel) -> Result<u64, ErrorResponse> {
    let mut pause = Pause::new(RACE_MS.0, RACE_MS.1);
    for _ in 0..TRIES {
        let found = channel.read(FLEET).await?;
        let (expected, value) = found.map(|entry| (entry.version, entry.value)).unzip();
        // One that cannot be decoded is begun anew, or nothing would ever be swept again. What was
        // issued until then lives for the longest.
        let (fleet, own) =
            Fleet::read(value.as_deref()).map_or((Fleet::new(), Lifetimes::LONGEST), |fleet| (fleet, own(issuer)));
        let (next, past) = fleet.visited(own, channel.now());
        if channel.swap(FLEET, expected.unwrap_or(0), next.to_json(), NEVER).await? {
            return Ok(past);
        }
        pause.wait(channel).await?;
    }
    Err(ErrorResponse::unavailable())
}
