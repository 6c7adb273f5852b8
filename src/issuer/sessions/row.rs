//! What a store keeps of a session: one row, of one size, for its whole life.

use core::fmt;

use serde::{Serialize, Serializer};

use super::{cutoff::Cutoff, session_id::SessionId};
use crate::issuer::tokens::{
    claims::{Claims, amr},
    mint::LONGEST_LONG_LIFETIME_SECONDS,
};
use crate::{
    base64url, document,
    json::{Object, Value},
    policy_error::PolicyError,
    time::{Leeway, UnixSeconds},
};

/// The version of the JSON form. A row of another is an error of storage: an older process must
/// not judge it.
const VERSION: u64 = 1;

/// Client and subject of a session that nobody knows.
const NOBODY: &str = "-";

/// The random half of what a session's tokens are derived from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// The salt made of those bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Salt(bytes)
    }

    pub(in crate::issuer) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Salt(…)")
    }
}

impl Serialize for Salt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64url::encode(&self.0))
    }
}

/// Whether a session can be refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It can.
    Active,
    /// Never again.
    Revoked,
}

/// The row of a session. Stores keep it as [JSON](Row::to_json), under its [key](SessionId::key),
/// and do not look inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The session.
    pub sid: SessionId,
    /// The random half of its tokens' key.
    pub salt: Salt,
    /// The generation that is current: the number of rotations.
    #[serde(rename = "gen")]
    pub generation: u32,
    /// When the current generation began, or was given out late for the last time.
    pub rotated_at: UnixSeconds,
    /// Was the generation before this one presented again?
    pub mark: bool,
    /// Late replays since a generation without any replay.
    pub streak: u32,
    /// Whether it can be refreshed.
    pub status: Status,
    /// When it ends, whatever is done.
    pub expires_at: UnixSeconds,
    /// When it ends unless it is refreshed; never after `expires_at`. The sweep goes by it.
    pub ends_at: UnixSeconds,
    /// Does each use make a new generation (RFC 9700 §4.14.2), or does one token last?
    pub rotates: bool,
    /// The client it was granted to (RFC 6749 §6).
    pub client: String,
    /// The subject.
    pub subject: String,
    /// The cutoff of its subject that it began under; a later one ends it.
    pub subject_cutoff: Cutoff,
    /// The same of its client.
    pub client_cutoff: Cutoff,
    /// The scopes that were granted, separated by spaces.
    pub scope: Option<String>,
    /// The thumbprint of the only key that may use it (RFC 9449 §5).
    pub jkt: Option<String>,
    /// How the subject was authenticated (RFC 9068 §2.2.1).
    pub acr: Option<String>,
    /// By which methods (RFC 8176). A row of before there were any has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// Its own claims, for each of its access tokens; the same.
    #[serde(skip_serializing_if = "Claims::is_empty")]
    pub claims: Claims,
    /// When the subject was authenticated (RFC 9068 §2.2.1).
    pub auth_time: UnixSeconds,
}

#[derive(Serialize)]
struct Versioned<'r> {
    v: u64,
    #[serde(flatten)]
    row: &'r Row,
}

impl Row {
    /// The row as JSON, in the form of version 1.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string(&Versioned { v: VERSION, row: self }).unwrap_or_default()
    }

    /// The row of a session that is over and that the store knows nothing else of. No token is
    /// derived from its salt.
    #[must_use]
    pub(in crate::issuer) fn ended(sid: SessionId, now: UnixSeconds) -> Self {
        Row {
            sid,
            salt: Salt([0; 32]),
            generation: 0,
            rotated_at: now,
            mark: false,
            streak: 0,
            status: Status::Revoked,
            expires_at: now,
            ends_at: now,
            rotates: true,
            client: NOBODY.to_owned(),
            subject: NOBODY.to_owned(),
            subject_cutoff: Cutoff::NONE,
            client_cutoff: Cutoff::NONE,
            scope: None,
            jkt: None,
            acr: None,
            amr: Vec::new(),
            claims: Claims::default(),
            auth_time: now,
        }
    }

    /// Until when a store keeps it: until no access token of the session can be good any more, so
    /// that it can be revoked until then. Of whatever configuration: the longest that there is
    /// costs a day.
    #[must_use]
    pub(in crate::issuer) fn kept_until(&self) -> UnixSeconds {
        let seconds = self.ends_at.get().saturating_add(LONGEST_LONG_LIFETIME_SECONDS).saturating_add(Leeway::CAP);
        UnixSeconds::new(seconds).unwrap_or(UnixSeconds::MAX)
    }

    /// Reads a row that a store kept.
    ///
    /// # Errors
    /// Anything but a row of this version, at the member at fault and without its value.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        let row = document::parse(text)?;
        row.only(&[
            "v",
            "sid",
            "salt",
            "gen",
            "rotatedAt",
            "mark",
            "streak",
            "status",
            "expiresAt",
            "endsAt",
            "rotates",
            "client",
            "subject",
            "subjectCutoff",
            "clientCutoff",
            "scope",
            "jkt",
            "acr",
            "amr",
            "claims",
            "authTime",
        ])?;
        if row.integer("v")? != Some(VERSION) {
            return Err(PolicyError::at("v", format!("must be {VERSION}")));
        }
        let salt = base64url::decode(row.required_string("salt")?).and_then(|salt| salt.try_into().ok());
        let status = match row.required_string("status")? {
            "active" => Status::Active,
            "revoked" => Status::Revoked,
            _ => return Err(PolicyError::at("status", "must be active or revoked")),
        };
        Ok(Row {
            sid: SessionId::parse(row.required_string("sid")?)
                .ok_or_else(|| PolicyError::at("sid", "must be 16 bytes in base64url"))?,
            salt: salt.map(Salt).ok_or_else(|| PolicyError::at("salt", "must be 32 bytes in base64url"))?,
            generation: small(&row, "gen")?,
            rotated_at: instant(&row, "rotatedAt")?,
            mark: flag(&row, "mark")?,
            streak: small(&row, "streak")?,
            status,
            expires_at: instant(&row, "expiresAt")?,
            ends_at: instant(&row, "endsAt")?,
            rotates: flag(&row, "rotates")?,
            client: row.required_string("client")?.to_owned(),
            subject: row.required_string("subject")?.to_owned(),
            subject_cutoff: cutoff(&row, "subjectCutoff")?,
            client_cutoff: cutoff(&row, "clientCutoff")?,
            scope: optional(&row, "scope")?,
            jkt: optional(&row, "jkt")?,
            acr: optional(&row, "acr")?,
            amr: amr(&row)?,
            claims: Claims::kept(text, &row)?,
            auth_time: instant(&row, "authTime")?,
        })
    }
}

