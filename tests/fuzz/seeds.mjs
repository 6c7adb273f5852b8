// What each fuzz target begins with: the test vectors, in the form that its body in bodies.rs,
// readers.rs or sessions.rs takes.
import { createHash } from 'node:crypto';

import { readVectors } from '../vectors/read.mjs';

/** The longest seed, in bytes: longer ones make every execution slow. */
const LONGEST = 4096;

/** The seeds of a target, each once. */
export function seedsOf(target) {
  const seeds = (SEEDS[target] ?? blocks)(target);
  const short = seeds.filter((seed) => seed.length > 0 && seed.length <= LONGEST);
  return [...new Map(short.map((seed) => [seed.toString('base64'), seed])).values()];
}

const SEEDS = {
  token: () => vectors().flatMap(({ token }) => tokenSeeds(token)),
  request: () => vectors().flatMap(({ request }) => (request ? [text(JSON.stringify(request))] : [])),
  list: () =>
    vectors().flatMap(({ revocations = [] }) =>
      revocations.flatMap(({ document }) => (document ? [after(0, document), after(1, document)] : [])),
    ),
  policy: () => policies().map((policy) => after(0, JSON.stringify(policy))),
  challenge: () => [after(0, '\x03apiread write'), after(4, '\x04a"\\bgold'), after(8, '\x00x')],
  url: () =>
    vectors().flatMap(({ request }) => {
      if (!URL.canParse(request?.url)) return [];
      const { pathname } = new URL(request.url);
      return [of(request.url, pathname), of(pathname, request.url), of('/a/:b/*', pathname)];
    }),
  key: () => [
    ...policies().flatMap(({ issuers }) => (Array.isArray(issuers) ? issuers : []).flatMap(keySeeds)),
    ...vectors().flatMap(({ jwk }) => (jwk ? [after(0, JSON.stringify(jwk))] : [])),
  ],
  refresh: () => [Buffer.from([1, ...block('refresh', 56)]), block('refresh', 57)],
  row: () => [text('{"v":1}')],
};

const text = (value) => Buffer.from(value);
const after = (mode, value) => Buffer.concat([Buffer.from([mode]), Buffer.from(value)]);
const of = (first, second) => after(Math.min(Buffer.byteLength(first), 255), first + second);

function tokenSeeds(token) {
  if (typeof token !== 'string') return [];
  const parts = token.split('.').map((part) => Buffer.from(part, 'base64url'));
  return [after(0, token), after(0, parts[0]), after(1, parts[1] ?? '')];
}

function keySeeds(issuer) {
  const jwks = Array.isArray(issuer?.jwks?.keys) ? issuer.jwks.keys : [];
  const keys = Array.isArray(issuer?.keys) ? issuer.keys : [];
  return [
    ...jwks.map((jwk) => after(0, JSON.stringify(jwk))),
    ...keys.flatMap(({ pem, spki }) => [
      ...(typeof pem === 'string' ? [after(0, pem)] : []),
      ...(typeof spki === 'string' ? [after(128, Buffer.from(spki, 'base64url'))] : []),
    ]),
  ];
}

/** For the engines: every mode with bytes that look like nothing. */
function blocks(target) {
  return Array.from({ length: 32 }, (_, mode) => Buffer.from([mode, ...block(`${target} ${mode}`, 287)]));
}

function block(name, length) {
  const hash = createHash('shake256', { outputLength: length });
  return hash.update(name).digest();
}

let files;
function read() {
  files ??= readVectors();
  return files;
}
const vectors = () => read().flatMap((file) => file.vectors);
const policies = () =>
  read()
    .flatMap((file) => [...Object.values(file.policies ?? {}), ...file.vectors.map(({ policy }) => policy)])
    .filter((policy) => policy !== null && typeof policy === 'object');
