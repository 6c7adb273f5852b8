const EXIT = `exit codes
  0  good: the policy, the token or the key set is accepted
  1  refused: it is not
  2  misuse: an unknown option, a file that cannot be read, a bad policy in front of a token`;

/** What `portcullis --help` prints. */
export const GENERAL = `portcullis: policies, tokens and key sets, looked at from a terminal

  portcullis check policy.json              is it a policy, and what does it say?
  portcullis verify --policy P TOKEN|-      is the token accepted by it?
  portcullis inspect TOKEN|-                what does a token say? (verifies nothing)
  portcullis keys URL|FILE                  what does a JWK Set hold, and what is wrong with it?
  portcullis seal policy.json -o gate.wasm  puts a policy into a wasm file
  portcullis keygen [--alg ES256|EdDSA]     makes a signing key

  --json      one JSON object on standard output, for machines
  -h, --help  this; with a command, more about it

A token is best given on standard input ("-"): what stands on a command line, others can read.

${EXIT}`;

/** What `portcullis COMMAND --help` prints. */
export const HELP: Record<string, string | undefined> = {
  check: `portcullis check policy.json|-

Reads a policy as a verifier and a gate would, and says what it trusts. A mistake is named by JSON pointer.

${EXIT}`,
  verify: `portcullis verify --policy policy.json [--keys FILE|URL] [--now SECONDS] TOKEN|-

Decides about a token by a policy.

  -p, --policy  the policy
  -k, --keys    the JWK Set that the token's issuer publishes, when the policy says \`remote\` or names a preset
  --now         the instant to judge by, in whole seconds since 1970

${EXIT}`,
  inspect: `portcullis inspect [--now SECONDS] TOKEN|-

Shows a token's header and claims with readable times. It verifies nothing: what it shows may have been written by anyone.

${EXIT}`,
  keys: `portcullis keys URL|FILE|-

Shows each key of a JWK Set, whether it can be used, and if not, why. URLs are https, or http on localhost, 127.0.0.1 or [::1].
Good means that at least one key can be used.

${EXIT}`,
  seal: `portcullis seal policy.json -o gate.wasm

Checks a policy and writes it, keys included, into a custom section of the wasm file: verifier and policy are then one file with one
digest, which is printed. createVerifier.fromSealed reads it.

  -o, --output  where to write; an existing file is replaced

${EXIT}`,
  keygen: `portcullis keygen [--alg ES256|EdDSA] [-o private.jwk]

Makes a signing key and prints it with the JWK Set to publish. With -o the private key goes to a new file that only you can read, and
only the set is printed.

${EXIT}`,
};
