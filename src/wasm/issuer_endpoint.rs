//! The issuer's endpoints: requests and steps cross the boundary as JSON.

#![allow(unreachable_pub, reason = "wasm_bindgen exports public items alone")]

use core::cell::RefCell;
use std::sync::Arc;

use wasm_bindgen::prelude::*;

use super::{checked_instant, discovered, thrown};
use crate::{
    gate::metadata,
    issuer::{self, Exchange, Issuer, StepResult},
};

/// An issuer by one configuration.
#[wasm_bindgen]
#[derive(Debug)]
pub struct RawIssuer(Arc<Issuer>);

/// One request under way.
#[wasm_bindgen]
#[derive(Debug)]
pub struct RawExchange(RefCell<Exchange>);

#[wasm_bindgen]
impl RawIssuer {
    /// Reads a configuration, and the secrets apart from it.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &str, secrets: &str) -> Result<RawIssuer, JsValue> {
        Issuer::from_json(config, secrets).map(|issuer| RawIssuer(Arc::new(issuer))).map_err(|error| thrown(&error))
    }

    /// Begins to answer a request or a command.
    pub fn begin(&self, request: &str, now: f64) -> Result<RawExchange, JsValue> {
        Ok(RawExchange(RefCell::new(self.0.begin(request, checked_instant(now)?))))
    }

    /// The JWK Set at `now`, as JSON.
    pub fn jwks(&self, now: f64) -> Result<String, JsValue> {
        Ok(self.0.settings().jwks(checked_instant(now)?))
    }

    /// The JWK Set that the feed is signed with, as JSON; `undefined` without a feed.
    #[wasm_bindgen(js_name = feedJwks)]
    pub fn feed_jwks(&self) -> Option<String> {
        self.0.settings().feed_jwks()
    }

    /// Where the keys of upstream issuers are, as JSON.
    pub fn remotes(&self) -> String {
        self.0.settings().remotes()
    }

    /// Takes the JWK Set that an upstream issuer publishes: a `KeyReport` as JSON.
    #[wasm_bindgen(js_name = setRemoteKeys)]
    pub fn set_remote_keys(&self, issuer: &str, jwks: &str) -> Result<String, JsValue> {
        let report = self.0.settings().set_remote_keys(issuer, jwks).map_err(|error| thrown(&error))?;
        Ok(serde_json::to_string(&report).unwrap_or_default())
    }

    /// Where the metadata of an upstream issuer say that its keys are: `{ "jwksUri": … }` or `{
    /// "error": … }` as JSON.
    #[wasm_bindgen(js_name = readMetadata)]
    pub fn read_metadata(&self, issuer: &str, text: &str) -> String {
        discovered(metadata::jwks_uri(text, issuer, &[], &[]))
    }

    /// Takes the published keys of an upstream issuer away.
    #[wasm_bindgen(js_name = forgetKeys)]
    pub fn forget_keys(&self, issuer: &str) {
        self.0.settings().forget_remote_keys(issuer);
    }
}

#[wasm_bindgen]
impl RawExchange {
    /// What is to be done next, as JSON.
    pub fn step(&self) -> String {
        self.0.borrow().step_json()
    }

    /// Takes what the step came to, as JSON, and gives the next one.
    pub fn resume(&self, result: &str, now: f64) -> Result<String, JsValue> {
        let mut exchange = self.0.borrow_mut();
        exchange.resume(StepResult::from_json(result), checked_instant(now)?);
        Ok(exchange.step_json())
    }
}

/// What is kept of a client's secret.
#[wasm_bindgen(js_name = hashClientSecret)]
pub fn hash_client_secret(secret: &str) -> Result<String, JsValue> {
    issuer::hash_client_secret(secret).map_err(|error| thrown(&error))
}
