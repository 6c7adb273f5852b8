const EXIT = `exit codes
  0  good: the policy, the token or the key set is accepted
  1  refused: it is not accepted
  2  misuse: an unknown option, a file or URL that cannot be read, a mistake in the policy of \`verify\``;

/** What `portcullis --help` prints. */
export const GENERAL = `portcullis: checks policies, tokens and key sets

  portcullis check policy.json              checks a policy and shows what it trusts and requires
  portcullis verify --policy P TOKEN|-      verifies a token by a policy
  portcullis inspect TOKEN|-                shows what a token says; verifies nothing
  portcullis keys URL|FILE                  shows the keys of a JWK Set and what is wrong with them
  portcullis seal policy.json -o gate.wasm  writes a policy into a wasm file
  portcullis keygen [--alg ES256|EdDSA]     makes a signing key; with --root a root secret
  portcullis migrate FILE…                  shows what calls of other JWT libraries come to
  portcullis init NAME [FOLDER]             writes a project that runs; init --help has the names

  --json         prints one JSON object on standard output
  -h, --help     prints this text; after a command, the help of that command
  -V, --version  prints the version

Give a token on standard input ("-"): other users of the machine can read command lines.

${EXIT}`;

/** What `portcullis COMMAND --help` prints. */
export const HELP: Record<string, string | undefined> = {
  check: `portcullis check policy.json|-

Reads a policy as a verifier and a gate do. Shows the issuers and keys that it trusts, the routes
with their requirements, and the headers that reach the origin. A mistake is shown with its JSON
pointer, line and column.

${EXIT}`,
  verify: `portcullis verify --policy policy.json [--keys FILE|URL | --offline] [--tenant VALUE]
                  [--now SECONDS] TOKEN|-

Verifies a token by a policy. Where the issuer's keys are remote (\`remote\` or a preset), they are
fetched as a gate fetches them.

  -p, --policy  the policy
  -k, --keys    the JWK Set of the token's issuer; nothing is fetched from the issuer then
  --offline     fetches nothing: only the keys in the policy count
  --tenant      the tenant to accept where the policy has "tenants": "resolver": VALUE, or
                NAME=VALUE once for each hole of the issuer's name
  --now         the time to verify by, in whole seconds since 1970; the current time by default

${EXIT}`,
  inspect: `portcullis inspect [--now SECONDS] TOKEN|-

Shows a token's header and claims with readable times. It verifies nothing: anyone may have written them.

  --now  the time that the readable times are relative to, in whole seconds since 1970

${EXIT}`,
  keys: `portcullis keys [--alg ALG,…] URL|FILE|-

Shows each key of a JWK Set, whether it can be used, and if not, why. A URL begins with https://,
or with http:// on localhost, 127.0.0.1 or [::1]. The set is good if at least one key can be used.

  --alg  the algorithms of the policy's issuer (issuers[].algorithms): they settle what a key
         without "alg" is for

${EXIT}`,
  seal: `portcullis seal policy.json -o gate.wasm

Checks a policy and writes it, keys included, into a custom section of the wasm file. Verifier and
policy are then one file with one digest, which is printed. createVerifier.fromSealed reads it.

  -o, --output  the file to write; an existing file is replaced

${EXIT}`,
  migrate: `portcullis migrate FILE…

Finds the calls of jsonwebtoken, jose, fast-jwt, aws-jwt-verify, express-oauth2-jwt-bearer, jwt-decode,
hono/jwk, hono/jwt and oidc-client-ts in JavaScript and TypeScript. Prints for each the policy that it
comes to, what becomes stricter, what is left to fill in, and a diff. It writes nothing: pass the diff
on to \`git apply\` when you have read it. The source is read by the TypeScript of your project.

${EXIT}
     migrate: 1 when something is left to fill in or to do by hand`,
  init: `portcullis init NAME [FOLDER]

Writes a project that runs. Its keys and secrets are new. The folder is new or empty: "my-" and the
name by default. Its README.md says how to start it and what to send it.

  worker                  a Cloudflare Worker behind a gate
  worker-hono             a Cloudflare Worker with Hono
  gate                    a Node server behind a gate
  express                 Node with Express
  next                    Next, with a proxy before its API
  axum                    Rust with axum
  issuer                  an authorization server on Node, in memory
  issuer-postgres         an authorization server on Node and Postgres
  issuer-durable-objects  an authorization server on Workers and Durable Objects

${EXIT}`,
  keygen: `portcullis keygen [--alg ES256|EdDSA] [-o private.jwk]
portcullis keygen --root [-o root.json]

Makes a signing key and prints it with the JWK Set to publish. With --root it makes a root secret
instead, in the form that rootKeys of createIssuer takes: { "base64url": "…" }.

  --alg         the algorithm of the signing key; ES256 by default
  --root        makes a root secret
  -o, --output  a new file for the secret part, which only you can read; it is not printed then

${EXIT}`,
};
