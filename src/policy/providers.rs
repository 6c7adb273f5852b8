//! The table of providers: data, and nothing else.

use crate::policy::presets::{
    Parameter, Preset,
    Syntax::{Guid, Host, Label, Segment, Url},
    given, listed_as, preset,
};

/// Every preset. Its fields are what the provider documents: the pages are named beside the vectors
/// (`tests/vectors/generate/presets.mjs` and those named after it).
#[rustfmt::skip]
pub(super) const PRESETS: [Preset; 26] = [
    // ID tokens look alike and are for another audience: the client.
    preset("auth0", &[listed_as("domain", Host, "{domain}")], r#"{
"issuer":"https://<domain>/",
"remote":{"jwksUri":"https://<domain>/.well-known/jwks.json"},
"types":["JWT","at+jwt"]}"#),
    // The keys have no `alg`. Only access tokens say for which client they are: `appid`, and in
    // v2.0 `azp`.
    preset("entra-v1", &[listed_as("tenant", Guid, "{tid}")], r#"{
"issuer":"https://sts.windows.net/<tenant>/",
"remote":{"jwksUri":"https://login.microsoftonline.com/<tenant>/discovery/keys"},
"claims":{"tid":"<tenant>","ver":"1.0"},
"requiredClaims":["appid"],
"algorithms":["RS256"],
"types":["JWT"]}"#),
    preset("entra-v2", &[listed_as("tenant", Guid, "{tid}")], r#"{
"issuer":"https://login.microsoftonline.com/<tenant>/v2.0",
"remote":{"jwksUri":"https://login.microsoftonline.com/<tenant>/discovery/v2.0/keys"},
"claims":{"tid":"<tenant>","ver":"2.0"},
"requiredClaims":["azp"],
"algorithms":["RS256"],
"types":["JWT"]}"#),
    // Only access tokens have `cid`. There is no `typ`.
    preset("okta", &[given("domain", Host), Parameter { name: "authorizationServer", syntax: Label, default: Some("default"), hole: None }], r#"{
"issuer":"https://<domain>/oauth2/<authorizationServer>",
"remote":{"jwksUri":"https://<domain>/oauth2/<authorizationServer>/v1/keys"},
"requiredClaims":["cid"],
"algorithms":["RS256"],
"types":"any"}"#),
    // Access tokens have no `aud`; neither kind has a `typ`.
    preset("cognito-access", &[given("region", Label), listed_as("userPool", Label, "{userPool}")], r#"{
"issuer":"https://cognito-idp.<region>.amazonaws.com/<userPool>",
"remote":{"jwksUri":"https://cognito-idp.<region>.amazonaws.com/<userPool>/.well-known/jwks.json"},
"audienceClaim":"client_id",
"claims":{"token_use":"access"},
"algorithms":["RS256"],
"types":"any"}"#),
    preset("cognito-id", &[given("region", Label), listed_as("userPool", Label, "{userPool}")], r#"{
"issuer":"https://cognito-idp.<region>.amazonaws.com/<userPool>",
"remote":{"jwksUri":"https://cognito-idp.<region>.amazonaws.com/<userPool>/.well-known/jwks.json"},
"claims":{"token_use":"id"},
"algorithms":["RS256"],
"types":"any"}"#),
    // Both kinds, told apart by name.
    preset("cognito", &[given("region", Label), listed_as("userPool", Label, "{userPool}")], r#"{
"issuer":"https://cognito-idp.<region>.amazonaws.com/<userPool>",
"remote":{"jwksUri":"https://cognito-idp.<region>.amazonaws.com/<userPool>/.well-known/jwks.json"},
"alternatives":[
{"name":"access","audienceClaim":"client_id","claims":{"token_use":"access"}},
{"name":"id","claims":{"token_use":"id"}}],
"algorithms":["RS256"],
"types":"any"}"#),
    // ID tokens: access tokens are opaque.
    preset("google", &[], r#"{
"issuer":"https://accounts.google.com",
"remote":{"jwksUri":"https://www.googleapis.com/oauth2/v3/certs"},
"algorithms":["RS256"],
"types":["JWT"]}"#),
    preset("firebase", &[given("project", Segment)], r#"{
"issuer":"https://securetoken.google.com/<project>",
"audience":"<project>",
"remote":{"jwksUri":"https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com"},
"requiredClaims":["sub","auth_time"],
"algorithms":["RS256"],
"types":["JWT"]}"#),
    // The payload's own `typ` tells access tokens from ID and refresh tokens.
    preset("keycloak", &[given("url", Url), listed_as("realm", Segment, "{realm}")], r#"{
"issuer":"<url>/realms/<realm>",
"remote":{"jwksUri":"<url>/realms/<realm>/protocol/openid-connect/certs"},
"claims":{"typ":"Bearer"},
"types":["JWT","at+jwt"]}"#),
    // Tokens of the whole team have the type "org".
    preset("cloudflare-access", &[given("team", Label)], r#"{
"issuer":"https://<team>.cloudflareaccess.com",
"remote":{"jwksUri":"https://<team>.cloudflareaccess.com/cdn-cgi/access/certs"},
"claims":{"type":"app"},
"algorithms":["RS256"],
"types":["JWT"]}"#),
    // Every repository gets tokens, for any audience it asks for: the owner is what tells ours.
    preset("github-actions", &[given("owner", Label)], r#"{
"issuer":"https://token.actions.githubusercontent.com",
"remote":{"jwksUri":"https://token.actions.githubusercontent.com/.well-known/jwks"},
"claims":{"repository_owner":"<owner>"},
"algorithms":["RS256"],
"types":["JWT"]}"#),
    preset("apple", &[], r#"{
"issuer":"https://appleid.apple.com",
"remote":{"jwksUri":"https://appleid.apple.com/auth/keys"},
"algorithms":["RS256"],
"types":"any"}"#),
    // The issuer is the cluster's own.
    preset("kubernetes", &[], r#"{
"remote":{"discovery":"oidc"},
"requiredClaims":["sub","kubernetes.io"],
"types":"any"}"#),
    // Only sessions have `session_id`; keys of the project's API (`anon`, `service_role`) have
    // another issuer and role.
    preset("supabase", &[given("project", Label)], r#"{
"issuer":"https://<project>.supabase.co/auth/v1",
"audience":"authenticated",
"remote":{"jwksUri":"https://<project>.supabase.co/auth/v1/.well-known/jwks.json"},
"claims":{"role":"authenticated"},
"requiredClaims":["sub","session_id"],
"types":["JWT"]}"#),
    // Session tokens have no `aud`: `azp` is the origin of the page that asked for one. Tokens of
    // templates have no `sid`.
    preset("clerk", &[listed_as("domain", Host, "{domain}")], r#"{
"issuer":"https://<domain>",
"remote":{"jwksUri":"https://<domain>/.well-known/jwks.json"},
"audienceClaim":"azp",
"requiredClaims":["sub","sid"],
"algorithms":["RS256"],
"types":["JWT"]}"#),
    // Every customer has this issuer, and keys of its own; tokens name nobody as their audience.
    preset("workos", &[given("client", Label)], r#"{
"issuer":"https://api.workos.com",
"audience":"https://api.workos.com",
"audienceClaim":"iss",
"remote":{"jwksUri":"https://api.workos.com/sso/jwks/<client>"},
"requiredClaims":["sub","sid"],
"algorithms":["RS256"],
"types":"any"}"#),
    preset("better-auth", &[given("url", Url)], r#"{
"issuer":"<url>",
"audience":"<url>",
"remote":{"jwksUri":"<url>/api/auth/jwks"},
"requiredClaims":["sub"],
"types":"any"}"#),
    // ID tokens name the project as their audience as well, and have no `jti`.
    preset("zitadel", &[listed_as("domain", Host, "{domain}")], r#"{
"issuer":"https://<domain>",
"remote":{"jwksUri":"https://<domain>/oauth/v2/keys"},
"requiredClaims":["sub","jti"],
"types":"any"}"#),
    preset("logto", &[listed_as("domain", Host, "{domain}")], r#"{
"issuer":"https://<domain>/oidc",
"remote":{"jwksUri":"https://<domain>/oidc/jwks"},
"requiredClaims":["client_id"],
"types":["at+jwt"]}"#),
    // The issuer is a setting of the tenant. ID tokens have the same audience, and no `scope`.
    preset("fusionauth", &[given("url", Url), given("tenant", Guid)], r#"{
"remote":{"jwksUri":"<url>/.well-known/jwks.json"},
"claims":{"tid":"<tenant>"},
"requiredClaims":["applicationId","scope"],
"types":["JWT"]}"#),
    // By the central signing keys. ID tokens have no `client_id`; which `typ` there is, is a
    // setting.
    preset("pingfederate", &[given("url", Url)], r#"{
"issuer":"<url>",
"remote":{"jwksUri":"<url>/pf/JWKS"},
"requiredClaims":["client_id"],
"algorithms":["RS256"],
"types":"any"}"#),
    // Access tokens have the issuer of WS-Trust, which is no URL to fetch from; ID tokens have
    // another.
    preset("adfs", &[given("domain", Host)], r#"{
"issuer":"http://<domain>/adfs/services/trust",
"remote":{"jwksUri":"https://<domain>/adfs/discovery/keys"},
"requiredClaims":["appid"],
"algorithms":["RS256"],
"types":["JWT"]}"#),
    // All user flows of a tenant have one issuer: `tfp` says which one it was. The keys have no
    // `alg`.
    preset("azure-b2c", &[given("tenantName", Label), given("tenant", Guid), given("userFlow", Label)], r#"{
"issuer":"https://<tenantName>.b2clogin.com/<tenant>/v2.0/",
"remote":{"jwksUri":"https://<tenantName>.b2clogin.com/<tenantName>.onmicrosoft.com/<userFlow>/discovery/v2.0/keys"},
"claims":{"tfp":"<userFlow>"},
"requiredClaims":["azp"],
"algorithms":["RS256"],
"types":["JWT"]}"#),
    // Every application of every customer has this issuer and these keys: the audience is what
    // tells ours.
    preset("google-iap", &[], r#"{
"issuer":"https://cloud.google.com/iap",
"remote":{"jwksUri":"https://www.gstatic.com/iap/verify/public_key-jwk"},
"requiredClaims":["sub"],
"algorithms":["ES256"],
"types":["JWT"]}"#),
    // Every project gets tokens, for any audience it asks for: the namespace is what tells ours.
    // Names can be taken over, ids cannot.
    preset("gitlab-ci", &[Parameter { name: "url", syntax: Url, default: Some("https://gitlab.com"), hole: None }, given("namespaceId", Label)], r#"{
"issuer":"<url>",
"remote":{"jwksUri":"<url>/oauth/discovery/keys"},
"claims":{"namespace_id":"<namespaceId>"},
"requiredClaims":["project_id","job_id"],
"algorithms":["RS256"],
"types":["JWT"]}"#),
];
