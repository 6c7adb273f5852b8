//! `/revocations`: the feed that edges pull, and the administrator's revoke.

use serde_json::json;

use super::{
    super::{
        cutoff::Party,
        feed::Revoked,
        operation::{Operation, Outcome},
        session_id::SessionId,
    },
    Issuer,
    authenticate::{self, Caller},
    channel::Channel,
    failure::Failure,
    log, name,
    request::Request,
    response::Response,
    run,
};
use crate::time::UnixSeconds;

/// Whose tokens are to be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target<'t> {
    Subject(&'t str),
    Session(SessionId),
    Client(&'t str),
    Key(&'t str),
}

/// The snapshot, or what has come since a version. Documents are signed now, and say so: nobody may keep them.
pub(super) async fn feed(issuer: &Issuer, query: Option<&str>, channel: &Channel) -> Result<Response, Failure> {
    let feed = issuer.settings.feed.as_ref();
    let feed = feed.ok_or_else(|| Failure::new(404, "invalid_request", "url: this issuer has no feed"))?;
    let since = match query.unwrap_or_default() {
        "" => None,
        query => {
            let digits = query.strip_prefix("since=").filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let since = digits.and_then(|digits| digits.parse().ok());
            Some(since.ok_or_else(|| Failure::request("since", "must be the version that is held"))?)
        }
    };
    let log = log::read(issuer, channel).await?;
    let answer = feed.answer(&log, since, channel.now()).map_err(super::IssuerError::from)?;
    let response = Response { status: answer.status, headers: Vec::new(), body: answer.body };
    Ok(response
        .with("content-type", "text/plain; charset=utf-8")
        .with("cache-control", "no-store")
        .with("etag", &format!("\"{}\"", answer.version)))
}

/// The administrator's revoke: exactly one of `subject`, `session`, `client` and `key`, from a client that may.
pub(super) async fn administer(issuer: &Issuer, request: &Request, channel: &Channel) -> Result<Response, Failure> {
    let Caller { client, form } = authenticate::caller(&issuer.settings, request, channel).await?;
    if !client.administers {
        return Err(Failure::unauthorized("client_id", "names a client that administers nothing"));
    }
    let named: Vec<(&str, &str)> = ["subject", "session", "client", "key"]
        .into_iter()
        .filter_map(|parameter| form.get(parameter).map(|value| (parameter, value)))
        .collect();
    let target = match named.as_slice() {
        [("subject", subject)] => Target::Subject(subject),
        [("client", client)] => Target::Client(client),
        [("key", kid)] => Target::Key(kid),
        [(_, sid)] => Target::Session(
            SessionId::parse(sid).ok_or_else(|| Failure::request("session", "must be 16 bytes in base64url"))?,
        ),
        _ => return Err(Failure::request("subject", "or one of session, client and key is required, and only one")),
    };
    revoke(issuer, channel, target).await?;
    Ok(Response::empty(204))
}

/// Takes back what that names, here and at every edge.
pub(super) async fn revoke(issuer: &Issuer, channel: &Channel, target: Target<'_>) -> Result<(), Failure> {
    match target {
        Target::Session(sid) => run::end(issuer, channel, sid).await,
        Target::Subject(subject) => {
            let before = cut_off(issuer, channel, Party::Subject(subject.to_owned())).await?;
            log::append(issuer, channel, &[Revoked::SubjectBefore(subject, before)]).await
        }
        Target::Client(client) => {
            let before = cut_off(issuer, channel, Party::Client(client.to_owned())).await?;
            log::append(issuer, channel, &[Revoked::ClientBefore(client, before)]).await
        }
        Target::Key(kid) => {
            let _ = channel.is_first(&name::key_cutoff(kid), UnixSeconds::MAX.get()).await?;
            log::append(issuer, channel, &[Revoked::Key(kid)]).await?;
            channel.report(json!({ "kind": "revoked", "kid": kid, "at": channel.now() }));
            Ok(())
        }
    }
}

/// Ends all sessions of the party that have begun. The store first: whatever it grants from now on is dated after the cutoff, which the feed
/// then names. An error in between is one for whoever asked, who asks again.
async fn cut_off(issuer: &Issuer, channel: &Channel, party: Party) -> Result<UnixSeconds, Failure> {
    match run::run(issuer, channel, Operation::cut_off(party), None).await? {
        Outcome::CutOff(cutoff) => Ok(cutoff.issued_at(channel.now())),
        _ => Err(Failure::unavailable()),
    }
}
