//! What a policy document may say: the tables that its reader checks by and its published JSON
//! Schema is made of.

mod gate;

// For the gate's own reader.
#[allow(unused_imports, reason = "the gate reads by them")]
pub(crate) use gate::{GATE, IN_PATHS, REQUIREMENT};

use crate::{
    deviation::Deviation,
    document::shape::{Kind, Member, Shape},
    keys::{secret::SECRET, tables::TableBudget},
    limits::Limits,
};

const SECONDS_A_DAY: u32 = 86_400;
const LEEWAY: u32 = 300;

const fn most(cap: usize) -> u32 {
    // No cap comes near 2³².
    #[allow(clippy::as_conversions, clippy::cast_possible_truncation)]
    let narrow = cap as u32;
    narrow
}

/// The whole document.
pub(crate) const POLICY: Shape = Shape::new(&[
    Member::new("$schema", Kind::Text, "The location of this schema, for editors. A verifier ignores it."),
    Member::new(
        "issuers",
        Kind::Array(&Kind::Object(&ISSUER)),
        "The trusted issuers: the exact name of each, its keys or where to find them, and rules for its tokens.",
    )
    .required(),
    Member::new(
        "leewaySeconds",
        Kind::Integer(0, LEEWAY),
        "The greatest difference between the issuer's clock and this one, in seconds.",
    )
    .default("5"),
    Member::new(
        "limits",
        Kind::Object(&LIMITS),
        "How large a token may be. It is checked before anything is copied or computed.",
    ),
    Member::new(
        "precompute",
        Kind::Boolean,
        "Builds the tables that make verification fast when the policy is read (a few milliseconds a key), instead of with a key's second token.",
    )
    .default("false"),
    Member::new(
        "tableBytes",
        Kind::Integer(0, most(TableBudget::BYTES_CAP)),
        "The most that the tables of all keys may take, in bytes; 0 for no tables. The table that was not used for longest is removed first.",
    )
    .default("2097152"),
    Member::new(
        "revocation",
        REVOCATION_KIND,
        "Revocation lists: which keys sign them, and what happens when the latest list is stale.",
    ),
    Member::new(
        "plainHttpHosts",
        Kind::Texts,
        "Private hosts from which keys, metadata, introspection responses and lists may be fetched over plain HTTP, such as \"keycloak\" or \"*.svc.cluster.local\". A gate refuses public hosts.",
    ),
    Member::new(
        "gate",
        Kind::Elsewhere,
        "Rules for requests: where credentials are, what each route requires, and what is forwarded. A verifier without a gate ignores it.",
    )
    .shaped(&GATE),
]);

