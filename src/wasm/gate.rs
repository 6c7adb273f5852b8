//! The gate. A question that others answered something to crosses the boundary as JSON, and so
//! does every step but the usual one; the usual question and the usual answer are text and numbers
//! in the wasm memory. State is interior, as in the verifier.

#![allow(unreachable_pub, reason = "wasm_bindgen exports public items alone")]

use core::cell::RefCell;
use std::collections::BTreeMap;

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::lists::{self, Lists};
use super::{
    checked_instant,
    decision_memory::{DecisionMemory, Question},
    discovered, number, thrown,
    verdict_memory::VerdictMemory,
};
use crate::policy::RevocationSource;
use crate::{
    gate::Gate,
    policy::{IntrospectionSource, RemoteSource},
};

/// A gate by one policy at a time, and the verifier in it.
#[wasm_bindgen]
pub struct RawGate {
    gate: RefCell<Gate>,
    nonce_secret: Option<Vec<u8>>,
    memory: RefCell<VerdictMemory>,
    decisions: RefCell<DecisionMemory>,
    lists: RefCell<Lists>,
}

/// Where the keys and answers are that are fetched.
#[derive(Serialize)]
struct Sources<'g> {
    remotes: Vec<RemoteSource<'g>>,
    /// There are issuers whose tenants a resolver tells.
    resolves: bool,
    introspections: Vec<IntrospectionSource<'g>>,
    revocation: Option<RevocationSource<'g>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Profile<'g>>,
}

/// A tenant that is to be asked about.
#[derive(Serialize)]
struct Tenant<'g> {
    issuer: &'g str,
    tenant: BTreeMap<&'g str, &'g str>,
}

/// Which facts decisions rest on.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile<'g> {
    policy: &'g str,
    headers: Vec<&'g str>,
    of_requests: Vec<&'g str>,
    of_plain_http: Vec<&'g str>,
    by_path: bool,
    by_address: bool,
}

#[wasm_bindgen]
impl RawGate {
    /// Reads the policy.
    #[wasm_bindgen(constructor)]
    pub fn new(policy: &str, nonce_secret: Option<Vec<u8>>, resolves: bool) -> Result<RawGate, JsValue> {
        let mut gate = Gate::with_nonce_secret(policy, nonce_secret.as_deref()).map_err(|error| thrown(&error))?;
        if resolves {
            // The function is asked out there: a call from in here could come back in.
            gate = gate.with_tenant_resolver(|_: &str, _: &[(&str, &str)]| true);
        }
        Ok(RawGate {
            gate: RefCell::new(gate),
            nonce_secret,
            memory: RefCell::new(VerdictMemory::new()),
            decisions: RefCell::default(),
            lists: RefCell::default(),
        })
    }

    /// Takes another policy in place of the present one, which stays when the other is refused.
    /// Requirements keep their numbers.
    pub fn replace(&self, policy: &str) -> Result<(), JsValue> {
        let gate = self.gate.borrow().replaced(policy, self.nonce_secret.as_deref()).map_err(|error| thrown(&error))?;
        *self.gate.borrow_mut() = gate;
        Ok(())
    }

    /// Where the keys, answers and lists would be under another policy, and its profile, as JSON;
    /// nothing changes. Whatever `replace` would refuse is refused.
    #[wasm_bindgen(js_name = remotesUnder)]
    pub fn remotes_under(&self, policy: &str) -> Result<String, JsValue> {
        let gate = self.gate.borrow().replaced(policy, self.nonce_secret.as_deref()).map_err(|error| thrown(&error))?;
        Ok(sources(&gate, Some(profile(&gate))))
    }

    /// Keeps a requirement and gives its number.
    pub fn requirement(&self, json: &str) -> Result<f64, JsValue> {
        self.gate.borrow_mut().requirement(json).map(|id| number(id.number())).map_err(|error| thrown(&error))
    }

