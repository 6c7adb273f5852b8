//! A token that our keys say nothing of: whose keys are to be fetched, or who is to be asked.

use crate::{
    claims,
    denial::Denial,
    gate::{
        facts::{Evidence, Introspected},
        judge::{Case, Outcome},
        step::Step,
        token_kind,
    },
    json::{Object, Value, read_object},
    jws::compact::{leading_parts_unverified, names_unverified},
    keys::freshness::BETWEEN_FETCHES,
    policy::Policy,
    rejection::{NotBase64url, Rejection, Segment, excerpt},
    revocation,
};

/// The next step after the verifier has refused a token.
///
/// # Errors
/// The verifier's rejection when nothing else is to be known, and what the authorization server's
/// answer brings.
pub(super) fn decide(case: &Case<'_>, rejection: Rejection) -> Result<Step, Denial> {
    let policy = case.gate.verifier.policy();
    if is_opaque(&rejection) {
        return match introspecting(policy).next() {
            Some(issuer) => introspect(case, policy, issuer),
            None => Err(rejection.into()),
        };
    }
    if !rejection.concerns_keys() {
        return Err(rejection.into());
    }
    let Some((name, kid)) = names_unverified(case.credentials.token, policy.limits()) else {
        return Err(rejection.into());
    };
    let Some(issuer) = policy.index_for(name.as_deref()) else {
        let Some(name) = name else {
            return Err(rejection.into());
        };
        // A tenant that is not listed passes here first, and nothing is fetched for one that does
        // not.
        if case.evidence.tenant_refused || policy.resolve(&name).is_none() {
            return Err(rejection.into());
        }
        return if case.evidence.keys_unchanged {
            Err(unavailable(case))
        } else {
            Ok(Step::NeedKeys { issuer: name, kid })
        };
    };
    if policy.remote_of(issuer).is_some() {
        return fetch(case, policy, issuer, kid, rejection);
    }
    let has_keys = case.gate.verifier.keys().has_any_of(issuer);
    if !has_keys && introspecting(policy).any(|other| other == issuer) {
        return introspect(case, policy, issuer);
    }
    Err(rejection.into())
}

/// Is it no JWT at all? What says it is one and is none, such as `alg: none`, nobody is asked
/// about.
fn is_opaque(rejection: &Rejection) -> bool {
    match rejection {
        Rejection::SegmentCount { .. } | Rejection::JsonMalformed { part: Segment::Header } => true,
        // A padded one is a JWT, of an issuer that does not pad in a policy with one that does.
        Rejection::SegmentNotBase64url { segment: Segment::Header, found } => *found != NotBase64url::Padding,
        _ => false,
    }
}

/// The issuer that the token names and the policy knows, and its `kid`.
///
/// Nobody has checked who wrote them. The name chooses between configured places and the `kid` is
/// only compared, so that the worst a forger can do is to have a JWK Set refreshed that is due;
/// the keys are then looked up by the header as before.
fn claimed(case: &Case<'_>, policy: &Policy) -> Option<(usize, Option<String>)> {
    let (issuer, kid) = names_unverified(case.credentials.token, policy.limits())?;
    Some((policy.index_for(issuer.as_deref())?, kid))
}

fn fetch(
    case: &Case<'_>,
    policy: &Policy,
    issuer: usize,
    kid: Option<String>,
    rejection: Rejection,
) -> Result<Step, Denial> {
    // A key that is there has answered.
    if kid.as_deref().is_some_and(|kid| case.gate.verifier.keys().has_named(issuer, kid)) {
        return Err(rejection.into());
    }
    if !case.evidence.keys_unchanged {
        return Ok(Step::NeedKeys { issuer: policy.issuer_name(issuer).unwrap_or_default().to_owned(), kid });
    }
    // Without any published key there is nothing to compare with: that says nothing against the
    // token.
    if case.gate.verifier.has_published_keys(issuer) {
        return Err(rejection.into());
    }
    Err(unavailable(case))
}

/// That keys could not be had.
fn unavailable(case: &Case<'_>) -> Denial {
    let Evidence { keys_failure, keys_retry_seconds, .. } = case.evidence;
    let retry_after = keys_retry_seconds.map_or(BETWEEN_FETCHES, |seconds| seconds.clamp(1, BETWEEN_FETCHES));
    Denial::KeysUnavailable {
        reason: keys_failure.map(excerpt),
        retry_after: u32::try_from(retry_after).unwrap_or_default(),
    }
}

