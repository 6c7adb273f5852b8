// `check`, `verify`, `inspect`, `seal` and `keygen`: what they say, and with which exit code.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { createVerifier, PolicyError } from 'portcullis';
import { createIssuer, generateSigningKey } from 'portcullis/issuer';
import { memoryStore } from 'portcullis/stores';

import { file, folder, json, NOW, portcullis } from './run.mjs';

const key = generateSigningKey('ES256');
const request = {
  issuer: 'https://issuer.example',
  audience: 'https://api.example',
  subject: 's',
  clientId: 'c',
};
const issuer = { issuer: request.issuer, audience: request.audience, jwks: key.jwks() };
const policy = file('policy.json', { issuers: [issuer] });
const remote = file('remote.json', {
  issuers: [{ issuer: request.issuer, audience: request.audience, remote: { discovery: 'oidc' } }],
});
const jwks = file('jwks.json', key.jwks());
const token = key.mintAccessToken(request, { now: NOW });
const at = ['--now', String(NOW)];

test('check: a policy is good', async () => {
  const { code, out } = await portcullis(['check', policy]);
  assert.equal(code, 0);
  assert.match(out, /is a policy/);
  assert.match(out, new RegExp(`ES256 "${key.kid}"`));
  const machine = await json(['check', policy]);
  assert.equal(machine.code, 0);
  assert.equal(machine.answer.ok, true);
  assert.deepEqual(
    machine.answer.keys.map(({ kid }) => kid),
    [key.kid],
  );
  assert.equal((await portcullis(['check', '-'], { input: readFileSync(policy) })).code, 0);
});

test('check: what is none is refused, by JSON pointer', async () => {
  for (const [text, pointer] of [
    ['{"issuers":[{"issuer":"a","audience":"b"}]}', '/issuers/0'],
    ['{"issuers":[{"preset":"auth0","audience":"b"}]}', '/issuers/0/domain'],
    ['{"issuers":[],"issuers":[]}', ''],
    ['not json', ''],
  ]) {
    const { code, answer } = await json(['check', file('bad.json', text)]);
    assert.deepEqual([code, answer.ok, answer.pointer], [1, false, pointer], text);
    const { out } = await portcullis(['check', file('bad.json', text)]);
    assert.ok(out.includes(pointer || 'the document'), out);
  }
});

test('check: a policy with a secret does not show it', async () => {
  const secret = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
  const path = file('secret.json', {
    issuers: [{ ...issuer, jwks: undefined, keys: [{ alg: 'HS256', secret: { base64url: secret } }] }],
  });
  for (const args of [
    ['check', path],
    ['check', path, '--json'],
  ]) {
    const { code, out, err } = await portcullis(args);
    assert.equal(code, 0);
    assert.ok(!`${out}${err}`.includes(secret.slice(0, 12)));
  }
});

test('verify: a good token, from the command line and from standard input', async () => {
  for (const [args, input] of [
    [[token], ''],
    [['-'], `${token}\n`],
    [[], token],
  ]) {
    const { code, out } = await portcullis(['verify', '--policy', policy, ...at, ...args], { input });
    assert.equal(code, 0, out);
    assert.match(out, /accepted/);
    assert.match(out, /exp +\d+ {2}2027-01-15T08:05:00Z \(in 5 min\)/);
  }
  const { answer } = await json(['verify', '-p', policy, ...at, token]);
  assert.deepEqual(answer, createVerifier({ issuers: [issuer] }).verify(token, { now: NOW }));
});

test('verify: a refusal is an answer and not a failure', async () => {
  const late = ['--now', String(NOW + 900)];
  const { code, out, err } = await portcullis(['verify', '-p', policy, ...late, token]);
  assert.deepEqual([code, err], [1, '']);
  assert.match(out, /refused: expired \(stage policy\)/);
  assert.match(out, /^ {2}about this code: docs\/reference\/codes\/expired\.html$/m);
  const pages = 'https://docs.example/{code}';
  const named = file('pages.json', { issuers: [issuer], gate: { problemTypes: pages } });
  const told = await portcullis(['verify', '-p', named, ...late, token]);
  assert.match(told.out, /^ {2}about this code: https:\/\/docs\.example\/expired$/m);
  const { code: machine, answer } = await json(['verify', '-p', policy, ...late, token]);
  assert.deepEqual([machine, answer.ok, answer.code], [1, false, 'expired']);
  assert.equal((await portcullis(['verify', '-p', policy, ''])).code, 1);
});

