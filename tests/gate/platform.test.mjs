// Where the client's address and certificate come from: fields that a platform writes, and no
// client can.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { createGate } from 'portcullis/gate';

import { AUDIENCE, ISSUER, signer } from '../support/issuer.mjs';

const NOW = 1_800_000_000;
const INSIDE = '192.0.2.1';
const DER = new TextEncoder().encode('hashed and nothing else');

let key;
let token;
let certified;
let digest;
before(async () => {
  key = await signer('a');
  token = await key.mint(NOW);
  digest = Buffer.from(await crypto.subtle.digest('SHA-256', DER));
  certified = await key.mint(NOW, { cnf: { 'x5t#S256': digest.toString('base64url') } });
});

const gateOn = (platform) =>
  createGate(
    {
      issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } }],
      gate: { requirement: { networks: [`${INSIDE}/32`] } },
    },
    { now: () => NOW, ...(platform && { platform }) },
  );

const request = (headers = {}, cf, sent = token) => {
  const made = new Request('https://api.example/', {
    headers: { authorization: `Bearer ${sent}`, ...headers },
  });
  return cf === undefined ? made : Object.assign(made, { cf });
};

const outcome = async (gate, asked, context, requirement) => {
  const decision = await gate.check(asked, requirement, context);
  return decision.ok ? 'in' : decision.code;
};

/** With other globals for as long as a gate is made. */
function made(globals, make) {
  const before = Object.keys(globals).map((name) => [
    name,
    Object.getOwnPropertyDescriptor(globalThis, name),
  ]);
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  try {
    return make();
  } finally {
    for (const [name, descriptor] of before)
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete globalThis[name];
  }
}

test('without a platform nothing but the context is believed', async () => {
  const gate = gateOn('none');
  const forged = {
    'cf-connecting-ip': INSIDE,
    'x-forwarded-for': INSIDE,
    'x-real-ip': INSIDE,
    'x-vercel-forwarded-for': INSIDE,
  };
  assert.equal(await outcome(gate, request(forged, {})), 'address-unknown');
  assert.equal(await outcome(gate, request(forged), { clientAddress: '203.0.113.1' }), 'network-denied');
  assert.equal(await outcome(gate, request(), { clientAddress: INSIDE }), 'in');
});

test('in Node nothing is guessed', async () => {
  assert.equal(
    await outcome(gateOn(), request({ 'cf-connecting-ip': INSIDE, 'x-real-ip': INSIDE }, {})),
    'address-unknown',
  );
});

test('at Cloudflare the platform says who connects, and only where it is Cloudflare', async () => {
  const header = { 'cf-connecting-ip': INSIDE };
  assert.equal(await outcome(gateOn('cloudflare'), request(header)), 'in');
  const guessed = made({ navigator: { userAgent: 'Cloudflare-Workers' } }, () => gateOn());
  assert.equal(await outcome(guessed, request(header, { colo: 'X' })), 'in');
  // workerd on a machine of one's own: nobody adds `cf`, and the header is the client's.
  assert.equal(await outcome(guessed, request(header)), 'address-unknown');
  assert.equal(
    await outcome(guessed, request(header, {}), { clientAddress: '203.0.113.1' }),
    'network-denied',
  );
});

test('at Vercel its own header counts, and only where it is Vercel', async () => {
  const header = { 'x-vercel-forwarded-for': INSIDE, 'x-real-ip': '203.0.113.1' };
  assert.equal(await outcome(gateOn('vercel'), request(header)), 'in');
  assert.equal(await outcome(gateOn('vercel'), request({ 'x-real-ip': INSIDE })), 'in');
  const env = { ...process.env, VERCEL: '1' };
  const there = made({ EdgeRuntime: 'vercel', process: { env } }, () => gateOn());
  assert.equal(await outcome(there, request(header)), 'in');
  const selfHosted = made({ EdgeRuntime: 'vercel', process: { env: {} } }, () => gateOn());
  assert.equal(await outcome(selfHosted, request(header)), 'address-unknown');
});

test('raw headers that come twice are no platform’s', async () => {
  const pairs = [
    ['authorization', `Bearer ${token}`],
    ['CF-Connecting-IP', INSIDE],
  ];
  const facts = (headers) => ({ method: 'GET', url: 'https://api.example/', headers });
  assert.equal(await outcome(gateOn('cloudflare'), facts(pairs)), 'in');
  assert.equal(await outcome(gateOn('cloudflare'), facts([...pairs, pairs[1]])), 'address-unknown');
});

test('a certificate comes from the connection: by Cloudflare’s field, as bytes, as PEM', async () => {
  const bound = { binding: 'mtls' };
  const by = (tlsClientAuth) =>
    outcome(gateOn('cloudflare'), request({}, { tlsClientAuth }, certified), undefined, bound);
  const certFingerprintSHA256 = digest.toString('hex');
  assert.equal(await by({ certPresented: '1', certRevoked: '0', certFingerprintSHA256 }), 'in');
  assert.equal(
    await by({ certPresented: '0', certRevoked: '0', certFingerprintSHA256 }),
    'certificate-missing',
  );
  assert.equal(
    await by({ certPresented: '1', certRevoked: '1', certFingerprintSHA256 }),
    'certificate-missing',
  );
  assert.equal(
    await by({ certPresented: '1', certFingerprintSHA256: '0'.repeat(64) }),
    'certificate-mismatch',
  );
  assert.equal(await by(undefined), 'certificate-missing');
  const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(DER).toString('base64')}\n-----END CERTIFICATE-----`;
  for (const certificate of [DER, pem, digest.toString('base64url')])
    assert.equal(
      await outcome(gateOn('none'), request({}, undefined, certified), { certificate }, bound),
      'in',
    );
  const header = { 'client-cert': `:${Buffer.from(DER).toString('base64')}:` };
  assert.equal(
    await outcome(gateOn('none'), request(header, {}, certified), undefined, bound),
    'certificate-missing',
  );
});

test('a platform of another name is the caller’s mistake', () => {
  assert.throws(() => gateOn('fastly'), { name: 'PolicyError', pointer: '/platform' });
});

test('of a request of Next, whose URL is of the name that it was started by, the host is what was asked for', async () => {
  class NextRequest extends Request {
    get nextUrl() {
      return new URL(this.url);
    }
  }
  const gate = (platform) =>
    createGate(
      {
        issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } }],
        gate: { origins: ['https://api.example'] },
      },
      { now: () => NOW, platform },
    );
  const asked = (host) =>
    new NextRequest('https://localhost:3000/x', { headers: { authorization: `Bearer ${token}`, host } });
  assert.equal(await outcome(gate('none'), asked('api.example')), 'in');
  assert.equal(await outcome(gate('none'), asked('attacker.example')), 'request-misdirected');
  assert.equal((await gate('none').check(asked('api.example/x?'))).status, 400);
});