/// The issuers that can be asked about a token.
fn introspecting(policy: &Policy) -> impl Iterator<Item = usize> {
    policy.introspections().filter_map(|source| policy.issuer_index(source.issuer))
}

/// RFC 7662 §2.2: an answer is judged by the rules for a token of that issuer, but for those about
/// a header, which it has none of.
fn introspect(case: &Case<'_>, policy: &Policy, issuer: usize) -> Result<Step, Denial> {
    let name = policy.issuer_name(issuer).unwrap_or_default();
    // Were it known only from the answer, another question would follow.
    let must_be_fresh = policy.asks_when_stale() && case.gate.verifier.list_is_stale(case.now);
    let (text, response) = match answer(case, policy, issuer, must_be_fresh)? {
        IntrospectionOutcome::Open(step) => return Ok(step),
        IntrospectionOutcome::Active(text, response) => (text, response),
    };
    let claims = claims::of_response(response, policy.deviations(issuer))?;
    let (verifier, token, fresh) = (&case.gate.verifier, case.credentials.token, !case.evidence.introspection_kept);
    let validity = match verifier.check_response(issuer, token, &claims, case.now, fresh) {
        Err(stale) if revocation::is_stale(&stale) && policy.asks_when_stale() && !fresh => {
            return Ok(question(case, policy, issuer, true));
        }
        checked => checked?,
    };
    let (_, payload) = leading_parts_unverified(token);
    let own = read_object(&payload, policy.limits()).ok();
    match case.judge(&claims.object, own.as_ref(), None, name, validity)? {
        Outcome::Open(step) => Ok(step),
        Outcome::Passed(passed) => {
            let told = claims.normal_form().unwrap_or_else(|| text.to_owned());
            Ok(passed.into_step(told, None))
        }
    }
}

/// Has a token's issuer say that it is active, where no list of revocations can tell. What else is
/// asked of it rests on the token itself, and not on an answer that may leave out what binds it.
/// `None` when the issuer has vouched for it.
pub(super) fn vouch(case: &Case<'_>, rejection: &Rejection) -> Result<Option<Step>, Denial> {
    let policy = case.gate.verifier.policy();
    let (issuer, _) = claimed(case, policy).ok_or_else(|| rejection.clone())?;
    match answer(case, policy, issuer, true)? {
        IntrospectionOutcome::Open(step) => Ok(Some(step)),
        IntrospectionOutcome::Active(..) => Ok(None),
    }
}

/// What an authorization server has said of a token.
enum IntrospectionOutcome<'a> {
    /// Nothing yet.
    Open(Step),
    /// That it is active: the text and what it says.
    Active(&'a str, Object<'a>),
}

fn question(case: &Case<'_>, policy: &Policy, issuer: usize, fresh: bool) -> Step {
    let token = case.credentials.token.to_owned();
    let issuer = policy.issuer_name(issuer).unwrap_or_default().to_owned();
    Step::NeedIntrospection { issuer, token, fresh }
}

fn answer<'a>(
    case: &Case<'a>,
    policy: &Policy,
    issuer: usize,
    fresh: bool,
) -> Result<IntrospectionOutcome<'a>, Denial> {
    let failed = |reason: &'static str| Denial::IntrospectionUnavailable { reason };
    let evidence = &case.evidence;
    let text = match evidence.introspection {
        None => return Ok(IntrospectionOutcome::Open(question(case, policy, issuer, fresh))),
        Some(Introspected::Response(_)) if fresh && evidence.introspection_kept => {
            return Ok(IntrospectionOutcome::Open(question(case, policy, issuer, true)));
        }
        Some(Introspected::Unavailable) => return Err(failed("unavailable")),
        Some(Introspected::Busy) => return Err(failed("busy")),
        Some(Introspected::Response(text)) => text,
    };
    let response = read_object(text.as_bytes(), policy.limits()).map_err(|_| failed("malformed"))?;
    match response.get("active") {
        Some(Value::Bool(true)) => {
            token_kind::check(policy, issuer, &response)?;
            Ok(IntrospectionOutcome::Active(text, response))
        }
        Some(Value::Bool(false)) => Err(Denial::TokenInactive),
        _ => Err(failed("malformed")),
    }
}