test('verify: with the keys that the issuer publishes', async () => {
  const args = ['verify', '-p', remote, ...at, token];
  assert.equal((await json([...args, '--offline'])).answer.code, 'keys-not-set');
  assert.equal((await json([...args, '--keys', jwks])).code, 0);
  const other = file('other.json', generateSigningKey('ES256').jwks());
  assert.equal((await json([...args, '--keys', other])).answer.code, 'kid-unknown');
  assert.equal((await portcullis([...args, '--keys', file('empty.json', '{"keys":[]}')])).code, 2);
});

test('inspect: says what a token says, and that it verified nothing', async () => {
  const { code, out } = await portcullis(['inspect', '-', ...at], { input: token });
  assert.equal(code, 0);
  assert.match(out, /NOT verified/);
  assert.match(out, /client_id +"c"/);
  const { answer } = await json(['inspect', token]);
  assert.deepEqual([answer.ok, answer.verified, answer.claims.sub], [true, false, 's']);
  assert.equal((await json(['inspect', 'a.b'])).code, 1);
  const refused = await portcullis(['inspect', 'a.b']);
  assert.match(refused.out, /about this code: docs\/reference\/codes\/segment-count\.html/);
});

test('inspect: a token cannot steer the terminal', async () => {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const hostile = `${encode({ alg: 'ES256' })}.${encode({ sub: '\u009b2J\u202eevil\u001b[31mred', exp: 1 })}.AAAA`;
  const { out } = await portcullis(['inspect', hostile]);
  const steers = (code) => (code < 0x20 && code !== 0x0a) || (code > 0x7e && code < 0xa0) || code === 0x202e;
  assert.ok(![...out].some((character) => steers(character.codePointAt(0))), JSON.stringify(out));
  assert.ok(out.includes('\\u009b2J\\u202eevil\\u001b[31mred'), out);
});

test('seal: verifier and policy are one file', async () => {
  const sealed = join(folder, 'gate.wasm');
  const { code, answer } = await json(['seal', policy, '-o', sealed]);
  assert.equal(code, 0);
  assert.match(answer.sha256, /^[0-9a-f]{64}$/);
  const bytes = readFileSync(sealed);
  assert.equal(answer.bytes, bytes.length);
  const module = new WebAssembly.Module(bytes);
  assert.equal(WebAssembly.Module.customSections(module, 'portcullis.policy').length, 1);
  for (const source of [bytes, new Uint8Array(bytes).buffer, module]) {
    assert.equal(createVerifier.fromSealed(source).verify(token, { now: NOW }).ok, true);
  }
  // The same policy makes the same file, whose digest can be compared.
  assert.equal((await json(['seal', policy, '-o', join(folder, 'again.wasm')])).answer.sha256, answer.sha256);
});

test('seal: a bad policy is not written', async () => {
  const sealed = join(folder, 'never.wasm');
  const { code, answer } = await json(['seal', file('bad.json', '{}'), '-o', sealed]);
  assert.deepEqual([code, answer.pointer], [1, '/issuers']);
  assert.throws(() => statSync(sealed));
});

