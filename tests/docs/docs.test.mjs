// Every code block that a reader may copy is compiled, parsed or looked up, over the packed
// package.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { blocksOf, examplesOf } from './blocks.mjs';
import { blocksIn, documents, problemsOf } from './check.mjs';

test('every code block of the documents and of the sources’ examples is right', async () => {
  const blocks = blocksIn(documents());
  const languages = new Set(blocks.map(({ language }) => language));
  for (const language of ['js', 'ts', 'json', 'sh']) assert.ok(languages.has(language), language);
  assert.deepEqual(await problemsOf(blocks), []);
});

test('a mistake in a block of each language is found, in its line', async () => {
  const document = [
    '```ts',
    "import { createVerifier } from 'portcullis';",
    'createVerifier({ issuers: [{ issuer: "https://issuer.example", jwks }] });',
    '```',
    '```js',
    'const n = 1;',
    'n.missing();',
    '```',
    '```js',
    'if (verifier.verify(token).ok) return new Response();',
    'return notGiven;',
    '```',
    '```ts workers',
    'document.title;',
    '```',
    '```json',
    '{ "gate": { "realm": 1 } }',
    '```',
    '```json',
    '{',
    '```',
    '```sh',
    'npx portcullis chekc policy.json',
    'npx portcullis verify --polcy policy.json -',
    'npm run bnech',
    'frobnicate | cat',
    'node tests/nothing.mjs',
    'SECRET=1 npm test && npx portcullis verify --policy policy.json - < token # right',
    '```',
    '```',
    'a block without a language',
    '```',
  ].join('\n');
  const problems = await problemsOf(blocksOf('page.md', document));
  const found = problems.map((problem) => problem.split('\n')[0].slice(0, 60)).sort();
  const expected = [
    /^page\.md:3: TS2/,
    /^page\.md:7: TS2339/,
    /^page\.md:11: TS2304/,
    /^page\.md:14: TS2/,
    /^page\.md:17: the policy is refused: \/gate\/realm/,
    /^page\.md:20: expected JSON/,
    /^page\.md:23: portcullis has no command "chekc"/,
    /^page\.md:23: portcullis has no option "--polcy"/,
    /^page\.md:23: package\.json has no script "bnech"/,
    /^page\.md:23: "frobnicate" is no command/,
    /^page\.md:23: tests\/nothing\.mjs is not there/,
    /^page\.md:31: expected a block with a language/,
  ];
  for (const pattern of expected)
    assert.ok(
      found.some((problem) => pattern.test(problem)),
      `${pattern}\n${problems.join('\n')}`,
    );
  assert.equal(problems.length, expected.length, problems.join('\n'));
});

test('an example in a comment is found where it stands', () => {
  const source = [
    '/**',
    ' * What it does.',
    ' * @example',
    ' * ```ts',
    ' * call();',
    ' * ```',
    ' */',
    'f();',
  ];
  const expected = { file: 'a.ts', line: 5, language: 'ts', flags: [], code: 'call();\n' };
  assert.deepEqual(examplesOf('a.ts', source.join('\n')), [expected]);
  assert.equal(examplesOf('a.ts', '/** @example call() */')[0].language, 'none');
});
