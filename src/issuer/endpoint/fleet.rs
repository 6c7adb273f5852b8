//! The row that all processes of an issuer visit (`issuer::fleet`): what this one needs to know of the others.

use std::sync::Mutex;

use super::{
    super::{
        feed::NEVER,
        fleet::{FLEET, Fleet, Lifetimes},
    },
    Issuer,
    channel::{Channel, locked},
    failure::Failure,
    pause::Pause,
};

/// How often a visit is tried. Whoever is faster has visited by that.
const TRIES: u32 = 16;
const RACE_MS: (u64, u64) = (4, 250);

/// What a process keeps of its visits.
#[derive(Debug, Default)]
pub(super) struct Visits {
    lifetimes: Mutex<Option<Lifetimes>>,
    wrote: Mutex<Wrote>,
}

/// What a process wrote last into a row: its requests write it at the same time, and one of them may not know whether it has.
#[derive(Debug, Default)]
pub(super) struct Wrote {
    held: Option<String>,
    tried: Option<String>,
}

impl Wrote {
    /// Before it is known whether it holds: it may, and the answer be lost.
    pub(super) fn tries(&mut self, value: &str) {
        self.tried = Some(value.to_owned());
    }

    pub(super) fn holds(&mut self, value: String) {
        self.held = Some(value);
    }

    /// Was that value written by this process, as far as it knows?
    pub(super) fn is_own(&self, value: &str) -> bool {
        [&self.held, &self.tried].into_iter().flatten().any(|wrote| wrote == value)
    }
}

/// The longest lives of what any process has issued. A process that has not visited yet looks once; where nobody can tell, they are the longest
/// that there are.
pub(super) async fn lifetimes(issuer: &Issuer, channel: &Channel) -> Lifetimes {
    let known = *locked(&issuer.ledger.visits.lifetimes);
    if let Some(known) = known {
        return known;
    }
    let Ok(found) = channel.read(FLEET).await else { return Lifetimes::LONGEST };
    let Some(fleet) = Fleet::read(found.as_ref().map(|entry| entry.value.as_str())) else { return Lifetimes::LONGEST };
    let lifetimes = fleet.lifetimes(&issuer.settings.rules.configuration);
    *locked(&issuer.ledger.visits.lifetimes) = Some(lifetimes);
    lifetimes
}

/// Leaves this process's clock and lifetimes, and says until when the store may be swept: what is past by all clocks that count.
pub(super) async fn visit(issuer: &Issuer, channel: &Channel) -> Result<u64, Failure> {
    let (visits, configuration) = (&issuer.ledger.visits, &issuer.settings.rules.configuration);
    let mut pause = Pause::new(RACE_MS.0, RACE_MS.1);
    for _ in 0..TRIES {
        let found = channel.read(FLEET).await?;
        let (expected, value) = found.map(|entry| (entry.version, entry.value)).unzip();
        let fleet = Fleet::read(value.as_deref());
        let fleet = fleet.ok_or_else(|| Failure::unreadable("the row of its processes", "it is of another version"))?;
        let own = value.is_some_and(|value| locked(&visits.wrote).is_own(&value));
        let (next, past) = fleet.visited(configuration, own, channel.now());
        let written = next.to_json();
        locked(&visits.wrote).tries(&written);
        if channel.swap(FLEET, expected.unwrap_or(0), written.clone(), NEVER).await? {
            locked(&visits.wrote).holds(written);
            *locked(&visits.lifetimes) = Some(next.lifetimes(configuration));
            return Ok(past);
        }
        pause.wait(channel).await?;
    }
    Err(Failure::unavailable())
}
