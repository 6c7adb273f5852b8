//! How long sessions live and how long a replay is forgiven, with the relations that must hold
//! between the two.

use super::root_keys::RootKeys;
use crate::issuer::tokens::mint::{LONGEST_LIFETIME_SECONDS, LONGEST_LONG_LIFETIME_SECONDS};
use crate::{document, policy_error::PolicyError};

/// Ten years: no session needs more, and no sum of instants then overflows.
pub(in crate::issuer) const LONGEST_SECONDS: u64 = 315_360_000;

/// What sessions are judged by.
#[derive(Clone, Debug)]
pub struct SessionRules {
    /// The windows and bounds.
    pub configuration: Configuration,
    /// The keys their tokens are derived from.
    pub roots: RootKeys,
}

/// What can be set. Nothing is checked before [`Configuration::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Wr: how long after a rotation the token before it is answered with its successor again. 60
    /// by default.
    pub replay_window_seconds: u64,
    /// Wc: how long after a rotation the next one waits; until then a refresh yields an access
    /// token alone. By default Wr + 2·D.
    pub rotation_interval_seconds: Option<u64>,
    /// D: the longest way of a message: from a client's sending to the read that decides, races
    /// lost on the way included, and from there until the client has stored the answer. A client
    /// that sends again sends what is stored by then. 15 by default.
    pub worst_delay_seconds: u64,
    /// R: how many replays after the window are forgiven until a generation passes without any. 2
    /// by default.
    pub late_replays: u32,
    /// How long a session lives without being refreshed. 30 days by default.
    pub idle_seconds: u64,
    /// How long a session lives at all. 90 days by default.
    pub absolute_seconds: u64,
    /// How long an access token lives: 300 by default, at most 3600.
    pub access_token_seconds: u64,
    /// The same, from 3601 to 86400, for those who know that what is stolen stays good for that
    /// long.
    pub long_access_token_seconds: Option<u64>,
    /// Rotate confidential and sender-bound sessions too? RFC 9700 §4.14.2 asks it of unbound
    /// public clients alone, and those always do.
    pub rotate_all: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            replay_window_seconds: 60,
            rotation_interval_seconds: None,
            worst_delay_seconds: 15,
            late_replays: 2,
            idle_seconds: 2_592_000,
            absolute_seconds: 7_776_000,
            access_token_seconds: 300,
            long_access_token_seconds: None,
            rotate_all: false,
        }
    }
}

/// Settings whose relations hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration {
    pub(in crate::issuer) replay_window: u64,
    pub(in crate::issuer) rotation_interval: u64,
    pub(in crate::issuer) late_replays: u32,
    pub(in crate::issuer) idle: u64,
    pub(in crate::issuer) absolute: u64,
    pub(in crate::issuer) access_token: u64,
    pub(in crate::issuer) rotate_all: bool,
}

impl Configuration {
    /// Checks the settings.
    ///
    /// Wc ≥ Wr + 2·D: the successor of a token may be answered until Wr after the rotation and
    /// takes D to arrive; what was sent before takes D more. Were the session rotated again by
    /// then, that honest request would be two generations behind. Whole seconds lose nothing,
    /// since both are counted from one `rotated_at`.
    ///
    /// # Errors
    /// A setting out of its range or a relation that does not hold, at the member of the JSON form.
    pub fn new(settings: Settings) -> Result<Self, PolicyError> {
        let Settings {
            replay_window_seconds, worst_delay_seconds, late_replays, idle_seconds, absolute_seconds, ..
        } = settings;
        let replay_window = within("replayWindowSeconds", replay_window_seconds, 1, 3600)?;
        let delay = within("worstDelaySeconds", worst_delay_seconds, 1, 3600)?;
        let least = replay_window.saturating_add(delay.saturating_mul(2));
        let rotation_interval = settings.rotation_interval_seconds.unwrap_or(least);
        if rotation_interval < least {
            let reason = format!("must be at least replayWindowSeconds + 2 · worstDelaySeconds, which is {least}");
            return Err(PolicyError::at("rotationIntervalSeconds", reason));
        }
        let idle = within("idleSeconds", idle_seconds, 1, LONGEST_SECONDS)?;
        if idle <= rotation_interval {
            let reason = format!("must be more than rotationIntervalSeconds, which is {rotation_interval}");
            return Err(PolicyError::at("idleSeconds", reason));
        }
        let absolute = within("absoluteSeconds", absolute_seconds, 1, LONGEST_SECONDS)?;
        if absolute < idle {
            return Err(PolicyError::at("absoluteSeconds", format!("must be at least idleSeconds, which is {idle}")));
        }
        within("lateReplays", u64::from(late_replays), 0, 100)?;
        let access_token = match settings.long_access_token_seconds {
            None => within("accessTokenSeconds", settings.access_token_seconds, 1, LONGEST_LIFETIME_SECONDS)?,
            Some(seconds) => {
                let least = LONGEST_LIFETIME_SECONDS.saturating_add(1);
                within("longAccessTokenSeconds", seconds, least, LONGEST_LONG_LIFETIME_SECONDS)?
            }
        };
        let rotate_all = settings.rotate_all;
        Ok(Configuration { replay_window, rotation_interval, late_replays, idle, absolute, access_token, rotate_all })
    }

