// `npm start -- --check`: the demonstration once through, over HTTP, each answer held against the
// one it must have.
import { sign } from 'node:crypto';
import { request } from 'node:http';

import { ATTEMPTS, bearer } from './attempts.mjs';
import { AUDIENCE, LEGACY_ISSUER } from './servers.mjs';
import { watchSession } from './session.mjs';

/** Prints a line a step; true when every answer was the expected one. */
export async function check(demonstration) {
  const { origin, policy, legacyKey } = demonstration;
  const issue = async (wish = {}) => issueToken(demonstration, wish);
  const steps = [
    ...ATTEMPTS,
    // The RSA key is live: were it not, refusing the confusion with it would prove nothing.
    {
      label: 'RS256 by its own issuer',
      expected: 'accepted',
      headers: async () => [bearer(legacyToken(legacyKey))],
    },
  ];
  let [passed, failed] = [0, 0];
  const note = (label, good, found, ms) => {
    if (good) passed += 1;
    else failed += 1;
    console.log(`${good ? '✓' : '✗'} ${label.padEnd(44)} ${found.padEnd(26)} ${ms.padStart(7)} ms`);
  };
  for (const { label, expected, headers } of steps) {
    const { code, ms } = await attempt(() => headers({ policy, issue }), origin);
    note(label, code === expected, code === expected ? code : `${code}, expected ${expected}`, ms);
  }
  await watchSession(origin, note);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}

async function attempt(headers, origin) {
  let started = performance.now();
  const ms = () => (performance.now() - started).toFixed(1);
  try {
    const values = await headers();
    started = performance.now();
    const response = await send(`${origin}/api/notes`, values);
    const time = ms();
    return { code: codeOf(response), ms: time };
  } catch (error) {
    return { code: `no answer (${error.message})`, ms: ms() };
  }
}

/** The decision's code, when status, challenge and body tell the same story. */
function codeOf({ status, challenge, body }) {
  const told = JSON.parse(body);
  if (status === 200 && told.ok === true && typeof told.claims?.sub === 'string') return 'accepted';
  if ((status === 401 || status === 400) && told.status === status && challenge?.startsWith('Bearer '))
    return told.code;
  return `status ${status} with ${told.code}`;
}

/** Signed with the issuer's own key, also what it would never sign. */
function issueToken({ key, issuer }, { audience = AUDIENCE, issuedSecondsAgo = 0, ...wish }) {
  const request = {
    issuer: wish.issuer ?? issuer,
    audience,
    subject: 'ada',
    clientId: 'demo',
    scope: 'notes:read',
  };
  return key.mintAccessToken(request, { now: Math.floor(Date.now() / 1000) - issuedSecondsAgo });
}

/** Headers go out as given, one line each: `fetch` would join two Authorization headers itself. */
function send(url, values) {
  const headers = ['Host', new URL(url).host, ...values.flatMap((value) => ['Authorization', value])];
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { headers, timeout: 10_000 }, async (response) => {
      try {
        let body = '';
        for await (const chunk of response.setEncoding('utf8')) body += chunk;
        resolve({ status: response.statusCode, challenge: response.headers['www-authenticate'], body });
      } catch (error) {
        reject(error);
      }
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('none within 10 s')));
    outgoing.on('error', reject);
    outgoing.end();
  });
}

function legacyToken(privateKey) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: LEGACY_ISSUER, aud: AUDIENCE, sub: 'grace', iat: now, exp: now + 300 };
  const input = `${encode({ alg: 'RS256', typ: 'at+jwt', kid: 'legacy' })}.${encode(claims)}`;
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
}
