// React, Vue and Svelte as they are, in a real page; and React on a server, where there is none.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { build } from 'esbuild';
import { useSession } from 'portcullis/react';
import { createSession } from 'portcullis/session';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { compile } from 'svelte/compiler';

import { ROOT } from '../support/binaries.mjs';
import { engines } from './engines.mjs';
import { mint } from './fakes.mjs';

const LINE = `<script>let { store } = $props();</script>
<p>{[$store.status, $store.claims?.sub].filter(Boolean).join(' ')}</p>`;

const svelte = {
  name: 'svelte',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^line\.svelte$/ }, ({ path }) => ({ path, namespace: 'svelte' }));
    onLoad({ filter: /./, namespace: 'svelte' }, () => {
      const { js } = compile(LINE, { filename: 'line.svelte', generate: 'client' });
      return { contents: js.code, loader: 'js', resolveDir: ROOT };
    });
  },
};

const Line = ({ session }) => createElement('p', null, useSession(session).status);

test('each framework shows what the session is, and lets go of it', async () => {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [join('tests', 'session', 'frameworks-page.mjs')],
    write: false,
    bundle: true,
    format: 'iife',
    target: 'es2022',
    conditions: ['browser'],
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [svelte],
    logLevel: 'warning',
  });
  const browser = await engines.chromium();
  try {
    const { page } = await browser.open('about:blank');
    const faults = [];
    page.on('pageerror', (error) => faults.push(error.message));
    await page.addScriptTag({ content: outputFiles[0].text });
    const results = await page.evaluate(
      (token) => globalThis.run(token),
      mint(Math.floor(Date.now() / 1000)),
    );
    const expected = { seen: ['unknown', 'signed-in ada', 'signed-out'], during: 1, after: 0 };
    assert.deepEqual(results, { react: expected, vue: expected, svelte: expected });
    assert.deepEqual(faults, []);
  } finally {
    await browser.close();
  }
});

test('React renders it on a server, where nothing is asked of anybody', () => {
  let asked = 0;
  const refresh = () => {
    asked += 1;
    return new Promise(() => {});
  };
  const session = createSession({ refresh, name: 'server' });
  assert.equal(renderToString(createElement(Line, { session })), '<p>unknown</p>');
  assert.equal(asked, 0);
  session.close();
});
