// The page's modules that need no page: finding tokens, reading JSON, the schema, the fragment,
// and what the files weigh.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { makePages, SITE } from '../../../src/build/pages.mjs';
import * as csp from '../../../www/csp.js';
import { providerOf } from '../../../www/inspect/claims.js';
import { lineAndColumn, read } from '../../../www/inspect/json.js';
import { check, completionsAt } from '../../../www/inspect/schema.js';
import { holdsSecret, readFragment, writeFragment } from '../../../www/inspect/share.js';
import { find, pretty, takeApart } from '../../../www/inspect/token.js';
import { warningsOf } from '../../../www/inspect/warnings.js';
import { duration, relative, utc } from '../../../www/times.js';
import { ROOT } from '../../support/binaries.mjs';

/** The whole page, everything it may ever load of its own accord, in KiB. */
const PAGE_LIMIT = 163;
/** The typeface of headings, in KiB. */
const FONT_LIMIT = 20;
const LINES_LIMIT = 400;

const encode = (value) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const tokenOf = (header, claims, signature = 'c2ln') => [encode(header), encode(claims), signature].join('.');
const TOKEN = tokenOf(
  { alg: 'ES256', kid: 'k', typ: 'at+jwt' },
  { iss: 'i', aud: 'a', exp: 2_000_000_000, iat: 1_999_999_700, jti: 'j' },
);
const OTHER = tokenOf({ alg: 'RS256' }, { sub: 'other' });
const schema = JSON.parse(readFileSync(join(ROOT, 'src', 'policy', 'policy.schema.json'), 'utf8'));
const files = (extension) =>
  readdirSync(join(ROOT, 'www'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(extension) && !name.startsWith(join('demo', 'workers')));
const source = (name) => readFileSync(join(ROOT, 'www', name), 'utf8');

before(() => makePages());

test('finds the token in whatever was pasted', () => {
  const cases = [
    [TOKEN, 'as it is'],
    [`  ${TOKEN}\n`, 'as it is'],
    [`Bearer ${TOKEN}`, 'an Authorization header'],
    [`Authorization: Bearer ${TOKEN}`, 'an Authorization header'],
    [`curl -s https://api.example/v1.2/x -H 'Authorization: Bearer ${TOKEN}' -d 'a.b.c'`, 'a curl command'],
    [`https://app.example/cb#id_token=${TOKEN}&state=a.b.c`, 'a URL'],
    [
      `{"token_type":"Bearer","expires_in":300,"refresh_token":"opaque","access_token":"${TOKEN}"}`,
      '“access_token” of a JSON document',
    ],
    [`HTTP/1.1 200 OK\n\n{"access_token":"${TOKEN}"}`, '“access_token” of a JSON document'],
    [`Set-Cookie: session=${TOKEN}; HttpOnly`, 'a cookie'],
    [`2026-11-24 10:00 INFO token=${TOKEN}, user=ada`, 'the text around it'],
    [`${TOKEN.slice(0, 40)}\n${TOKEN.slice(40)}`, 'several lines'],
  ];
  for (const [text, where] of cases) {
    const found = find(text);
    assert.deepEqual([found?.token, found?.where], [TOKEN, where], text.slice(0, 60));
  }
});

test('of several tokens the access token is first, and the others are offered', () => {
  const found = find(JSON.stringify({ id_token: OTHER, nested: { access_token: TOKEN } }));
  assert.equal(found.token, TOKEN);
  assert.deepEqual(found.others, [{ token: OTHER, label: 'id_token' }]);
});

test('an opaque token is said to be one, and prose is no token', () => {
  assert.deepEqual(find('{"access_token":"2YotnFZFEjr1zCsicMWpAA"}'), { opaque: 'access_token' });
  for (const text of ['', 'e.g. a sentence. And another one.', 'version 1.2.3', 'www.example.com']) {
    assert.equal(find(text)?.token ?? undefined, text === 'www.example.com' ? text : undefined, text);
  }
});

test('takes apart what is broken as far as it goes', () => {
  assert.equal(takeApart(TOKEN).claims.value.iss, 'i');
  assert.match(takeApart(`${encode('{"a":1,')}.e30.`).header.problem, /not JSON.*character 8/);
  assert.match(takeApart('!.e30.').header.problem, /not base64url/);
  assert.match(takeApart(`${Buffer.from([0x7b, 0xff]).toString('base64url')}.e30.`).header.problem, /UTF-8/);
  assert.match(takeApart(`${encode('[1]')}.e30.`).header.problem, /not an object/);
  assert.deepEqual(takeApart(`e30.${encode('{"a":1,"a":2}')}.`).claims.duplicates, ['/a']);
  assert.equal(takeApart('a.b.c.d.e').kind, 'jwe');
  assert.equal(takeApart('a.b').kind, 'other');
});

test('shows JSON as it was signed: order, duplicates and numbers stay', () => {
  assert.equal(
    pretty('{"b":1.0,"a":[1,{"x":"{,}"}],"b":[],"c":{}}'),
    '{\n  "b": 1.0,\n  "a": [\n    1,\n    {\n      "x": "{,}"\n    }\n  ],\n  "b": [],\n  "c": {}\n}',
  );
});

test('the JSON reader agrees with JSON.parse on what is JSON and what it means', () => {
  const good = [
    '{}',
    '[]',
    ' {"a" : [1,-2.5e3,true,null,"\\u00e9\\n"]} ',
    '"x"',
    '{"__proto__":1,"a":{"b":{}}}',
    '0',
    '"\u007f"',
  ];
  for (const text of good)
    assert.deepEqual(JSON.stringify(read(text).value), JSON.stringify(JSON.parse(text)), text);
  const bad = [
    '',
    '{',
    '{"a":1,}',
    '[1,]',
    '01',
    '+1',
    "{'a':1}",
    '{"a" 1}',
    '"\u0001"',
    '"\\x"',
    'nul',
    '{} {}',
    '1.',
    '[1 2]',
  ];
  for (const text of bad) {
    assert.throws(() => JSON.parse(text), text);
    assert.ok(read(text).error, text);
  }
  assert.deepEqual(lineAndColumn('{\n  "a": x', 9), { line: 2, column: 8 });
  assert.ok(read('['.repeat(100_000)).error);
});

test('warns of what a careful reader would remark', () => {
  const now = 1_999_999_800;
  const said = (token) => warningsOf(takeApart(token), token, now).map(({ title }) => title);
  assert.deepEqual(said(TOKEN), []);
  const claims = { iss: 'i', aud: 'a', exp: 2_000_000_000, iat: 1_999_999_700, jti: 'j' };
  const header = { alg: 'ES256', kid: 'k', typ: 'at+jwt' };
  const cases = [
    [{ ...header, alg: 'nOnE' }, claims, 'alg is none'],
    [{ ...header, alg: 'HS256' }, claims, 'HS256 is a shared secret'],
    [{ ...header, kid: undefined }, claims, 'No kid'],
    [{ ...header, kid: '../../dev/null' }, claims, 'A suspicious kid'],
    [{ ...header, jwk: {} }, claims, 'jwk in the header'],
    [{ ...header, crit: [] }, claims, 'crit in the header'],
    [{ ...header, cty: 'JWT' }, claims, 'A token within the token'],
    [header, { ...claims, aud: undefined }, 'No aud'],
    [header, { ...claims, exp: undefined }, 'No exp'],
    [header, { ...claims, exp: now + 10 * 86_400 }, 'Valid for 10 days 1 minute'],
    [header, { ...claims, exp: now - 60, iat: now - 90 }, 'Expired'],
    [header, { ...claims, nbf: now + 60 }, 'Not valid yet'],
    [header, { ...claims, iat: now + 60 }, 'Issued in the future'],
    [header, { ...claims, exp: 2_000_000_000_000 }, 'exp is in milliseconds'],
    [header, { ...claims, exp: '2000000000' }, 'exp is not a time'],
    [header, { ...claims, exp: 2_000_000_000.5 }, 'exp has a fraction'],
    [header, { ...claims, password: 'x' }, 'A claim called password'],
  ];
  for (const [head, body, title] of cases) assert.ok(said(tokenOf(head, body)).includes(title), title);
  assert.ok(said(tokenOf(header, '{"sub":"a","sub":"b"}')).includes('/sub is there twice in the payload'));
  assert.ok(said('a.b.c.d.e').includes('An encrypted token'));
  assert.ok(said('abc').includes('Not a JWT: 1 segment'));
});

test('times are put into words', () => {
  assert.deepEqual([0, 59, 61, 3600, 90_061, 40_000_000].map(duration), [
    '0 seconds',
    '59 seconds',
    '1 minute 1 second',
    '1 hour',
    '1 day 1 hour',
    '1 year 97 days',
  ]);
  assert.deepEqual(
    [relative(100, 100), relative(160, 100), relative(40, 100)],
    ['now', 'in 1 minute', '1 minute ago'],
  );
  assert.equal(utc(1_500_000_000), '2017-07-14 02:40:00 UTC');
});

test('the schema’s mistakes are named where they are', () => {
  const issuer = { issuer: 'https://i.example', audience: 'a', jwks: { keys: [{ kty: 'EC' }] } };
  const pointers = (policy) => check(policy, schema).map(({ pointer, message }) => `${pointer} ${message}`);
  assert.deepEqual(pointers({ issuers: [issuer] }), []);
  assert.deepEqual(pointers({}), [' needs “issuers”']);
  assert.deepEqual(pointers({ issuers: [{ ...issuer, audiences: 'a' }] }), [
    '/issuers/0/audiences is not known',
  ]);
  assert.deepEqual(pointers({ issuers: [issuer], leewaySeconds: 301 }), [
    '/leewaySeconds may be at most 300',
  ]);
  assert.deepEqual(pointers({ issuers: [{ issuer: 'i', audience: 'a' }] }), [
    '/issuers/0 needs one of “jwks”, “keys”, “remote”, “introspection”',
  ]);
  assert.ok(
    pointers({ issuers: [{ preset: 'okta', domain: 'd.example' }] }).includes('/issuers/0 needs “audience”'),
  );
  assert.ok(pointers({ issuers: 'x' })[0].includes('array'));
});

test('completions are what may stand there, and nothing that is there already', () => {
  const at = (text) =>
    completionsAt(text.replace('|', ''), text.indexOf('|'), schema)?.items.map(({ label }) => label) ?? [];
  assert.ok(at('{|').includes('issuers'));
  assert.ok(at('{ "lee|').includes('leewaySeconds'));
  assert.ok(!at('{ "issuers": [], |').includes('issuers'));
  assert.ok(at('{ "issuers": [{ "aud|" }] }').includes('audience'));
  assert.ok(at('{ "issuers": [{ "preset": "|').includes('okta'));
  assert.ok(at('{ "issuers": [{ "preset": "okta", |').includes('domain'));
  assert.ok(!at('{ "issuers": [{ "preset": "okta", |').includes('tenant'));
  assert.ok(at('{ "issuers": [{ "algorithms": ["ES|').includes('ES256'));
  assert.deepEqual(at('{ "issuers": [] |'), []);
});

test('a fragment carries what is shown, and a token only when it is given one', () => {
  const fields = { iss: 'https://i.example', leeway: '7', key: '{"jwks":{"keys":[]}}' };
  const hash = writeFragment('verify', fields);
  assert.deepEqual(readFragment(hash), { view: 'verify', fields, token: undefined });
  assert.ok(!hash.includes('token'));
  assert.equal(readFragment(writeFragment('inspect', {}, TOKEN)).token, TOKEN);
  // As sign-in pages hand tokens over.
  assert.equal(readFragment(`#id_token=${TOKEN}&state=x`).token, TOKEN);
  assert.deepEqual(readFragment('#javascript:alert(1)?iss'), {
    view: 'inspect',
    fields: { iss: '' },
    token: undefined,
  });
  assert.ok(
    holdsSecret('{ "secret" : "x" }') && holdsSecret('{"kty":"oct"}') && !holdsSecret('{"kty":"EC"}'),
  );
});

test('the provider of a token is known by what it says, with the preset for its policy', () => {
  const tokens = ['identity', 'clouds'].flatMap((part) => {
    const text = readFileSync(join(ROOT, 'tests', 'vectors', 'policy', `presets-${part}.json`), 'utf8');
    const { policies, vectors } = JSON.parse(text);
    return vectors.map(({ id, token, policy }) => ({ id, token, policy: policies[policy] ?? policy }));
  });
  const part = (token, at) => JSON.parse(Buffer.from(token.split('.')[at], 'base64url').toString());
  for (const [preset, name, differs] of [
    ['better-auth', 'Better Auth', { aud: 'other' }],
    ['pingfederate', 'PingFederate', { client_id: undefined }],
    ['fusionauth', 'FusionAuth', { applicationId: undefined }],
    ['workos', 'WorkOS', { iss: 'https://api.workos.example' }],
  ]) {
    const { token, policy } = tokens.find(({ id }) => id === `${preset}-accepts-a-token-of-its-shape`);
    const [header, claims] = [part(token, 0), part(token, 1)];
    const found = providerOf(claims, header);
    assert.deepEqual([found?.name, found?.fields.preset], [name, preset]);
    const expected = { ...policy.issuers[0], ...(preset === 'workos' && { client: 'CLIENT_ID' }) };
    for (const [member, value] of Object.entries(found.fields))
      assert.equal(value, expected[member] ?? claims.iss, `${preset} ${member}`);
    const issuer = { audience: 'a', ...found.fields };
    assert.deepEqual(check({ issuers: [issuer] }, schema), [], preset);
    assert.equal(providerOf({ ...claims, ...differs }, header), undefined, preset);
  }
  assert.equal(providerOf({ iss: 'https://sso.example' }, { alg: 'RS256' }), undefined);
});

test('the whole page with its wasm is within 163 KB of gzip', () => {
  // All that the inspector leads to; the service worker, the front page, the documentation and the
  // demonstration are no part of it. The typeface has a limit of its own: the page does not wait
  // for it.
  const loaded = readdirSync(SITE, { recursive: true })
    .map(String)
    .filter((name) => /\.\w+$/.test(name) && !/^(?:demo|docs|fonts|home|index|sw\.|precache)/.test(name));
  const sizes = loaded.map((name) => [name, gzipSync(readFileSync(join(SITE, name)), { level: 9 }).length]);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  const packed = sizes.find(([name]) => name === 'inspect/packed.js')[1];
  console.log(
    `page: ${(total / 1024).toFixed(1)} KB of gzip in ${loaded.length} files, ${(packed / 1024).toFixed(1)} KB of it wasm and schema`,
  );
  assert.ok(loaded.includes('inspect/index.html') && packed > 50_000);
  assert.ok(total <= PAGE_LIMIT * 1024, `${total} bytes`);
  const font = statSync(join(SITE, 'fonts', 'bitter-600.woff2')).size;
  assert.ok(font <= FONT_LIMIT * 1024, `${font} bytes`);
  assert.match(readFileSync(join(SITE, 'fonts', 'OFL.txt'), 'utf8'), /SIL OPEN FONT LICENSE/i);
});

test('each page carries the policy that its server sends', () => {
  const inPage = (name) => source(name).match(/http-equiv="Content-Security-Policy" content="([^"]+)"/)[1];
  for (const name of files('.html')) assert.equal(inPage(name), csp.policyOfPage(`/${name}`), name);
  assert.equal(inPage('index.html'), csp.INSPECTOR);
  assert.equal(inPage('inspect/index.html'), csp.INSPECTOR);
  assert.equal(inPage('demo/index.html'), csp.DEMONSTRATION);
  for (const path of ['/', '/inspect/']) assert.equal(csp.policyOfPage(path), csp.INSPECTOR);
  assert.equal(csp.policyOfPage('/fonts/OFL.txt'), csp.TEXT);
  assert.match(csp.INSPECTOR, /connect-src 'none'/);
});

test('View Source shows it all: short files, nothing inline, nothing from elsewhere', () => {
  for (const name of [...files('.js'), ...files('.css'), ...files('.html')]) {
    const text = source(name);
    assert.ok(text.split('\n').length <= LINES_LIMIT + 1, `${name} is too long`);
    if (name.endsWith('.html'))
      assert.doesNotMatch(
        text,
        /<script(?![^>]*src=)|<style| style=| on\w+="|(?:src|href)="(?:https?:)?\/\//,
        name,
      );
    if (name.endsWith('.js'))
      assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/, name);
    // The snippets name the package; the page’s own modules name each other.
    if (name.endsWith('.js'))
      assert.doesNotMatch(text.replaceAll(/`[^`]*`/g, ''), /^import .*from '[^.]/m, name);
  }
});
