// `npm start -- --check`: the demonstration once through, over HTTP, each answer held against the code it must have.
import { sign } from 'node:crypto';
import { request } from 'node:http';

import { AUDIENCE, LEGACY_ISSUER } from './demo-servers.mjs';

/** Prints a line a step; true when every answer was the expected one. */
export async function check({ origin, policy, legacyKey }) {
  const { ATTEMPTS, bearer } = await import('../../../www/attempts.js');
  const issue = (wish = {}) => issueToken(origin, wish);
  const steps = [
    ...ATTEMPTS,
    // The RSA key is live: were it not, refusing the confusion with it would prove nothing.
    {
      label: 'RS256 by its own issuer',
      expected: 'accepted',
      headers: async () => [bearer(legacyToken(legacyKey))],
    },
  ];
  let failed = 0;
  for (const { label, expected, headers } of steps) {
    const outcome = await attempt(() => headers({ policy, issue }), origin);
    const good = outcome.code === expected;
    if (!good) failed += 1;
    const found = good ? outcome.code : `${outcome.code}, expected ${expected}`;
    console.log(`${good ? '✓' : '✗'} ${label.padEnd(26)} ${found.padEnd(26)} ${outcome.ms.padStart(7)} ms`);
  }
  console.log(`${steps.length - failed} passed, ${failed} failed`);
  return failed === 0;
}

async function attempt(headers, origin) {
  let started = performance.now();
  const ms = () => (performance.now() - started).toFixed(1);
  try {
    const values = await headers();
    started = performance.now();
    const response = await send(`${origin}/api/notes`, { values });
    const time = ms();
    return { code: codeOf(response), ms: time };
  } catch (error) {
    return { code: `no answer (${error.message})`, ms: ms() };
  }
}

/** The verdict's code, when status, challenge and body tell the same story. */
function codeOf({ status, challenge, body }) {
  const verdict = JSON.parse(body);
  if (status === 200 && verdict.ok === true && typeof verdict.claims?.sub === 'string') return 'accepted';
  if (status === 401 && verdict.ok === false && challenge?.startsWith('Bearer ')) return verdict.code;
  return `status ${status} with ok: ${verdict.ok}`;
}

async function issueToken(origin, wish) {
  const { status, body } = await send(`${origin}/issuer/token`, {
    method: 'POST',
    text: JSON.stringify(wish),
  });
  if (status !== 200) throw new Error(`the issuer answered ${status}: ${body.slice(0, 200)}`);
  return JSON.parse(body).access_token;
}

/** Headers go out as given, one line each: `fetch` would join two Authorization headers itself. */
function send(url, { method = 'GET', values = [], text }) {
  const headers = ['Host', new URL(url).host, ...values.flatMap((value) => ['Authorization', value])];
  if (text)
    headers.push('Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(text)));
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, timeout: 10_000 }, async (response) => {
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
    outgoing.end(text);
  });
}

function legacyToken(privateKey) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: LEGACY_ISSUER, aud: AUDIENCE, sub: 'grace', iat: now, exp: now + 300 };
  const input = `${encode({ alg: 'RS256', typ: 'at+jwt', kid: 'legacy' })}.${encode(claims)}`;
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
}