    /// The next step about a request.
    pub fn decide(&self, facts: &str, now: f64) -> Result<String, JsValue> {
        Ok(self.gate.borrow().decide_json(facts, checked_instant(now)?))
    }

    /// The next step about a request whose facts are in the input, `written` bytes of so many
    /// lines: see `Facts::with_lines`. A `requirement` below zero is none.
    #[wasm_bindgen(js_name = decideLines)]
    pub fn decide_lines(&self, written: usize, lines: usize, there: u8, requirement: i32, now: f64) -> u8 {
        let (memory, gate) = (self.memory.borrow(), self.gate.borrow());
        let text = memory.written(written);
        let question = Question { text, lines, there, requirement: u64::try_from(requirement).ok() };
        self.decisions.borrow_mut().decide(&gate, &question, now)
    }

    /// Where the answer to it is.
    pub fn decision(&self) -> usize {
        self.decisions.borrow().answer()
    }

    /// Takes the JWK Set that an issuer publishes: a `KeyReport` as JSON.
    #[wasm_bindgen(js_name = setRemoteKeys)]
    pub fn set_remote_keys(&self, issuer: &str, jwks: &str) -> Result<String, JsValue> {
        let report = self.gate.borrow_mut().set_remote_keys(issuer, jwks).map_err(|error| thrown(&error))?;
        Ok(serde_json::to_string(&report).unwrap_or_default())
    }

    /// Begins to take signed lists of revocations.
    #[wasm_bindgen(js_name = beginRevocations)]
    pub fn begin_revocations(&self, now: f64) -> Result<(), JsValue> {
        self.lists.borrow_mut().begin(now)
    }

    /// Takes the piece of them that is in the input.
    #[wasm_bindgen(js_name = moreRevocations)]
    pub fn more_revocations(&self, written: usize) {
        let memory = self.memory.borrow();
        self.lists.borrow_mut().more(self.gate.borrow_mut().verifier_mut(), memory.written(written));
    }

    /// What came of them.
    #[wasm_bindgen(js_name = endRevocations)]
    pub fn end_revocations(&self) -> Result<String, JsValue> {
        self.lists.borrow_mut().end(self.gate.borrow_mut().verifier_mut())
    }

    /// What was taken of them: 0 for nothing, and otherwise what the most of it was: 1 for
    /// renewals, 2 for deltas, 3 for a snapshot.
    #[wasm_bindgen(js_name = takenRevocations)]
    pub fn taken_revocations(&self) -> u8 {
        self.lists.borrow().taken()
    }

    /// Notes that lists were held which are gone with their instance.
    #[wasm_bindgen(js_name = loseRevocations)]
    pub fn lose_revocations(&self) {
        self.gate.borrow_mut().verifier_mut().lose_revocations();
    }

    /// Takes the Token Status List of that URI.
    #[wasm_bindgen(js_name = applyStatusList)]
    pub fn apply_status_list(&self, uri: &str, jwt: &str, now: f64) -> Result<String, JsValue> {
        lists::told(self.gate.borrow_mut().apply_status_list(uri, jwt, checked_instant(now)?))
    }

    /// The issuer that has a tenant of that name, and what stands in its holes, as JSON; nothing
    /// for any other name.
    pub fn tenant(&self, name: &str) -> Option<String> {
        let gate = self.gate.borrow();
        let (issuer, values) = gate.verifier().policy().tenant(name)?;
        let tenant: BTreeMap<&str, &str> = values.into_iter().collect();
        serde_json::to_string(&Tenant { issuer, tenant }).ok()
    }

    /// Takes a tenant in that was asked about: where its keys are, as JSON.
    #[wasm_bindgen(js_name = admitTenant)]
    pub fn admit_tenant(&self, name: &str) -> Option<String> {
        let mut gate = self.gate.borrow_mut();
        let is_admitted = gate.admit_tenant(name);
        let source = gate.verifier().policy().remotes().find(|source| source.issuer == name).filter(|_| is_admitted)?;
        serde_json::to_string(&source).ok()
    }

