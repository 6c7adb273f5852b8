// The issuer as its clients and its application see it, for faults and tabs: in Node and in
// workerd.

const CLIENT = 'page';
const BACK = 'https://app.example/back';
// RFC 7636 appendix B
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
export const CONFIG = {
  issuer: 'https://issuer.example',
  audience: 'https://api.example',
  // Those of tabs/rounds.mjs, and its rates are nobody's.
  sessions: { replayWindowSeconds: 60, rotationIntervalSeconds: 90, lateReplays: 2 },
  clients: [
    {
      clientId: CLIENT,
      authentication: 'none',
      grants: ['refresh_token', 'authorization_code'],
      scope: 'read',
      redirectUris: [BACK],
    },
  ],
  limits: { session: { requests: 1_000_000, seconds: 60 } },
};

/** What its processes share, from the platform's randomness. */
export function newSecrets(generateSigningKey) {
  const signing = generateSigningKey('EdDSA');
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
  return { signingKeys: [{ jwk: signing.privateJwk() }], rootKeys: [{ secret: { base64url: secret } }] };
}

/**
 * An issuer over a store. `clock.now` is its time. An answer is
 * `{ status, retryAfter?, error?, token?, sid?, access? }`.
 */
export function issuerOver(createIssuer, secrets, store, clock) {
  const events = [];
  const issuer = createIssuer({
    config: CONFIG,
    ...secrets,
    store,
    now: () => clock.now,
    onEvent: (event) => events.push(event),
  });
  const command = async (work) => {
    try {
      return await work();
    } catch (error) {
      if (error?.name !== 'IssuerUnavailableError') throw error;
      return { status: 503, retryAfter: error.retryAfterSeconds >= 1 };
    }
  };
  const ask = async (parameters) => {
    const body = new URLSearchParams({ client_id: CLIENT, ...parameters });
    const response = await issuer.fetch(new Request(`${CONFIG.issuer}/token`, { method: 'POST', body }));
    const { status } = response;
    const answer = await response.json();
    return {
      status,
      retryAfter: Number(response.headers.get('retry-after')) >= 1,
      error: answer.error,
      token: answer.refresh_token,
      access: typeof answer.access_token === 'string',
    };
  };
  return {
    events,
    start: () =>
      command(async () => {
        const { sid, refresh_token } = await issuer.startSession('user', { clientId: CLIENT, scope: 'read' });
        return { status: 200, sid, token: refresh_token };
      }),
    end: (sid) =>
      command(async () => {
        await issuer.endSession(sid);
        return { status: 200 };
      }),
    mint: () =>
      command(async () => {
        const code = await issuer.mintCode('user', {
          clientId: CLIENT,
          redirectUri: BACK,
          codeChallenge: CHALLENGE,
        });
        return { status: 200, code };
      }),
    redeem: (code) =>
      ask({ grant_type: 'authorization_code', code, redirect_uri: BACK, code_verifier: VERIFIER }),
    refresh: (token) => ask({ grant_type: 'refresh_token', refresh_token: token }),
  };
}
