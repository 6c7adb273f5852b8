// What the issuers that keep their sessions share.
import { AUDIENCE } from './common.js';

/** A call of `createIssuer` with that store; `secrets` and `url` are in scope. */
export const createIssuerCall = (store: string, indent: string): string =>
  `createIssuer({
  config: {
    issuer: url,
    audience: '${AUDIENCE}',
    // A client of your own, such as a page or an app: it has no secret.
    clients: [{ clientId: 'app', authentication: 'none', grants: ['refresh_token'], scope: 'notes:read' }],
  },
  signingKeys: [{ jwk: secrets.signingKey }],
  rootKeys: [{ secret: secrets.rootKey }],
  feedKey: secrets.feedKey,
  store: ${store},
  onEvent: ({ kind, cause }) => console.error(kind, cause?.message ?? ''),
});`.replaceAll('\n', `\n${indent}`);

/** A sign-in that stands for yours. */
export const SIGN_IN = `// Your sign-in takes this one's place: a page with a passkey, a password that is stored by its hash,
// or another provider. All that the issuer asks for is whom you have recognized.
async function signIn(request) {
  const given = new URLSearchParams(await request.text());
  const [known, password] = await Promise.all([secrets.password, given.get('password') ?? ''].map(digest));
  let differs = given.get('user') === 'alice' ? 0 : 1;
  known.forEach((byte, at) => {
    differs |= byte ^ password[at];
  });
  if (differs !== 0) return new Response('not recognized\\n', { status: 401 });
  return Response.json(await issuer.startSession('alice', { clientId: 'app' }), {
    headers: { 'cache-control': 'no-store' },
  });
}

// Digests have one length, whatever was given.
const digest = async (text) =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
`;

export const PASSWORD = `// Prints alice's password: npm run --silent password
import { readFileSync } from 'node:fs';

console.log(JSON.parse(readFileSync(new URL('secrets.json', import.meta.url), 'utf8')).password);
`;

/** How a session is tried, at that address. */
export const trial = (url: string): string => `\`\`\`sh
curl ${url}/sign-in -d user=alice -d "password=$(npm run --silent password)"
curl ${url}/token -d grant_type=refresh_token -d client_id=app -d refresh_token=…
curl ${url}/revoke -d client_id=app -d token=…
\`\`\`

The first answer has an access token and a refresh token, the second one their successors. The third
ends the session: after it the refresh token is refused with \`invalid_grant\`.`;
