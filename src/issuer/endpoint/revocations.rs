//! `/revocations`: the feed that edges pull, and the administrator's revoke.

use serde_json::json;

use super::{
    Issuer,
    authenticate::{self, Caller},
    channel::{Channel, locked},
    error_response::ErrorResponse,
    intents,
    log::{self, LogEntry},
    request::Request,
    response::Response,
    session_operations,
};
use crate::issuer::{
    feed::intent::Wanted,
    sessions::{cutoff::Party, session_id::SessionId},
};
/// A shorter body is not worth compressing, in bytes.
const LEAST_COMPRESSED: usize = 1024;

/// Whose tokens are to be revoked: a value of one of [`Target::CLAIMS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target<'t> {
    Subject(&'t str),
    Session(SessionId),
    Client(&'t str),
    Key(&'t str),
}

impl<'t> Target<'t> {
    /// The claims that name a target, here and in process: those that tokens have.
    pub(super) const CLAIMS: [&'static str; 4] = ["sub", "sid", "client_id", "kid"];

    /// What has that value in that claim; `None` for a `sid` that names no session, and for other
    /// claims.
    pub(super) fn of(claim: &str, value: &'t str) -> Option<Self> {
        match claim {
            "sub" => Some(Target::Subject(value)),
            "sid" => SessionId::parse(value).map(Target::Session),
            "client_id" => Some(Target::Client(value)),
            "kid" => Some(Target::Key(value)),
            _ => None,
        }
    }
}

/// The snapshot, or what has come since a version. Documents are signed now, and say so: nobody
/// may keep them.
pub(super) async fn feed(
    issuer: &Issuer,
    request: &Request,
    query: Option<&str>,
    channel: &Channel,
) -> Result<Response, ErrorResponse> {
    let feed = issuer.settings.feed.as_ref();
    let feed = feed.ok_or_else(|| ErrorResponse::new(404, "invalid_request", "url: this issuer has no feed"))?;
    let text = query.filter(|query| !query.is_empty()).map(|query| query.strip_prefix("since=").unwrap_or("?"));
    let since = text.map(|text| {
        let since = feed.since(text);
        since.ok_or_else(|| {
            ErrorResponse::request("since", "must be the version or the cursor of the list that the client holds")
        })
    });
    let since = since.transpose()?;
    // A document is as old as its reading: what is revoked while it is under way may be missing in
    // it.
    let read_at = channel.now();
    let log = log::read(issuer, channel, since.as_ref()).await?;
    let of = (log.place(), read_at);
    let known = locked(&issuer.ledger.answers).get(of.clone(), text);
    let answer = match known {
        Some(answer) => answer,
        None => {
            let answer = feed.answer(&log, since.as_ref(), read_at).map_err(super::IssuerError::from)?;
            locked(&issuer.ledger.answers).put(&of, text, &answer);
            answer
        }
    };
    let encodings = request.header("accept-encoding").unwrap_or_default();
    let compressed = answer.body.len() >= LEAST_COMPRESSED && encodings.split(',').any(|it| it.trim() == "gzip");
    let response = Response { status: answer.status, headers: Vec::new(), body: answer.body };
    let response = response
        .with("content-type", "text/plain; charset=utf-8")
        .with("cache-control", "no-store")
        .with("vary", "accept-encoding")
        .with("etag", &format!("\"{}\"", answer.version));
    // Whoever sends it compresses it: base64url has a quarter to lose.
    Ok(if compressed { response.with("content-encoding", "gzip") } else { response })
}

/// The administrator's revoke: a `claim` and its `value`, from a client that may.
///
/// The claim is no parameter of its own: in a form `client_id` names the client that asks (RFC
/// 6749 §2.3.1).
pub(super) async fn administer(
    issuer: &Issuer,
    request: &Request,
    channel: &Channel,
) -> Result<Response, ErrorResponse> {
    let Caller { client, form } = authenticate::caller(&issuer.settings, request, channel).await?;
    if !client.administers {
        return Err(ErrorResponse::unauthorized(
            "client_id",
            "must be a client that may revoke; set administers: true in its configuration",
        ));
    }
    let claim = form.get("claim").filter(|claim| Target::CLAIMS.contains(claim));
    let claim = claim.ok_or_else(|| ErrorResponse::request("claim", "must be sub, sid, client_id or kid"))?;
    let target = Target::of(claim, form.required("value")?);
    let target = target.ok_or_else(|| ErrorResponse::request("value", "must be 16 bytes in base64url, as in sid"))?;
    revoke(issuer, channel, target).await?;
    Ok(Response::empty(204))
}

/// Takes back what that names, here and at every edge.
pub(super) async fn revoke(issuer: &Issuer, channel: &Channel, target: Target<'_>) -> Result<(), ErrorResponse> {
    match target {
        Target::Session(sid) => session_operations::end(issuer, channel, sid).await,
        Target::Subject(subject) => {
            let wanted = Wanted::Subject(subject.to_owned());
            end_all(issuer, channel, Party::Subject(subject.to_owned()), wanted).await
        }
        Target::Client(client) => {
            let wanted = Wanted::Client(client.to_owned());
            end_all(issuer, channel, Party::Client(client.to_owned()), wanted).await
        }
        Target::Key(kid) => {
            let wanted = Wanted::Key(kid.to_owned());
            let mut intent = intents::open(issuer, channel, wanted.clone()).await;
            intents::mark_key(channel, kid).await?;
            intents::append(issuer, channel, &mut intent, LogEntry::of(wanted)).await?;
            intents::close(issuer, intent);
            channel.report(json!({ "kind": "revoked", "kid": kid, "at": channel.now() }));
            Ok(())
        }
    }
}

/// Ends all sessions of the party. The store first: whatever it grants from now on is dated after
/// the cutoff, which the feed then names.
async fn end_all(issuer: &Issuer, channel: &Channel, party: Party, wanted: Wanted) -> Result<(), ErrorResponse> {
    let mut intent = intents::open(issuer, channel, wanted.clone()).await;
    let before = intents::cut_off(issuer, channel, party).await?;
    intents::append(issuer, channel, &mut intent, LogEntry { wanted, before }).await?;
    intents::close(issuer, intent);
    Ok(())
}
