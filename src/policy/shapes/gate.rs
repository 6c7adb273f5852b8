//! The section `gate`. A verifier skips it; the gate's reader checks by these tables.

use crate::document::shape::{Kind, Member, Shape};

/// What a route may allow in its paths.
pub(crate) const IN_PATHS: [&str; 6] = ["%23", "%25", "%2F", "%3F", "%5C", ";"];

/// What the gate does with requests.
pub(crate) const GATE: Shape = Shape::new(&[
    Member::new("realm", Kind::Text, "The realm that challenges name (RFC 9110 §11.5)."),
    Member::new(
        "credentials",
        Kind::Object(&CREDENTIALS),
        "Where the token is. By default it is in the Authorization header, by the scheme Bearer (RFC 6750 §2.1) or DPoP (RFC 9449 §7.1).",
    ),
    Member::new("requirement", Kind::Object(&REQUIREMENT), "The requirement where no route matches."),
    Member::new(
        "routes",
        Kind::Array(&Kind::Object(&ROUTE)),
        "Requirements by path and method. The first route that matches every reading of the path decides. Earlier routes that match only \
         some readings (other case, trailing slash, escapes) must be satisfied as well.",
    ),
    Member::new("forward", Kind::Object(&FORWARD), "What the origin receives."),
    Member::new(
        "networks",
        Kind::Map(&Kind::Texts),
        "Networks by name, each a list of addresses and CIDR ranges, IPv4 and IPv6.",
    ),
    Member::new(
        "proxies",
        Kind::Object(&PROXIES),
        "The trusted proxies in front of the service. Only their headers about a client are believed; without them none are.",
    ),
    Member::new("dpop", Kind::Object(&DPOP), "Rules for DPoP proofs (RFC 9449 §4.3)."),
    Member::new(
        "origins",
        Kind::Texts,
        "The origins under which the service is reached, such as \"https://api.example\". A request for another origin is refused. \"http://localhost:*\" stands for every port of a loopback name.",
    ),
    Member::new(
        "plainHttpFrom",
        Kind::Texts,
        "Networks from which plain HTTP is accepted: names from `networks`, addresses or CIDR ranges. The connection must come from there; behind a trusted proxy, the client's connection as well.",
    ),
    Member::new(
        "cors",
        Kind::Object(&CORS),
        "Cross-origin requests: the answer to CORS preflights, and which scripts may read a refusal (Fetch §3.3). Without it no origin is allowed.",
    ),
    Member::new(
        "preflight",
        Kind::Choice(&["answer", "pass"]),
        "Whether the gate answers CORS preflights itself, or passes them to the handler without a token.",
    )
    .default("\"answer\""),
    Member::new(
        "privateHosts",
        Kind::Texts,
        "Private hosts that an issuer's metadata may name, such as \"keys.corp\". An issuer's own host is allowed.",
    ),
    Member::new(
        "problemTypes",
        Kind::Text,
        "The `type` of the problems in refusals (RFC 9457 §3.1.1): the URI of a code's page, with {code} in place of the code. Without it the type is about:blank.",
    ),
]);

const CORS: Shape = Shape::new(&[
    Member::new(
        "origins",
        Kind::Either(&Kind::Choice(&["any"]), &Kind::Texts),
        "The origins whose scripts may call the service, such as \"https://app.example\"; \"any\" for all of them.",
    )
    .required(),
    Member::new("methods", Kind::Texts, "The methods that a script may use.")
        .default("[\"GET\", \"HEAD\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\"]"),
    Member::new(
        "headers",
        Kind::Texts,
        "Request headers that a script may set, besides Content-Type and those of the gate's own credentials.",
    ),
    Member::new("exposeHeaders", Kind::Texts, "Response headers that a script may read, besides those of a refusal."),
    Member::new(
        "credentials",
        Kind::Boolean,
        "Whether a script may send cookies. Must not be combined with the origins \"any\".",
    )
    .default("false"),
    Member::new(
        "maxAgeSeconds",
        Kind::Integer(0, 86_400),
        "How long a browser may remember the answer to a preflight.",
    )
    .default("600"),
]);

const CREDENTIALS: Shape = Shape::new(&[
    Member::new("header", Kind::Text, "The header that holds the token, in place of Authorization."),
    Member::new("scheme", Kind::Text, "The scheme in front of the token, in place of Bearer."),
    Member::new("cookie", Kind::Text, "The cookie that holds the token, in place of a header."),
    Member::new(
        "subprotocol",
        Kind::Text,
        "The WebSocket subprotocol behind which the token stands: \"bearer\" for `new WebSocket(url, [\"bearer\", token])`.",
    ),
    Member::new(
        "precedence",
        Kind::Array(&Kind::Choice(&["header", "cookie", "subprotocol"])),
        "Which credentials count where a request has several, the first one first. By default such a request is refused.",
    ),
    Member::new(
        "csrf",
        Kind::Either(&Kind::Choice(&["off"]), &Kind::Object(&CSRF)),
        "The pages that may send a request with the cookie, where the method is unsafe (RFC 9110 §9.2.1) or a WebSocket is opened. By default those of the request's own origin; \"off\" for a defence of your own.",
    ),
]);

