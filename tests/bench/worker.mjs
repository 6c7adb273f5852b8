// The worker that is measured: it verifies a list of tokens with one library. Its clock stands
// still within a request, so it is timed from outside.
import { importJWK, jwtVerify } from 'jose';
import { createVerifier } from 'portcullis';

import { gates, requestWith } from './gates.mjs';

let verifiers;
let tokens = [];

async function make({ whole, ...setup }) {
  return whole ? makeGates(setup) : makeVerifiers(setup);
}

/** Whole requests: the tokens go into one each. */
function makeGates(setup) {
  const made = Object.entries(gates(setup));
  return Object.fromEntries(made.map(([name, accepts]) => [name, (token) => accepts(requestWith(token))]));
}

async function makeVerifiers({ alg, jwk, issuer, audience, type }) {
  const verifier = createVerifier({ issuers: [{ issuer, audience, jwks: { keys: [jwk] } }] });
  const made = { nothing: () => true, portcullis: (token) => verifier.verify(token).ok };
  if (alg === 'ES256K') return made;
  const key = await importJWK(jwk, alg);
  const options = { issuer, audience, algorithms: [alg], typ: type };
  made.jose = async (token) => {
    try {
      await jwtVerify(token, key, options);
      return true;
    } catch {
      return false;
    }
  };
  return made;
}

export default {
  async fetch(request) {
    const { setup, load, library } = await request.json();
    if (load) {
      tokens = load;
      return Response.json(tokens.length);
    }
    if (setup) {
      verifiers = await make(setup);
      return Response.json(Object.keys(verifiers));
    }
    const verify = verifiers[library];
    let accepted = 0;
    for (const token of tokens) {
      const verdict = verify(token);
      if (verdict === true || (verdict !== false && (await verdict))) accepted += 1;
    }
    return Response.json(accepted);
  },
};