test('seal: what is no sealed file is told', async () => {
  const wasm = readFileSync(new URL('../../dist/wasm/portcullis.wasm', import.meta.url));
  const sealed = join(folder, 'twice.wasm');
  await portcullis(['seal', policy, '-o', sealed]);
  const once = readFileSync(sealed);
  const section = once.subarray(wasm.length);
  for (const [bytes, reason] of [
    [wasm, /holds no policy/],
    [Buffer.concat([once, section]), /more than one/],
    [once.subarray(0, once.length - 1), /no whole/],
    [Buffer.from('text'), /is no WebAssembly/],
    [new Uint8Array(), /is no WebAssembly/],
  ]) {
    assert.throws(
      () => createVerifier.fromSealed(bytes),
      (error) => error instanceof PolicyError && reason.test(error.reason),
      String(reason),
    );
  }
});

test('keygen: a private key for one, the set for everybody', async () => {
  for (const alg of ['ES256', 'EdDSA']) {
    const { answer } = await json(['keygen', '--alg', alg]);
    assert.deepEqual([answer.alg, answer.privateJwk.kid], [alg, answer.kid]);
    createVerifier({ issuers: [{ ...issuer, jwks: answer.jwks }] });
    assert.equal(answer.jwks.keys[0].d, undefined);
  }
  const path = join(folder, 'private.jwk');
  const { code, out } = await portcullis(['keygen', '-o', path]);
  assert.equal(code, 0);
  const jwk = JSON.parse(readFileSync(path, 'utf8'));
  assert.ok(!out.includes(jwk.d));
  if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal((await portcullis(['keygen', '-o', path])).code, 2);
  assert.equal(JSON.parse(readFileSync(path, 'utf8')).d, jwk.d);
});

test('misuse is told apart from a refusal', async () => {
  for (const args of [
    [],
    ['bogus'],
    ['constructor'],
    ['verify', token],
    ['verify', '-p', policy, '--now', 'soon', token],
    ['verify', '-p', file('bad.json', '{}'), token],
    ['verify', '-p', join(folder, 'nowhere.json'), token],
    ['verify', '-p', '-', '-'],
    ['check'],
    ['check', join(folder, 'nowhere.json')],
    ['check', policy, policy],
    ['check', policy, '--alg', 'ES256'],
    ['check', policy, '--no-such-option'],
    ['seal', policy],
    ['keygen', '--alg', 'RS256'],
  ]) {
    const { code } = await portcullis(args);
    assert.equal(code, 2, args.join(' '));
  }
});

test('help says what there is, and the exit codes', async () => {
  for (const args of [
    ['--help'],
    ['help'],
    ['check', '--help'],
    ['help', 'seal'],
    ['verify', '-h'],
    ['keys', '-h'],
  ]) {
    const { code, out } = await portcullis(args);
    assert.equal(code, 0);
    assert.match(out, /exit codes\n {2}0 {2}good/, args.join(' '));
  }
});

test('no colour where nobody looks', async () => {
  for (const env of [{}, { NO_COLOR: '1' }, { FORCE_COLOR: '1' }]) {
    const { out } = await portcullis(['check', policy], { env });
    assert.ok(!out.includes('\u001b'), JSON.stringify(out));
  }
});

test('check: routes with what they require, and what reaches the origin', async () => {
  const gate = {
    requirement: { scopes: ['notes:read'] },
    routes: [
      { path: '/health', methods: ['GET'], requirement: 'public' },
      {
        path: '/admin/*',
        requirement: {
          claims: [{ path: ['realm_access', 'roles'], anyOf: ['admin'] }],
          binding: 'dpop',
          maxAgeSeconds: 60,
        },
      },
    ],
    forward: { claims: { sub: 'x-user' } },
    proxies: { trusted: ['10.0.0.0/8'], host: true },
  };
  const path = file('gate.json', { issuers: [issuer], gate });
  const { code, out } = await portcullis(['check', path]);
  assert.equal(code, 0, out);
  assert.match(out, /GET +\/health +public: no token/);
  assert.match(
    out,
    /any method +\/admin\/\* +claim realm_access\.roles any of admin; binding dpop; maxAgeSeconds 60/,
  );
  assert.match(out, /any method +every other path +scopes notes:read/);
  assert.match(out, /claim sub +in the header x-user/);
  assert.match(out, /the token +removed/);
  assert.match(out, /proxies +10\.0\.0\.0\/8 by x-forwarded-for, x-forwarded-host/);
  const { answer } = await json(['check', path]);
  assert.deepEqual(answer.routes, gate.routes);
  assert.deepEqual(answer.forward, gate.forward);
  assert.equal(answer.gate, 'checked');
});

