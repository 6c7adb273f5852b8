//! A browser's authorization request, for the application's own page.

use serde_json::{Value, json};

use super::{
    super::{
        channel::Channel, error_response::ErrorResponse, form::Form, rate_limit, request::Request, response::Response,
        settings::Settings,
    },
    authorization_error::{AuthorizationError, GUARDS},
    browser::Browser,
    pushed,
    request::{AuthorizationRequest, checked, client},
    sealed::{Pending, seal},
};
use crate::{base64url, issuer::random::random};

/// Checks a request: `{ "outcome": "ask", … }` for the application's own login and consent, or
/// `{ "outcome": "response", "response": … }`, which is ready to be sent.
pub(in super::super) async fn begin(settings: &Settings, request: &Request, channel: &Channel) -> Response {
    let body = match asked(settings, request, channel).await {
        Ok(body) => body,
        Err(error) => {
            if let AuthorizationError::Shown(error) = &error {
                error.report(channel);
            }
            json!({ "outcome": "response", "response": error.response(settings) })
        }
    };
    Response::json(200, &body)
}

async fn asked(settings: &Settings, request: &Request, channel: &Channel) -> Result<Value, AuthorizationError> {
    let query = request.target(settings)?.query;
    if let Some(address) = &request.address {
        rate_limit::check(channel, rate_limit::address_key(address), settings.address_rate).await?;
    }
    // RFC 6749 §3.1: GET has to be taken, and POST may be.
    let form = match request.method.as_str() {
        "GET" => Form::parse_repeated(query.unwrap_or_default())?,
        "POST" => Form::parse_repeated(&request.form_text(channel).await?)?,
        _ => return Err(ErrorResponse::method("GET, POST").into()),
    };
    let client = client(settings, &form)?;
    let reference = pushed::reference(&form);
    let checked = match reference {
        Some(_) if form.is_repeated("request_uri") => {
            return Err(ErrorResponse::request("request_uri", "must not be repeated").into());
        }
        // RFC 9101 §5: what stands beside it counts for nothing.
        Some(reference) => checked(client, &pushed::find(client, reference, channel).await?, true)?,
        None => checked(client, &form, false)?,
    };
    let there = |error: ErrorResponse| AuthorizationError::Redirected { back: Box::new(checked.back()), error };
    let browser = Browser::of(settings, request).map_err(|error| there(error.into()))?;
    let id = base64url::encode(&random::<16>().map_err(|error| there(error.into()))?);
    let now = channel.now();
    let pushed = reference.map(str::to_owned);
    let pending = Pending { request: checked.clone(), browser: browser.hash(), id, pushed, began: now.get() };
    let sealed = seal(settings, &pending, now);
    let sealed = sealed.ok_or_else(|| there(ErrorResponse::request("state", "makes the request too long")))?;
    Ok(ask(&checked, &sealed, &browser.set_cookie(settings)))
}

/// What the application's page has to know. What the request leaves out is left out.
fn ask(request: &AuthorizationRequest, sealed: &str, cookie: &str) -> Value {
    let mut headers: Vec<(&str, &str)> = vec![("cache-control", "no-store")];
    headers.extend(GUARDS);
    let mut ask = json!({
        "outcome": "ask",
        "sealed": sealed,
        "cookie": cookie,
        "headers": headers.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "clientId": request.client_id,
        "redirectUri": request.redirect_uri,
        "scope": request.scope,
        "resource": request.resource,
        "prompt": request.prompt,
        "maxAgeSeconds": request.max_age_seconds,
        "acrValues": request.acr_values,
        "loginHint": request.login_hint,
        "nonce": request.nonce,
        "dpopJkt": request.dpop_jkt,
    });
    if let Some(members) = ask.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    ask
}