    /// Reads the settings from JSON, by the names of [`Settings`] in camelCase; what is left out
    /// has its default.
    ///
    /// # Errors
    /// An unknown member, or anything that [`Configuration::new`] refuses.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        let document = document::parse(text)?;
        document.only(&[
            "replayWindowSeconds",
            "rotationIntervalSeconds",
            "worstDelaySeconds",
            "lateReplays",
            "idleSeconds",
            "absoluteSeconds",
            "accessTokenSeconds",
            "longAccessTokenSeconds",
            "rotateAll",
        ])?;
        let usual = Settings::default();
        let seconds = |member: &str, usual: u64| document.integer(member).map(|set| set.unwrap_or(usual));
        let access_token = document.integer("accessTokenSeconds")?;
        let long_access_token_seconds = document.integer("longAccessTokenSeconds")?;
        if access_token.is_some() && long_access_token_seconds.is_some() {
            return Err(PolicyError::at(
                "longAccessTokenSeconds",
                "must not be combined with accessTokenSeconds. Remove one of them",
            ));
        }
        Configuration::new(Settings {
            replay_window_seconds: seconds("replayWindowSeconds", usual.replay_window_seconds)?,
            rotation_interval_seconds: document.integer("rotationIntervalSeconds")?,
            worst_delay_seconds: seconds("worstDelaySeconds", usual.worst_delay_seconds)?,
            late_replays: u32::try_from(seconds("lateReplays", u64::from(usual.late_replays))?).unwrap_or(u32::MAX),
            idle_seconds: seconds("idleSeconds", usual.idle_seconds)?,
            absolute_seconds: seconds("absoluteSeconds", usual.absolute_seconds)?,
            access_token_seconds: access_token.unwrap_or(usual.access_token_seconds),
            long_access_token_seconds,
            rotate_all: document.boolean("rotateAll")?.unwrap_or(usual.rotate_all),
        })
    }
}

fn within(member: &str, value: u64, least: u64, most: u64) -> Result<u64, PolicyError> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(PolicyError::at(member, format!("must be an integer from {least} to {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_hold_and_leave_a_retry_its_time() {
        let usual = Configuration::from_json("{}").unwrap();
        assert_eq!(usual, Configuration::new(Settings::default()).unwrap());
        assert_eq!((usual.replay_window, usual.rotation_interval, usual.access_token), (60, 90, 300));
        // A client that waits 2·D for an answer and sends again is within the window.
        assert!(usual.replay_window >= 3 * Settings::default().worst_delay_seconds);
    }

    #[test]
    fn every_relation_is_an_error_at_its_member() {
        let pointer = |text: &str| Configuration::from_json(text).unwrap_err().pointer().to_owned();
        assert_eq!(pointer(r#"{"rotationIntervalSeconds":89}"#), "/rotationIntervalSeconds");
        assert!(Configuration::from_json(r#"{"rotationIntervalSeconds":90}"#).is_ok());
        assert_eq!(pointer(r#"{"idleSeconds":90}"#), "/idleSeconds");
        assert!(Configuration::from_json(r#"{"idleSeconds":91}"#).is_ok());
        assert_eq!(pointer(r#"{"absoluteSeconds":2591999}"#), "/absoluteSeconds");
        assert_eq!(pointer(r#"{"absoluteSeconds":315360001}"#), "/absoluteSeconds");
        assert_eq!(pointer(r#"{"replayWindowSeconds":0}"#), "/replayWindowSeconds");
        assert_eq!(pointer(r#"{"worstDelaySeconds":0}"#), "/worstDelaySeconds");
        assert_eq!(pointer(r#"{"lateReplays":101}"#), "/lateReplays");
        assert_eq!(pointer(r#"{"lateReplays":4294967297}"#), "/lateReplays");
        assert_eq!(pointer(r#"{"accessTokenSeconds":3601}"#), "/accessTokenSeconds");
        assert_eq!(pointer(r#"{"accessTokenSeconds":0}"#), "/accessTokenSeconds");
        assert_eq!(pointer(r#"{"longAccessTokenSeconds":3600}"#), "/longAccessTokenSeconds");
        assert_eq!(pointer(r#"{"longAccessTokenSeconds":86401}"#), "/longAccessTokenSeconds");
        assert_eq!(pointer(r#"{"longAccessTokenSeconds":7200,"accessTokenSeconds":60}"#), "/longAccessTokenSeconds");
        assert_eq!(Configuration::from_json(r#"{"longAccessTokenSeconds":7200}"#).unwrap().access_token, 7200);
        assert_eq!(pointer(r#"{"idle":1}"#), "/idle");
    }
}