/// One issuer, its preset expanded.
pub(crate) const ISSUER: Shape = Shape::new(&[
    Member::new(
        "issuer",
        Kind::Text,
        "The exact `iss`, compared byte for byte. With `tenants` it has named holes, as in `https://login.example/{tid}/v2.0`.",
    )
    .required(),
    Member::new(
        "tenants",
        Kind::Either(&Kind::Choice(&["resolver"]), &Kind::Lists),
        "The values that the hole of `issuer` may have, or those of each hole by its name; \"resolver\" has a function of the program say \
         which there are. Every tenant is an issuer with keys of its own; \
         `remote.jwksUri` may have the same holes. A token has to name the tenant in the claim of the hole's name as well.",
    ),
    Member::new(
        "holesWithoutClaim",
        Kind::Texts,
        "Holes for which this issuer's tokens have no claim: its name alone tells the tenant.",
    ),
    Member::new(
        "audience",
        Kind::Either(&Kind::Text, &Kind::Texts),
        "Our audience values: a token must name one of them, byte for byte.",
    )
    .required(),
    Member::new(
        "audienceClaim",
        Kind::Text,
        "Which claim is compared with `audience`, for issuers whose tokens have no `aud`. It must then be there.",
    )
    .default("\"aud\""),
    Member::new(
        "algorithms",
        Kind::Array(&Kind::Algorithm),
        "Narrows the algorithms to these, and settles that of a JWK without `alg`. By default a key says which it is for.",
    ),
    Member::new(
        "types",
        Kind::Either(&Kind::Choice(&["any"]), &Kind::Texts),
        "The accepted `typ` of the header, byte for byte, with or without `application/`. \"any\" takes every `typ` and none.",
    )
    .default("[\"at+jwt\"]"),
    Member::new(
        "deviations",
        Kind::Array(&Kind::Choice(Deviation::NAMES)),
        "Deviations from RFC 7515 and RFC 7519 that are accepted in this issuer's tokens alone: they have no `iss` or no `aud`, whole numbers for `sub`, `jti` and `client_id`, `null` for an absent claim, or padded segments.",
    ),
    Member::new("requiredClaims", Kind::Texts, "Claims that must be there, besides `iss`, `exp` and the audience."),
    Member::new(
        "claims",
        Kind::Map(&Kind::Scalar),
        "Claims that must be there with exactly this value, of exactly this type.",
    ),
    Member::new(
        "alternatives",
        Kind::Array(&Kind::Object(&ALTERNATIVE)),
        "Kinds of token of which each has to be one: the first that fits is named in the verdict. `requiredClaims` and `claims` add up with \
         those of the issuer; what else is given holds in place of the issuer's.",
    ),
    Member::new("jwks", Kind::Elsewhere, "Keys that are built in, as a JWK Set (RFC 7517 §5).").shaped(&JWKS),
    Member::new("keys", Kind::Array(&Kind::Object(&KEY)), "Keys that are built in, in other formats than JWK."),
    Member::new(
        "remote",
        Kind::Object(&REMOTE),
        "Where the issuer publishes its keys. A gate fetches them; those that are built in stay and come first.",
    ),
    Member::new(
        "introspection",
        Kind::Object(&INTROSPECTION),
        "The authorization server that a gate asks about this issuer's opaque tokens (RFC 7662). The client's secret is an option of the gate and never part of a policy.",
    ),
])
.with_any_of(&["jwks", "keys", "remote", "introspection"]);

const ALTERNATIVE: Shape = Shape::new(&[
    Member::new("name", Kind::Text, "The name by which a verdict tells it from the others.").required(),
    Member::new("audience", Kind::Either(&Kind::Text, &Kind::Texts), "Our audience values for this kind of token."),
    Member::new("audienceClaim", Kind::Text, "Which claim is compared with `audience`."),
    Member::new("types", Kind::Either(&Kind::Choice(&["any"]), &Kind::Texts), "The accepted `typ` of the header."),
    Member::new("requiredClaims", Kind::Texts, "Claims that must be there besides those of the issuer."),
    Member::new("claims", Kind::Map(&Kind::Scalar), "Claims with exact values besides those of the issuer."),
]);

const JWKS: Shape = Shape::new(&[Member::new(
    "keys",
    Kind::Array(&Kind::Object(&JWK)),
    "The keys. Those of kinds, uses and algorithms that are not supported are left out; a defective or private one is a mistake.",
)
.required()])
.open();

const JWK: Shape = Shape::new(&[
    Member::new("kty", Kind::Text, "The kind of key: EC, OKP, RSA or oct.").required(),
    Member::new("kid", Kind::Text, "Its identifier. A key without one fits every token of its algorithm."),
    Member::new(
        "alg",
        Kind::Text,
        "Its algorithm. Needed for RSA and oct, unless the issuer's `algorithms` leave one that fits.",
    ),
    Member::new("use", Kind::Text, "What it is for: keys for anything but \"sig\" are left out."),
    Member::new("crv", Kind::Text, "The curve of an EC or OKP key: P-256, P-384, P-521, secp256k1 or Ed25519."),
])
.open();

const KEY: Shape = Shape::new(&[
    Member::new("kid", Kind::Text, "The key's identifier. A key without one fits every token of its algorithm."),
    Member::new("alg", Kind::Algorithm, "The one algorithm the key is for.").required(),
    Member::new(
        "pem",
        Kind::Text,
        "A public key in PEM, labelled PUBLIC KEY (RFC 7468 §13) or RSA PUBLIC KEY (RFC 8017 appendix A.1.1), or the base64 between its lines. Line breaks may be written as \\n, or be missing.",
    ),
    Member::new(
        "certificate",
        Kind::Text,
        "An X.509 certificate in PEM (RFC 7468 §5), or the base64 between its lines. Its public key is taken, and nothing else of it is judged: no chain, no name and no time.",
    ),
    Member::new("spki", Kind::Text, "SubjectPublicKeyInfo in DER (RFC 5280 §4.1), as base64url without padding."),
    Member::new(
        "secret",
        SECRET,
        "A secret for HMAC, its encoding spelled out; at least as long as the hash (RFC 7518 §3.2).",
    ),
])
.with_one_of(&["pem", "spki", "certificate", "secret"]);

