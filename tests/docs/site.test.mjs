// The documentation as pages: every link leads somewhere, nothing is inline, and the search finds.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { after, before, test } from 'node:test';

import { writeDocs } from '../../src/build/docs/docs.mjs';
import { anchorOf, render } from '../../src/build/docs/markdown.mjs';
import { FONTS } from '../../src/build/pages.mjs';
import { ROOT, TARGET } from '../../src/build/steps.mjs';
import { policyOfPage } from '../../www/csp.js';

const SITE = join(TARGET, `docs.${process.pid}`);
const FOLDER = join(SITE, 'docs');

const texts = new Map();
before(async () => {
  mkdirSync(FOLDER, { recursive: true });
  await writeDocs(FOLDER);
  for (const name of readdirSync(FOLDER, { recursive: true }).map(String))
    if (name.endsWith('.html')) texts.set(name, readFileSync(join(FOLDER, name), 'utf8'));
});
after(() => rmSync(SITE, { recursive: true, force: true }));

test('every link and every anchor of the pages leads somewhere', () => {
  const idsOf = (text) => new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  const ids = new Map([...texts].map(([name, text]) => [name, idsOf(text)]));
  let followed = 0;
  for (const [name, text] of texts) {
    for (const [, target] of text.matchAll(/ (?:href|src|action)="([^"]+)"/g)) {
      if (/^(?:https:|mailto:)/.test(target)) continue;
      const [path, hash] = target.split('#');
      const file = path === '' ? name : normalize(join(dirname(name), path));
      // What lies above docs/ is www/ as it stands, and the typeface.
      const above = file.slice('../'.length);
      const place = file.startsWith('..') ? (FONTS[above] ?? join(ROOT, 'www', above)) : join(FOLDER, file);
      assert.doesNotThrow(() => readFileSync(place), `${name} leads to ${target}`);
      if (hash) assert.ok(ids.get(file)?.has(hash), `${name} leads to ${target}`);
      followed += 1;
    }
  }
  assert.ok(followed > 3000, `${followed} were followed`);
});

test('ids are there once, and a page has one heading of the first rank', () => {
  for (const [name, text] of texts) {
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    assert.deepEqual(ids.length, new Set(ids).size, name);
    assert.equal(text.match(/<h1>/g)?.length, 1, name);
  }
});

test("nothing is inline, the policy is the server's, and no page but the search has a script", () => {
  for (const [name, text] of texts) {
    assert.doesNotMatch(text, /<style| style=| on\w+="|javascript:/, name);
    const [, policy] = /Content-Security-Policy" content="([^"]+)"/.exec(text);
    assert.equal(policy, policyOfPage(`/docs/${name}`), name);
    assert.equal(/<script/.test(text), name === 'search.html', name);
  }
});

test('without a script the search page lists every page', () => {
  const list = texts.get('search.html');
  for (const name of texts.keys())
    if (!['search.html', 'index.html'].includes(name)) assert.ok(list.includes(`href="${name}"`), name);
});

test('the index of the search has every page, and no token', async () => {
  const { sections } = await import(join(FOLDER, 'search-index.js'));
  const addresses = new Set(sections.map(([address]) => address.split('#')[0]));
  for (const name of texts.keys()) if (name !== 'search.html') assert.ok(addresses.has(name), name);
  assert.ok(!sections.some(([, , , text]) => /eyJ[\w-]{40}/.test(text)));
});

test('anchors are those of forges', () => {
  assert.equal(anchorOf('What "instantly" means'), 'what-instantly-means');
  assert.equal(anchorOf('1. Install'), '1-install');
  assert.equal(anchorOf('`/token`, `/revoke`'), 'token-revoke');
});

test('HTML in a page is a mistake, and so is a link that leads nowhere', () => {
  const page = (markdown) => ({ path: 'x.md', source: 'www/docs/x.md', markdown });
  assert.throws(() => render(page('# x\n\n<b>bold</b>'), () => 'x'), /has HTML/);
  assert.match(render(page('# x\n\n<!-- a comment -->\n\ntext'), () => 'x').html, /^<h1>x<\/h1>\n<p>text/);
  assert.match(
    render(page('# x\n\n`<b>` & <https://x.example>'), (target) => target).html,
    /&lt;b&gt;.*&amp;/,
  );
});
