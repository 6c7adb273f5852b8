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
    Member::new("requirement", Kind::Object(&REQUIREMENT), "What is asked of a request where no route says otherwise."),
    Member::new(
        "routes",
        Kind::Array(&Kind::Object(&ROUTE)),
        "Requirements by path and method. The first route that matches every reading of the path decides. Earlier routes that match only \
         some readings (other case, trailing slash, escapes) must be satisfied as well.",
    ),
    Member::new("forward", Kind::Object(&FORWARD), "What is passed on to the origin."),
    Member::new(
        "networks",
        Kind::Map(&Kind::Texts),
        "Networks by name, each a list of addresses and CIDR ranges, IPv4 and IPv6.",
    ),
    Member::new(
        "proxies",
        Kind::Object(&PROXIES),
        "The proxies in front of us. Only what they say about a client is believed; without them no header of a request is.",
    ),
    Member::new("dpop", Kind::Object(&DPOP), "What is asked of a proof of possession (RFC 9449 §4.3)."),
    Member::new(
        "origins",
        Kind::Texts,
        "The origins under which the service is reached, such as \"https://api.example\". A request for another one is refused. \"http://localhost:*\" stands for every port of a loopback name.",
    ),
    Member::new(
        "plainHttpFrom",
        Kind::Texts,
        "Networks from which plain HTTP is accepted: names from `networks`, addresses or CIDR ranges. The connection has to begin there, and behind a trusted proxy the client's as well.",
    ),
    Member::new(
        "cors",
        Kind::Object(&CORS),
        "What a CORS preflight is answered, and which scripts may read a refusal (Fetch §3.3). Without it no origin is allowed.",
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
        "Hosts that are not public and may all the same be named by an issuer's metadata, such as \"keys.corp\". An issuer's own host may.",
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
    Member::new("credentials", Kind::Boolean, "Whether a script may send cookies along. Not with the origins \"any\".")
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
        "Which of them counts where several are there, the first one first. By default such a request is refused.",
    ),
    Member::new(
        "csrf",
        Kind::Either(&Kind::Choice(&["off"]), &Kind::Object(&CSRF)),
        "Which pages may have a request with the cookie sent. By default those of the request's own origin, where the method is unsafe (RFC 9110 §9.2.1) or a WebSocket is opened; \"off\" for a defence of your own.",
    ),
]);

const CSRF: Shape = Shape::new(&[
    Member::new(
        "methods",
        Kind::Choice(&["unsafe", "all"]),
        "Whether requests by GET, HEAD and OPTIONS have to come from such a page as well.",
    )
    .default("\"unsafe\""),
    Member::new("origins", Kind::Texts, "Origins of further pages, such as \"https://app.example\"."),
]);

/// What is asked of a request: in the policy, and as an argument of a check.
pub(crate) const REQUIREMENT: Shape = Shape::new(&[
    Member::new("scopes", Kind::Texts, "Scopes that the token must have, all of them (`scope`, or `scp`)."),
    Member::new("anyScope", Kind::Texts, "Scopes of which the token must have one."),
    Member::new(
        "claims",
        Kind::Array(&Kind::Object(&CLAIM)),
        "Roles and entitlements: claims by their exact path, and the values they must hold.",
    ),
    Member::new("acr", Kind::Texts, "Authentication contexts of which the token must name one in `acr` (RFC 9470)."),
    Member::new(
        "maxAgeSeconds",
        Kind::Integer(0, 31_536_000),
        "How long ago the user may have authenticated, by `auth_time` (RFC 9470).",
    ),
    Member::new(
        "networks",
        Kind::Texts,
        "Networks of which the client's address must be in one: names from `networks`, addresses or CIDR ranges.",
    ),
    Member::new("networkClaim", Kind::Text, "The claim that lists the networks the client's address must be in."),
    Member::new("types", Kind::Texts, "The accepted `typ`, narrower than the issuer's."),
    Member::new(
        "binding",
        Kind::Choice(&["dpop", "mtls", "any"]),
        "How possession of the token's key must be proven. A token that is bound to a key always has to be, whatever this says.",
    ),
    Member::new("anonymous", Kind::Boolean, "Lets requests without credentials pass. Bad credentials never do.")
        .default("false"),
]);

const CLAIM: Shape = Shape::new(&[
    Member::new("path", Kind::Texts, "The names that lead to the claim, from the outside in.").required(),
    Member::new("allOf", Kind::Texts, "Values that the claim, a string or an array of them, must all hold."),
    Member::new("anyOf", Kind::Texts, "Values of which it must hold one."),
])
.with_any_of(&["allOf", "anyOf"]);

const ROUTE: Shape = Shape::new(&[
    Member::new(
        "path",
        Kind::Text,
        "A path as URLPattern writes it: literals, `:name`, `*`, groups in braces, and `?`, `+`, `*` behind them.",
    )
    .required(),
    Member::new("methods", Kind::Texts, "The methods the route is about. By default all of them."),
    Member::new(
        "allowInPath",
        Kind::Array(&Kind::Choice(&IN_PATHS)),
        "What may stand in paths here although servers read it in different ways: `%2F` for `/@scope%2Fname`. Elsewhere it is refused.",
    ),
    Member::new(
        "requirement",
        Kind::Either(&Kind::Choice(&["public"]), &Kind::Object(&REQUIREMENT)),
        "What is asked on this route; \"public\" asks for nothing and looks at no credentials.",
    )
    .required(),
]);

const FORWARD: Shape = Shape::new(&[
    Member::new(
        "claims",
        Kind::Map(&Kind::Text),
        "Claims, by name or dotted path, and the header in which each is passed on. What a client sends in these headers is stripped.",
    ),
    Member::new("token", Kind::Choice(&["strip", "keep"]), "Whether the token itself is passed on.")
        .default("\"strip\""),
]);

const PROXIES: Shape = Shape::new(&[
    Member::new("trusted", Kind::Texts, "Addresses and CIDR ranges of the proxies.").required(),
    Member::new(
        "header",
        Kind::Text,
        "The header in which they say who the client is. \"forwarded\" (RFC 7239) says scheme and host as well, in place of X-Forwarded-Proto and X-Forwarded-Host.",
    )
    .default("\"x-forwarded-for\""),
    Member::new(
        "host",
        Kind::Boolean,
        "Whether they say which host was asked for: by X-Forwarded-Host, in which they replace what a client writes, or by Forwarded.",
    )
    .default("false"),
    Member::new(
        "prefix",
        Kind::Boolean,
        "Whether they say which path they took off, by X-Forwarded-Prefix, in which they replace what a client writes. The `htu` of a DPoP proof has it.",
    )
    .default("false"),
]);

const DPOP: Shape = Shape::new(&[
    Member::new("iatWindowSeconds", Kind::Integer(1, 300), "How old a proof may be, in seconds.").default("60"),
    Member::new("nonce", Kind::Boolean, "Asks for a nonce of ours in each proof (RFC 9449 §8).").default("false"),
    Member::new("nonceSeconds", Kind::Integer(10, 3_600), "How long a nonce is valid, in seconds.").default("60"),
    Member::new("algorithms", Kind::Array(&Kind::Choice(&["ES256", "EdDSA", "RS256"])), "The algorithms of proofs.")
        .default("[\"ES256\", \"EdDSA\", \"RS256\"]"),
]);