const REMOTE: Shape = Shape::new(&[
    Member::new(
        "jwksUri",
        Kind::Template,
        "Where the JWK Set is: https, or http on a loopback name. It may have holes of `issuer`.",
    ),
    Member::new(
        "discovery",
        Kind::Choice(&["oidc", "oauth"]),
        "Takes the `jwks_uri` from the issuer's own metadata: OpenID Connect Discovery, or RFC 8414.",
    ),
    Member::new(
        "minTtlSeconds",
        Kind::Integer(30, SECONDS_A_DAY),
        "The shortest time for which keys are kept before they are fetched again, whatever their response says.",
    )
    .default("60"),
    Member::new("maxTtlSeconds", Kind::Integer(30, 30 * SECONDS_A_DAY), "The longest time for which keys are kept.")
        .default("86400"),
    Member::new(
        "staleSeconds",
        Kind::Integer(0, 30 * SECONDS_A_DAY),
        "How long keys are used after their time when they cannot be fetched again.",
    )
    .default("86400"),
    Member::new("timeoutMs", Kind::Integer(100, 30_000), "How long a fetch may take, in milliseconds.").default("3000"),
    Member::new("maxBytes", Kind::Integer(1_024, 4_194_304), "The longest response that is read, in bytes.")
        .default("262144"),
])
.with_one_of(&["jwksUri", "discovery"]);

const INTROSPECTION: Shape = Shape::new(&[
    Member::new("endpoint", Kind::Url, "The introspection endpoint: https, or http on a loopback name.").required(),
    Member::new("clientId", Kind::Text, "The gate's `client_id` at the endpoint.").required(),
    Member::new(
        "authentication",
        Kind::Choice(&["client_secret_basic", "client_secret_post", "private_key_jwt"]),
        "How the gate authenticates (RFC 7591 §2).",
    )
    .default("\"client_secret_basic\""),
    Member::new(
        "cacheSeconds",
        Kind::Integer(0, 3_600),
        "For how long an answer is used again, at most; a token's `exp` ends it earlier. A revocation takes effect within it.",
    )
    .default("60"),
    Member::new("negativeCacheSeconds", Kind::Integer(0, 300), "How long the response \"not active\" is used again.")
        .default("10"),
    Member::new("timeoutMs", Kind::Integer(100, 30_000), "How long an answer may take, in milliseconds.")
        .default("2000"),
    Member::new("concurrency", Kind::Integer(1, 256), "The most introspection requests at a time.").default("16"),
]);

/// Where there is no revocation its section is not looked into, but refused.
const REVOCATION_KIND: Kind =
    if cfg!(any(feature = "revocation", test)) { Kind::Object(&REVOCATION) } else { Kind::Elsewhere };

const REVOCATION: Shape = Shape::new(&[
    Member::new(
        "jwks",
        Kind::Elsewhere,
        "The public keys that sign lists of revocations, as a JWK Set. None of them may sign tokens.",
    )
    .shaped(&JWKS),
    Member::new("keys", Kind::Array(&Kind::Object(&KEY)), "The public keys that sign lists of revocations, in other formats than JWK."),
    Member::new(
        "issuer",
        Kind::Text,
        "Whose lists these are, where a policy has several issuers: one of them. By default a list of each of them is taken.",
    ),
    Member::new(
        "feed",
        Kind::Url,
        "Where a gate pulls lists from: https, or http on a loopback name. Without it lists are handed over.",
    ),
    Member::new(
        "clientId",
        Kind::Text,
        "The client as which a gate authenticates at `feed` (`client_secret_basic`); its secret is a gate option. Without it the feed must be public.",
    ),
    Member::new(
        "statusLists",
        Kind::Array(&Kind::Object(&STATUS_LIST)),
        "Token Status Lists (draft-ietf-oauth-status-list) that a token may refer to.",
    ),
    Member::new(
        "maxStalenessSeconds",
        Kind::Integer(1, SECONDS_A_DAY),
        "For how long a list is relied on after it was made. It is how long a revoked token may still pass.",
    )
    .required(),
    Member::new(
        "pullSeconds",
        Kind::Integer(1, SECONDS_A_DAY),
        "How long after a pull a gate pulls again: a quarter of `maxStalenessSeconds` by default.",
    ),
    Member::new(
        "whenStale",
        Kind::Choice(&["deny", "introspect", "allow"]),
        "What happens to a token when the list is stale, or none has arrived yet: it is refused, a gate asks its issuer, or it is accepted and the verdict says so.",
    )
    .default("\"deny\""),
    Member::new("timeoutMs", Kind::Integer(100, 30_000), "How long a pull may take, in milliseconds.").default("5000"),
    Member::new("maxBytes", Kind::Integer(1_024, 67_108_864), "The longest response that is read, in bytes.")
        .default("16777216"),
])
.with_any_of(&["jwks", "keys", "statusLists"]);

