// The result on the screen, and its ratios in the README and the documentation.
import { writeBetween } from '../support/between.mjs';
import { ALGS } from './tokens.mjs';

// What is divided by our time, and where; at the end our row, when it is not `portcullis`.
const RATIOS = [
  ['jose ÷ portcullis, Node, new token', 'Node', 'fresh', 'jose'],
  ['fast-jwt ÷ portcullis, Node, new token', 'Node', 'fresh', 'fast-jwt'],
  ['jsonwebtoken ÷ portcullis, Node, new token', 'Node', 'fresh', 'jsonwebtoken'],
  ['aws-jwt-verify ÷ portcullis, Node, new token', 'Node', 'fresh', 'aws-jwt-verify'],
  ['native signature alone ÷ portcullis, Node', 'Node', 'fresh', 'native'],
  ['jose ÷ portcullis, workerd, new token', 'workerd', 'fresh', 'jose'],
  ['fast-jwt cached ÷ portcullis, Node, same token again', 'Node', 'repeat', 'fast-jwt cached'],
  ['hono/jwk ÷ portcullis/hono, workerd, whole request, new token', 'workerd', 'gate fresh', 'hono/jwk'],
  ['hono/jwk ÷ portcullis/hono, workerd, the same token again', 'workerd', 'gate repeat', 'hono/jwk'],
  ['hono/jwk ÷ portcullis/hono, Node, whole request, new token', 'Node', 'gate fresh', 'hono/jwk'],
  ['hono/jwk ÷ portcullis/hono, Node, the same token again', 'Node', 'gate repeat', 'hono/jwk'],
  [
    'express-oauth2-jwt-bearer ÷ portcullis/express, Node, new token',
    'Node',
    'gate fresh',
    'express-oauth2-jwt-bearer',
    'portcullis/express',
  ],
];

/** What the README shows of it. */
const SHORT_ALGS = ['ES256', 'EdDSA', 'RS256', 'ES384'];
const SHORT_RATIOS = [
  'jose ÷ portcullis, Node, new token',
  'jsonwebtoken ÷ portcullis, Node, new token',
  'fast-jwt ÷ portcullis, Node, new token',
  'jose ÷ portcullis, workerd, new token',
  'hono/jwk ÷ portcullis/hono, workerd, the same token again',
];

const KINDS = {
  fresh: 'every token new (µs a token)',
  repeat: 'the same token again (µs a token)',
  'gate fresh': 'whole requests, every token new (µs a request)',
  'gate repeat': 'whole requests, the same token again (µs a request)',
};

export function print({ rows, sizes, coldStart }) {
  for (const runtime of ['Node', 'workerd']) {
    for (const [kind, title] of Object.entries(KINDS)) {
      const part = rows.filter((row) => row.runtime === runtime && row.case === kind);
      if (part.length === 0) continue;
      console.log(`\n${runtime}, ${title}`);
      const names = [...new Set(part.map(({ library }) => library))];
      grid([
        ['', ...ALGS],
        ...names.map((name) => [name, ...ALGS.map((alg) => format(cell(part, alg, name)))]),
      ]);
    }
  }
  console.log('\nratios (above 1: we are faster)');
  grid([['', ...ALGS], ...ratios(rows)]);
  console.log('\nbytes after gzip');
  grid(Object.entries(sizes).map(([name, bytes]) => [name, String(bytes)]));
  console.log('\nfirst verification in a new process (ms)');
  grid([
    ['', 'with loading the JavaScript', 'without'],
    ...Object.entries(coldStart).map(([name, time]) => [name, time.whole.toFixed(1), time.loaded.toFixed(1)]),
  ]);
}

/** The rows of the Rust crate and its peers. */
export function printNative(rows) {
  const algs = ALGS.filter((alg) => rows.some((row) => row.alg === alg));
  const names = [...new Set(rows.map(({ library }) => library))];
  console.log('\nnatively, every token new (µs a token)');
  grid([['', ...algs], ...names.map((name) => [name, ...algs.map((alg) => format(cell(rows, alg, name)))])]);
  console.log('\nratios (above 1: we are faster)');
  const ratio = (alg, name) => cell(rows, alg, name) / cell(rows, alg, 'portcullis');
  const peers = names.filter((name) => name !== 'portcullis');
  grid([
    ['', ...algs],
    ...peers.map((name) => [`${name} ÷ portcullis`, ...algs.map((alg) => format(ratio(alg, name)))]),
  ]);
}

/**
 * Ratios alone: microseconds tell of the machine. The README has a few of them, the documentation
 * all.
 */
export function writeReadme({ rows, sizes }) {
  const all = ratios(rows);
  const kilobytes = `The validator is ${Math.round(sizes['validator wasm'] / 1024)} KB after gzip.`;
  const intro =
    'Ratios of medians from one run of `npm run bench`, whole tokens, and below whole requests; above 1 we are faster.';
  writeBetween(
    'www/docs/reference/benchmarks.md',
    'bench',
    [intro, '', ...markdown(ALGS, all), '', kilobytes].join('\n'),
  );
  const columns = SHORT_ALGS.map((alg) => ALGS.indexOf(alg) + 1);
  const short = all
    .filter(([title]) => SHORT_RATIOS.includes(title))
    .map(([title, ...cells]) => [title, ...columns.map((at) => cells[at - 1])]);
  writeBetween(
    'README.md',
    'bench',
    [
      ...markdown(SHORT_ALGS, short),
      '',
      `Ratios of medians; above 1 Portcullis is faster. ${kilobytes}`,
    ].join('\n'),
  );
}

const markdown = (algs, lines) => [
  `| | ${algs.join(' | ')} |`,
  `| --- |${' --- |'.repeat(algs.length)}`,
  ...lines.map((cells) => `| ${cells.join(' | ')} |`),
];

function ratios(rows) {
  return RATIOS.map(([title, runtime, kind, library, ours = 'portcullis']) => {
    const part = rows.filter((row) => row.runtime === runtime && row.case === kind);
    const ratio = (alg) => cell(part, alg, library) / cell(part, alg, ours);
    return [title, ...ALGS.map((alg) => format(ratio(alg)))];
  });
}

function cell(rows, alg, library) {
  return rows.find((row) => row.alg === alg && row.library === library)?.microseconds ?? Number.NaN;
}

function format(value) {
  if (Number.isNaN(value)) return '–';
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function grid(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]));
  for (const row of rows) console.log(row.map(pad).join('  '));
}
