// The packed package under the strictest settings, on every platform and by every way to find
// modules.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import ts from 'typescript';

import { ROOT } from '../../src/build/steps.mjs';
import { compile, project } from '../docs/project.mjs';

const PLATFORMS = {
  'lib es2022 alone': { lib: ['lib.es2022.d.ts'], types: [] },
  'the DOM library': { lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'], types: [] },
  '@cloudflare/workers-types': { lib: ['lib.es2022.d.ts'], types: ['@cloudflare/workers-types'] },
  '@types/node': { lib: ['lib.es2022.d.ts'], types: ['node'] },
};
const { ModuleKind, ModuleResolutionKind } = ts;
const WAYS = {
  bundler: { module: ModuleKind.ESNext, moduleResolution: ModuleResolutionKind.Bundler },
  node16: { module: ModuleKind.Node16, moduleResolution: ModuleResolutionKind.Node16 },
  nodenext: { module: ModuleKind.NodeNext, moduleResolution: ModuleResolutionKind.NodeNext },
};
const combinations = Object.entries(PLATFORMS).flatMap(([platform, of]) =>
  Object.entries(WAYS).map(([way, options]) => [`${platform}, ${way}`, way, { ...of, ...options }]),
);

const within = project();
const bare = project({ bare: true });
after(() => {
  within.remove();
  bare.remove();
});

const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const entries = Object.keys(exports)
  .filter((name) => exports[name].types !== undefined)
  .map((name) => name.replace('.', 'portcullis'));

/**
 * As TypeScript sees an imported JSON file. node16 takes no import attributes, and nodenext no
 * JSON without.
 */
const DOCUMENT = {
  $schema: './node_modules/portcullis/policy.schema.json',
  issuers: [
    { issuer: 'https://issuer.example', audience: ['a', 'b'], types: ['JWT'], remote: { discovery: 'oidc' } },
    { preset: 'google', audience: 'a', algorithms: ['RS256'], claims: { hd: 'example.com' } },
  ],
  gate: { routes: [{ path: '/admin/*', methods: ['GET'], requirement: { scopes: ['admin'] } }] },
};
const documentFor = (way) =>
  `import document from './policy.json'${way === 'node16' ? '' : " with { type: 'json' }"};\nexport { document };\n`;

for (const [name, way, options] of combinations) {
  test(`every entry compiles with nothing else installed: ${name}`, () => {
    const text = entries.map((entry, at) => `export * as e${at} from '${entry}';\n`).join('');
    assert.deepEqual(compile(bare.folder, { 'all.ts': text }, options), []);
  });

  test(`what a strict program writes compiles: ${name}`, () => {
    const files = {
      'user.ts': readFileSync(new URL('user.ts', import.meta.url), 'utf8'),
      'document.ts': documentFor(way),
      'policy.json': JSON.stringify(DOCUMENT),
    };
    assert.deepEqual(compile(within.folder, files, options), []);
  });
}
