// Our patterns beside the runtime's own URLPattern, in one process. Run in Node 24 by
// routes.test.mjs: the machine's own may have none.
import { createGate } from 'portcullis/gate';

const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }] };
const gateFor = (path) =>
  createGate(
    {
      issuers: [{ issuer: 'https://issuer.example', audience: 'a', jwks }],
      gate: { routes: [{ path, requirement: 'public' }] },
    },
    { cache: 0, platform: 'none' },
  );

/** A small generator of numbers, the same each time. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const PIECES = [
  '/',
  '/',
  '/a',
  '/b',
  '/ab',
  'a',
  'b',
  '-',
  '.',
  '/:x',
  '/:y',
  ':z',
  ':w-',
  '/*',
  '*',
  '{/a}',
  '{/:g}',
  '{a}',
  '{/a/:h/b}',
  '{-*}',
  '?',
  '+',
  '*',
  '\\:',
  '\\*',
  '\\{',
  '\\+',
  '%20',
  '%2F',
  '@',
  '~',
  '/a-:i',
  '}',
  '{',
  ':',
  '{:j.}',
  '{/b-}',
];
const STEPS = [
  '/',
  '/a',
  '/b',
  '/ab',
  '/a/b',
  '/a/b/a',
  '/a-b',
  '-',
  'a',
  'b',
  '.',
  '/a.b',
  ':',
  '*',
  '+',
  '%20',
  '%2F',
  '@',
  '~',
  '/aa',
];
const EXAMPLES = [
  '/',
  '*',
  '/*',
  '/a',
  '/a/',
  '/a/*',
  '/a/*?',
  '/:x',
  '/:x?',
  '/:x+',
  '/:x*',
  '/a/:x?',
  '/a/:x+/b',
  '/a{/b}?',
  '/a{/b}+',
  '/a{/b}*',
  '{/a}',
  '{/:x}?',
  '/:x.:y',
  '/:x-:y',
  '/a:x',
  '/a\\:x',
  '/{a}?b',
  '/{ab:x}+',
  '/*/b',
  '/**',
  '/a*',
  '/a{*}?',
  '/{:x/}*b',
  '{/:x/b}+',
];

const next = random(20_260_101);
const some = (list, most) => Array.from({ length: 1 + next(most) }, () => list[next(list.length)]).join('');
const patterns = new Set(EXAMPLES);
while (patterns.size < 1500) patterns.add(`/${some(PIECES, 5)}`);
const paths = new Set(['/', ...STEPS.filter((step) => step.startsWith('/'))]);
while (paths.size < 160) paths.add(new URL(`https://api.example/${some(STEPS, 5)}`).pathname);

/**
 * Paths that a pattern may well match: its names and wildcards filled in, its modifiers left away.
 */
function likely(pattern) {
  const filled = (name, wild) =>
    pattern.replace(
      /\\(.)|:\w+|\*|[{}?+]/g,
      (piece, escaped) => escaped ?? (piece.startsWith(':') ? name : piece === '*' ? wild : ''),
    );
  return [filled('v', 'w/w'), filled('v-', ''), filled('', 'w')].flatMap((path) =>
    path.startsWith('/') ? [new URL(`https://api.example${path}`).pathname] : [],
  );
}

const count = { patterns: 0, refused: 0, comparisons: 0, matches: 0 };
const differences = [];
const stricter = {};
for (const pattern of patterns) {
  let theirs;
  let gate;
  let error;
  try {
    theirs = new URLPattern({ pathname: pattern });
  } catch {
    theirs = undefined;
  }
  try {
    gate = gateFor(pattern);
  } catch (thrown) {
    error = thrown;
  }
  if (error) {
    count.refused += 1;
    // What we refuse and the standard takes has to have a reason of ours.
    if (theirs) {
      const known = [/only percent-encoded/, /dot segment/, /must begin with/, /regular expression/].find(
        (reason) => reason.test(error.reason),
      );
      if (known) stricter[known.source] = (stricter[known.source] ?? 0) + 1;
      else differences.push({ pattern, why: error.message });
    }
    continue;
  }
  if (!theirs) {
    differences.push({ pattern, why: 'URLPattern refuses it' });
    continue;
  }
  count.patterns += 1;
  for (const path of [...paths, ...likely(pattern)]) {
    const decision = await gate.check({ method: 'GET', url: `https://api.example${path}`, headers: [] });
    // Refused before a pattern is asked.
    if (decision.code === 'path-ambiguous') continue;
    const ours = decision.via === 'public';
    count.comparisons += 1;
    if (ours) count.matches += 1;
    if (ours !== theirs.test({ pathname: path })) differences.push({ pattern, path, ours });
  }
}
console.log(
  JSON.stringify({
    version: process.versions.node,
    ...count,
    stricter,
    differences: differences.slice(0, 20),
    different: differences.length,
  }),
);