const CSRF: Shape = Shape::new(&[
    Member::new(
        "methods",
        Kind::Choice(&["unsafe", "all"]),
        "Whether GET, HEAD and OPTIONS requests must come from such a page as well.",
    )
    .default("\"unsafe\""),
    Member::new("origins", Kind::Texts, "Origins of further pages, such as \"https://app.example\"."),
]);

/// What is asked of a request: in the policy, and as an argument of a check.
pub(crate) const REQUIREMENT: Shape = Shape::new(&[
    Member::new("scopes", Kind::Texts, "Scopes that the token must have, all of them (`scope`, or `scp`)."),
    Member::new("anyScope", Kind::Texts, "Scopes; the token must have at least one of them."),
    Member::new(
        "claims",
        Kind::Array(&Kind::Object(&CLAIM)),
        "Roles and entitlements: claims by their exact path, and the values they must hold.",
    ),
    Member::new("acr", Kind::Texts, "Authentication contexts; the token's `acr` must be one of them (RFC 9470)."),
    Member::new(
        "maxAgeSeconds",
        Kind::Integer(0, 31_536_000),
        "The longest time since the user authenticated (`auth_time`), in seconds (RFC 9470).",
    ),
    Member::new(
        "networks",
        Kind::Texts,
        "Networks; the client's address must be in one of them. Names from `networks`, addresses or CIDR ranges.",
    ),
    Member::new("networkClaim", Kind::Text, "The claim that lists the networks the client's address must be in."),
    Member::new("types", Kind::Texts, "The accepted `typ`, narrower than the issuer's."),
    Member::new(
        "binding",
        Kind::Choice(&["dpop", "mtls", "any"]),
        "How the client must prove possession of the token's key. For a token that is bound to a key it must always do so.",
    ),
    Member::new("anonymous", Kind::Boolean, "Lets requests without credentials pass. Bad credentials never do.")
        .default("false"),
]);

const CLAIM: Shape = Shape::new(&[
    Member::new("path", Kind::Texts, "The path to the claim: member names, from the outermost inwards.").required(),
    Member::new("allOf", Kind::Texts, "Values that the claim (a string or an array of strings) must all contain."),
    Member::new("anyOf", Kind::Texts, "Values; the claim must contain at least one of them."),
])
.with_any_of(&["allOf", "anyOf"]);

const ROUTE: Shape = Shape::new(&[
    Member::new(
        "path",
        Kind::Text,
        "A path as URLPattern writes it: literals, `:name`, `*`, groups in braces, and `?`, `+`, `*` behind them.",
    )
    .required(),
    Member::new("methods", Kind::Texts, "The methods that the route applies to. By default all of them."),
    Member::new(
        "allowInPath",
        Kind::Array(&Kind::Choice(&IN_PATHS)),
        "What may stand in paths here although servers read it in different ways: `%2F` for `/@scope%2Fname`. Elsewhere it is refused.",
    ),
    Member::new(
        "requirement",
        Kind::Either(&Kind::Choice(&["public"]), &Kind::Object(&REQUIREMENT)),
        "The requirement of this route; \"public\" asks for nothing and looks at no credentials.",
    )
    .required(),
]);

const FORWARD: Shape = Shape::new(&[
    Member::new(
        "claims",
        Kind::Map(&Kind::Text),
        "Claims, by name or dotted path, and the header in which the origin receives each. What a client sends in these headers is removed.",
    ),
    Member::new("token", Kind::Choice(&["strip", "keep"]), "Whether the origin receives the token itself.")
        .default("\"strip\""),
]);

const PROXIES: Shape = Shape::new(&[
    Member::new("trusted", Kind::Texts, "Addresses and CIDR ranges of the proxies.").required(),
    Member::new(
        "header",
        Kind::Text,
        "The header that holds the client's address. \"forwarded\" (RFC 7239) says scheme and host as well, in place of X-Forwarded-Proto and X-Forwarded-Host.",
    )
    .default("\"x-forwarded-for\""),
    Member::new(
        "host",
        Kind::Boolean,
        "Whether the proxies send the requested host: in X-Forwarded-Host, where they replace what a client writes, or in Forwarded.",
    )
    .default("false"),
    Member::new(
        "prefix",
        Kind::Boolean,
        "Whether the proxies send the path prefix that they removed, in X-Forwarded-Prefix, where they replace what a client writes. The `htu` of a DPoP proof has it.",
    )
    .default("false"),
]);

const DPOP: Shape = Shape::new(&[
    Member::new("iatWindowSeconds", Kind::Integer(1, 300), "The greatest age of a proof, in seconds.").default("60"),
    Member::new("nonce", Kind::Boolean, "Whether each proof must have a nonce from the gate (RFC 9449 §8).")
        .default("false"),
    Member::new("nonceSeconds", Kind::Integer(10, 3_600), "How long a nonce is valid, in seconds.").default("60"),
    Member::new("algorithms", Kind::Array(&Kind::Choice(&["ES256", "EdDSA", "RS256"])), "The algorithms of proofs.")
        .default("[\"ES256\", \"EdDSA\", \"RS256\"]"),
]);
