// What the documentation must have: a page for each preset, framework, code, entry and command,
// and a row for each field of the policy.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { entries } from '../../src/build/docs/api.mjs';
import { answerTo, codesOfSources, gaps } from '../../src/build/docs/codes.mjs';
import { allPages } from '../../src/build/docs/docs.mjs';
import { outdated } from '../../src/build/docs/examples.mjs';
import { helpTexts } from '../../src/build/docs/generated.mjs';
import { exampleOf, sections } from '../../src/build/docs/policy.mjs';
import { presetNames } from '../../src/build/docs/presets.mjs';
import { ROOT } from '../../src/build/steps.mjs';
import { readVectors } from '../vectors/read.mjs';

const read = (path) => readFileSync(join(ROOT, path), 'utf8');

let pages;
let codes;
let api;
before(async () => {
  const all = await allPages();
  pages = all.written;
  codes = all.codes;
  api = all.api;
});

const below = (folder) =>
  [...pages.values()].filter(({ path }) => path.startsWith(`${folder}/`) && !path.endsWith('index.md'));

test('every preset has a page with its policy, a token of its shape and what is refused', () => {
  const index = pages.get('providers/index.md').markdown;
  for (const name of presetNames()) {
    const marked = below('providers').find(({ source }) =>
      ['preset', 'token', 'refused'].every((what) =>
        read(source).includes(`<!-- generated: ${what} ${name} -->`),
      ),
    );
    assert.ok(marked, `no page of www/docs/providers has the sections of the preset ${name}`);
    assert.ok(index.includes(`| [\`${name}\`](`), `www/docs/providers/index.md does not name ${name}`);
    for (const part of [`"preset": "${name}"`, 'The header:', '| refused | code |'])
      assert.ok(marked.markdown.includes(part), `${marked.source}: the vectors show no ${part} of ${name}`);
  }
});

test('every adapter has a page with the example that runs', () => {
  const adapters = readdirSync(join(ROOT, 'tests', 'package', 'examples'));
  for (const name of adapters)
    assert.ok(
      [...pages.values()].some(({ markdown }) => markdown.includes(`tests/package/examples/${name})`)),
      `no page shows ${name}`,
    );
  for (const name of ['hono', 'express', 'fastify', 'next', 'sveltekit', 'tower', 'workers-rs', 'fetch'])
    assert.ok(pages.has(`frameworks/${name}.md`), name);
});

test('the examples that run are shown as they are', () => {
  assert.deepEqual(
    outdated().map(({ source }) => source),
    [],
    'run node src/build/docs/examples.mjs',
  );
});

test('every code has a page that people have written for', () => {
  const { markdown } = pages.get('reference/codes.md');
  assert.deepEqual(gaps(markdown), { missing: [], stray: [] });
  const source = read('src/js/verifier/verdict.ts');
  const [, body] = /\ninterface Fields \{\n([\s\S]*?)\n\}\n/.exec(source);
  const closed = [...body.matchAll(/^ {2}'?([a-z\d-]+)'?:/gm)].map(([, code]) => code).sort();
  assert.deepEqual(
    codesOfSources()
      .map(({ code }) => code)
      .sort(),
    closed,
  );
  for (const { path, markdown: text } of codes) {
    assert.match(text, /\*\*Usual causes\*\*/, path);
    assert.match(text, /\*\*What changes it\*\*/, path);
  }
});

test('every code shows a token or a request that triggers it, but for those that have no vector', () => {
  const expected = new Set(
    readVectors()
      .flatMap(({ vectors }) => vectors)
      .map(({ expect }) => expect.code),
  );
  const without = codes.filter(({ markdown }) => !markdown.includes('## An example'));
  const names = without.map(({ path }) => /(\S+)\.md$/.exec(path.split('/').at(-1))[1]);
  assert.deepEqual(
    names.filter((name) => expected.has(name)),
    [],
  );
  assert.ok(names.length < 5, names.join());
});

test('a code has the status that the vectors state', () => {
  let compared = 0;
  for (const { vectors } of readVectors('gate', 'revocation')) {
    for (const { id, expect } of vectors) {
      if (expect.code === undefined || expect.fields?.status === undefined) continue;
      const { status, error } = answerTo(expect.code);
      assert.equal(status, expect.fields.status, id);
      const [challenge] = expect.fields.challenges ?? [];
      const [, told = ''] = /error="([^"]*)"/.exec(challenge ?? '') ?? [];
      if (challenge) assert.equal(error, told, id);
      compared += 1;
    }
  }
  assert.ok(compared > 50, `${compared} were compared`);
});

test('every entry of the package is in the reference', () => {
  const { markdown } = pages.get('reference/entries.md');
  const { name, exports } = JSON.parse(read('package.json'));
  for (const entry of Object.keys(exports))
    assert.ok(markdown.includes(`| \`${name}${entry.slice(1)}\` |`), entry);
});

test('every export of every entry is on the page of the entry, with its declaration', async () => {
  assert.equal(api.length, entries().length);
  for (const name of ['createGate', 'GateOptions', 'Decision'])
    assert.ok(api.find(({ path }) => path.endsWith('-gate.md')).markdown.includes(`## \`${name}\`\n`), name);
  for (const entry of ['portcullis/issuer', 'portcullis/stores', 'portcullis/session', 'portcullis/bff']) {
    const { markdown } = api.find(({ markdown: text }) => text.startsWith(`# API of \`${entry}\``));
    for (const name of Object.keys(await import(entry)))
      assert.ok(/everything of/.test(markdown) || markdown.includes(`## \`${name}\`\n`), `${entry}: ${name}`);
  }
});

test('every command is in the reference, as its help says it', () => {
  const { markdown } = pages.get('reference/cli.md');
  const { general, commands } = helpTexts();
  const named = [...general.matchAll(/^ {2}portcullis (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(commands.map(([name]) => name).sort(), [...new Set(named)].sort());
  for (const [name, text] of commands)
    assert.ok(markdown.includes(`## ${name}\n`) && markdown.includes(text), name);
});

test('every field of the policy has a row with an example', () => {
  const { markdown } = pages.get('reference/policy.md');
  for (const { name, fields } of sections()) {
    for (const [field, node] of fields) {
      const path = name === '' ? field : `${name}.${field}`;
      assert.ok(markdown.includes(`| \`${field}\``), path);
      assert.notEqual(exampleOf(path, node), '', `${path} has no example: add one to policy-examples.json`);
    }
  }
});

test('every event and every path of the issuer is in the reference', () => {
  const events = pages.get('reference/events.md').markdown;
  const [, kinds] = /export interface IssuerEvent \{\n\s+kind:([\s\S]*?)\n\s+at: number/.exec(
    read('src/js/issuer/events.ts'),
  );
  const named = [...kinds.matchAll(/ \| '(\w+)'/g)].map(([, kind]) => kind);
  assert.ok(named.length > 8);
  for (const kind of named) assert.ok(events.includes(`| \`${kind}\` |`), kind);
  const endpoints = pages.get('reference/endpoints.md').markdown;
  for (const path of ['/token', '/revoke', '/introspect', '/jwks', '/revocations', '/health'])
    assert.ok(endpoints.includes(`| \`${path}\` |`), path);
});

test('the README is at most 180 lines', () => {
  assert.ok(read('README.md').split('\n').length <= 181);
});