const STATUS_LIST: Shape = Shape::new(&[
    Member::new("uri", Kind::Url, "Its exact `uri` in tokens, from which a gate pulls it.").required(),
    Member::new("jwks", Kind::Elsewhere, "The public keys that sign it, as a JWK Set.").shaped(&JWKS),
    Member::new(
        "keys",
        Kind::Array(&Kind::Object(&KEY)),
        "The public keys that sign lists of revocations, in other formats than JWK.",
    ),
    Member::new(
        "maxStalenessSeconds",
        Kind::Integer(1, 31 * SECONDS_A_DAY),
        "For how long it is relied on after it was made, where that differs from the other lists.",
    ),
])
.with_any_of(&["jwks", "keys"]);

const LIMITS: Shape = Shape::new(&[
    Member::new(
        "tokenBytes",
        Kind::Integer(1, most(Limits::TOKEN_BYTES_CAP)),
        "Longest token, in bytes of its compact serialization.",
    )
    .default("8192"),
    Member::new(
        "headerBytes",
        Kind::Integer(1, most(Limits::HEADER_BYTES_CAP)),
        "Longest header, in bytes of its decoded JSON text.",
    )
    .default("1024"),
    Member::new("depth", Kind::Integer(1, most(Limits::DEPTH_CAP)), "Deepest nesting of objects and arrays.")
        .default("16"),
    Member::new(
        "members",
        Kind::Integer(1, most(Limits::MEMBERS_CAP)),
        "Most object members in header or payload, all levels together.",
    )
    .default("128"),
]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        policy::sources::{Introspection, Remote},
        time::Leeway,
    };

    fn default(shape: &Shape, name: &str) -> u64 {
        let member = shape.members.iter().find(|member| member.name == name).unwrap();
        member.default.unwrap().parse().unwrap()
    }

    #[test]
    fn the_stated_defaults_are_those_that_hold() {
        let limits = Limits::default();
        assert_eq!(default(&LIMITS, "tokenBytes"), limits.token_bytes() as u64);
        assert_eq!(default(&LIMITS, "headerBytes"), limits.header_bytes() as u64);
        assert_eq!(default(&LIMITS, "depth"), limits.depth() as u64);
        assert_eq!(default(&LIMITS, "members"), limits.members() as u64);
        assert_eq!(default(&POLICY, "leewaySeconds"), Leeway::default().get());
        assert_eq!(u64::from(LEEWAY), Leeway::CAP);
        assert_eq!(default(&POLICY, "tableBytes"), TableBudget::default().bytes() as u64);
        assert_eq!(default(&REMOTE, "minTtlSeconds"), Remote::MIN_TTL);
        assert_eq!(default(&REMOTE, "maxTtlSeconds"), Remote::MAX_TTL);
        assert_eq!(default(&REMOTE, "staleSeconds"), Remote::STALE);
        assert_eq!(default(&REMOTE, "timeoutMs"), Remote::TIMEOUT_MS);
        assert_eq!(default(&REMOTE, "maxBytes"), Remote::MAX_BYTES);
        assert_eq!(default(&INTROSPECTION, "cacheSeconds"), Introspection::CACHE);
        assert_eq!(default(&INTROSPECTION, "negativeCacheSeconds"), Introspection::NEGATIVE_CACHE);
        assert_eq!(default(&INTROSPECTION, "timeoutMs"), Introspection::TIMEOUT_MS);
        assert_eq!(default(&INTROSPECTION, "concurrency"), Introspection::CONCURRENCY);
    }
}