test('check and seal: a mistake has its line and column', async () => {
  for (const [text, line, column, reason] of [
    [
      '{\n  "issuers": [\n    { "issuer": "a" "audience": "b" }\n  ]\n}',
      3,
      21,
      /expected "," or "}"; found a quotation/,
    ],
    ['{\n  "issuers": [],\n}', 3, 1, /expected the name of a member in quotation marks; found "}"/],
    ['{ "issuers": [] ', 1, 17, /expected "," or "}"; found the end of the text/],
    ['{ "issuers": [] } x', 1, 19, /expected the end of the text; found a letter/],
    ["{ 'issuers': [] }", 1, 3, /quotation marks; found "'"/],
    ['{ // comment\n }', 1, 3, /found a comment/],
    ['{"issuers":[],\r\n"issuers":[]}', 2, 1, /each name once in an object; found "issuers" again/],
    ['{"a":"line\nend"}', 1, 6, /expected a string without line ends/],
    ['{"a": 01}', 1, 8, /expected "," or "}"; found a digit/],
    // What is JSON, and no policy: the innermost value that is there.
    [`{\n "issuers": [\n  ${JSON.stringify({ ...issuer, types: 7 })}\n ]\n}`, 3, undefined, /./],
    ['{"issuers":[\n{"issuer":"a","audience":"b"}]}', 2, 1, /./],
  ]) {
    const path = file('bad-lines.json', text);
    for (const args of [
      ['check', path],
      ['seal', path, '-o', join(folder, 'never.wasm')],
    ]) {
      const { code, answer } = await json(args);
      assert.deepEqual([code, answer.ok, answer.line], [1, false, line], JSON.stringify([text, answer]));
      if (column !== undefined) assert.equal(answer.column, column, text);
      assert.match(answer.reason, reason);
      const { out } = await portcullis(args);
      assert.ok(out.includes(`(line ${line}, column ${answer.column})`), out);
    }
    const { code, err } = await portcullis(['verify', '-p', path, token]);
    assert.equal(code, 2);
    assert.ok(err.includes(`(line ${line}, column`), err);
  }
});

test('a place in a text shows no more of it than a sign', async () => {
  const { out } = await portcullis(['check', file('secret.json', '{"secret": hunter2}')]);
  assert.match(out, /expected a value; found a letter \(line 1, column 12\)/);
  assert.ok(!out.includes('hunter'));
});

test('keygen --root: a root secret with its encoding spelled out', async () => {
  const { code, answer } = await json(['keygen', '--root']);
  assert.equal(code, 0);
  assert.deepEqual(Object.keys(answer.secret), ['base64url']);
  assert.equal(Buffer.from(answer.secret.base64url, 'base64url').length, 32);
  const clients = [{ clientId: 'app', authentication: 'none' }];
  const config = { issuer: 'https://login.example', audience: 'https://api.example', clients };
  const signingKeys = [{ jwk: key.privateJwk() }];
  createIssuer({ config, signingKeys, rootKeys: [{ secret: answer.secret }], store: memoryStore() });
  const path = join(folder, 'root.json');
  const { out } = await portcullis(['keygen', '--root', '-o', path]);
  const secret = JSON.parse(readFileSync(path, 'utf8'));
  assert.notDeepEqual(secret, answer.secret);
  assert.ok(!out.includes(secret.base64url));
  if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal((await portcullis(['keygen', '--root', '-o', path])).code, 2);
  assert.equal((await portcullis(['keygen', '--root', '--alg', 'ES256'])).code, 2);
});

test('--version is the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  for (const args of [['--version'], ['-V'], ['check', '--version']])
    assert.deepEqual(await portcullis(args), { code: 0, out: `${version}\n`, err: '' });
});