fn required<T>(value: Option<T>, member: &str) -> Result<T, PolicyError> {
    value.ok_or_else(|| PolicyError::at(member, "is required"))
}

fn small(row: &Object<'_>, member: &str) -> Result<u32, PolicyError> {
    let value = required(row.integer(member)?, member)?;
    u32::try_from(value).map_err(|_| PolicyError::at(member, "must fit 32 bits"))
}

fn cutoff(row: &Object<'_>, member: &str) -> Result<Cutoff, PolicyError> {
    instant(row, member).map(Cutoff::of)
}

fn instant(row: &Object<'_>, member: &str) -> Result<UnixSeconds, PolicyError> {
    required(row.instant(member)?, member)
}

fn flag(row: &Object<'_>, member: &str) -> Result<bool, PolicyError> {
    required(row.boolean(member)?, member)
}

fn optional(row: &Object<'_>, member: &str) -> Result<Option<String>, PolicyError> {
    match row.get(member) {
        Some(Value::Null) => Ok(None),
        _ => Ok(row.string(member)?.map(str::to_owned)),
    }
}

#[cfg(test)]
pub(in crate::issuer) mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds::new(1_800_000_000).unwrap();

    pub(crate) fn row() -> Row {
        Row {
            sid: SessionId::from_bytes([1; 16]),
            salt: Salt::from_bytes([0xca; 32]),
            generation: 3,
            rotated_at: NOW,
            mark: false,
            streak: 0,
            status: Status::Active,
            expires_at: UnixSeconds::new(NOW.get() + 7_776_000).unwrap(),
            ends_at: UnixSeconds::new(NOW.get() + 2_592_000).unwrap(),
            rotates: true,
            client: "app".into(),
            subject: "alice".into(),
            subject_cutoff: Cutoff::NONE,
            client_cutoff: Cutoff::NONE,
            scope: Some("read write".into()),
            jkt: None,
            acr: None,
            amr: Vec::new(),
            claims: Claims::default(),
            auth_time: NOW,
        }
    }

    #[test]
    fn the_json_form_of_version_1_never_changes() {
        let text = concat!(
            r#"{"v":1,"sid":"AQEBAQEBAQEBAQEBAQEBAQ","salt":"ysrKysrKysrKysrKysrKysrKysrKysrKysrKysrKyso","gen":3,"#,
            r#""rotatedAt":1800000000,"mark":false,"streak":0,"status":"active","expiresAt":1807776000,"endsAt":1802592000,"#,
            r#""rotates":true,"client":"app","subject":"alice","subjectCutoff":0,"clientCutoff":0,"scope":"read write","jkt":null,"#,
            r#""acr":null,"authTime":1800000000}"#,
        );
        assert_eq!(row().to_json(), text);
        assert_eq!(Row::from_json(text).unwrap(), row());
        let said = text.replace(r#""acr":null"#, r#""acr":null,"amr":["pwd","otp"],"claims":{"tenant":{"x":1.5}}"#);
        let read = Row::from_json(&said).unwrap();
        assert_eq!((read.to_json(), read.amr.len(), read.claims.is_empty()), (said, 2, false));
    }

    #[test]
    fn a_damaged_row_is_an_error_at_its_member() {
        let error = |from: &str, to: &str| {
            let text = row().to_json();
            assert!(text.contains(from), "{from}");
            Row::from_json(&text.replace(from, to)).unwrap_err().pointer().to_owned()
        };
        assert_eq!(error(r#""v":1"#, r#""v":2"#), "/v");
        assert_eq!(error(r#""gen":3"#, r#""gen":4294967296"#), "/gen");
        assert_eq!(error(r#""gen":3,"#, ""), "/gen");
        assert_eq!(error(r#""mark":false"#, r#""mark":0"#), "/mark");
        assert_eq!(error(r#""active""#, r#""Active""#), "/status");
        assert_eq!(error("AQEBAQEBAQEBAQEBAQEBAQ", "AQEB"), "/sid");
        assert_eq!(error(r#""salt":"y"#, r#""salt":""#), "/salt");
        assert_eq!(error(r#""acr":null"#, r#""acr":null,"claims":[]"#), "/claims");
        assert_eq!(error(r#""acr":null"#, r#""acr":null,"amr":7"#), "/amr");
        assert_eq!(error(r#""jkt":null"#, r#""jkt":null,"extra":1"#), "/extra");
        assert_eq!(error(r#""clientCutoff":0"#, r#""clientCutoff":253402300800"#), "/clientCutoff");
        assert_eq!(error(r#""scope":"read write""#, r#""scope":7"#), "/scope");
    }

    #[test]
    fn no_debug_text_holds_the_salt() {
        let text = format!("{:?}", row());
        assert!(!text.contains("202") && !text.contains("ysrK"), "{text}");
    }
}