    /// Lets a tenant go that was taken in, with its keys; whether there was one.
    #[wasm_bindgen(js_name = withdrawTenant)]
    pub fn withdraw_tenant(&self, name: &str) -> bool {
        self.gate.borrow_mut().withdraw_tenant(name)
    }

    /// Takes the published keys of an issuer away.
    #[wasm_bindgen(js_name = forgetKeys)]
    pub fn forget_keys(&self, issuer: &str) {
        self.gate.borrow_mut().forget_remote_keys(issuer);
    }

    /// Where the keys, answers and lists are that are fetched, as JSON.
    pub fn remotes(&self) -> String {
        sources(&self.gate.borrow(), None)
    }

    /// Which facts decisions rest on, as JSON.
    pub fn profile(&self) -> String {
        serde_json::to_string(&profile(&self.gate.borrow())).unwrap_or_default()
    }

    /// Where an issuer's metadata says that its keys are: `{ "jwksUri": … }` or `{ "error": … }`
    /// as JSON.
    #[wasm_bindgen(js_name = readMetadata)]
    pub fn read_metadata(&self, issuer: &str, text: &str) -> String {
        discovered(self.gate.borrow().jwks_uri(issuer, text))
    }

    /// The version of the list of revocations that is held; -1 when none is.
    #[wasm_bindgen(js_name = revocationsVersion)]
    pub fn revocations_version(&self) -> f64 {
        self.gate.borrow().verifier().revocations_version().map_or(-1.0, number)
    }

    /// What its feed wants to be asked with.
    #[wasm_bindgen(js_name = revocationsCursor)]
    pub fn revocations_cursor(&self) -> Option<String> {
        let gate = self.gate.borrow();
        gate.verifier().revocations_cursor().map(str::to_owned)
    }

    /// Where the input is.
    pub fn input(&self) -> usize {
        self.memory.borrow().input()
    }

    /// Length of the input, in bytes.
    #[wasm_bindgen(js_name = inputBytes)]
    pub fn input_bytes(&self) -> usize {
        self.memory.borrow().input_bytes()
    }

    /// Where the answer is.
    pub fn answer(&self) -> usize {
        self.memory.borrow().answer()
    }

    /// The verdict about a token.
    pub fn verify(&self, written: usize, length: usize, now: f64) -> u8 {
        self.memory.borrow_mut().verify(self.gate.borrow().verifier(), written, length, now)
    }

    /// The verdict about the value of an Authorization header, or about there being none.
    #[wasm_bindgen(js_name = verifyAuthorization)]
    pub fn verify_authorization(&self, present: bool, written: usize, length: usize, now: f64, checked: bool) -> u8 {
        let gate = self.gate.borrow();
        self.memory.borrow_mut().verify_authorization(gate.verifier(), present, written, length, now, checked)
    }

    /// What is kept to be fast, as JSON.
    pub fn stats(&self) -> String {
        serde_json::to_string(&self.gate.borrow().verifier().stats()).unwrap_or_default()
    }
}

fn profile(gate: &Gate) -> Profile<'_> {
    Profile {
        policy: gate.policy_id(),
        headers: gate.headers(),
        of_requests: gate.headers_of_requests(),
        of_plain_http: gate.headers_of_plain_http(),
        by_path: gate.goes_by_path(),
        by_address: gate.goes_by_address(),
    }
}

fn sources<'g>(gate: &'g Gate, profile: Option<Profile<'g>>) -> String {
    let policy = gate.verifier().policy();
    let sources = Sources {
        remotes: policy.remotes().collect(),
        resolves: policy.asks_for_tenants(),
        introspections: policy.introspections().collect(),
        revocation: policy.revocation_source(),
        profile,
    };
    serde_json::to_string(&sources).unwrap_or_default()
}

impl core::fmt::Debug for RawGate {
    /// Never the secret.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("RawGate").field("gate", &self.gate).finish_non_exhaustive()
    }
}
