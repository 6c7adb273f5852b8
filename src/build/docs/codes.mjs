// A page for every code that a token or a request can be refused with: what the closed tables of
// src/ say, what people have written in www/docs/reference/codes.md, and a token or a request of
// the vectors that triggers it. The address of a page is docs/reference/codes/CODE.html: what a
// `type` of problem+json (the policy's `gate.problemTypes`), the command `verify` and the
// inspector point to.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readVectors } from '../../../tests/vectors/read.mjs';
import { ROOT } from '../steps.mjs';

const read = (path) => readFileSync(join(ROOT, path), 'utf8');

/**
 * What a gate answers when it is not 401 with `invalid_token`: the status, and the `error` of the
 * challenge. `tests/docs/coverage.test.mjs` compares it with every vector that states a status.
 */
const ANSWERS = {
  'transport-insecure': [403],
  'request-cross-site': [403],
  'network-denied': [403],
  'address-unknown': [403],
  'refused-by-check': [403],
  'request-malformed': [400],
  'path-ambiguous': [400],
  'request-misdirected': [421],
  'dpop-origin-unknown': [500],
  'authorization-missing': [401, ''],
  'authorization-scheme': [401, ''],
  'authorization-ambiguous': [400, 'invalid_request'],
  'authorization-malformed': [400, 'invalid_request'],
  'token-in-query': [400, 'invalid_request'],
  'keys-unavailable': [503],
  'revocation-stale': [503],
  'introspection-unavailable': [503],
  'replay-unavailable': [503],
  'verifier-unavailable': [503],
  'dpop-nonce-required': [401, 'use_dpop_nonce'],
  'dpop-proof-missing': [401, 'invalid_dpop_proof'],
  'dpop-proof-ambiguous': [401, 'invalid_dpop_proof'],
  'dpop-proof-invalid': [401, 'invalid_dpop_proof'],
  'dpop-method-mismatch': [401, 'invalid_dpop_proof'],
  'dpop-url-mismatch': [401, 'invalid_dpop_proof'],
  'dpop-token-mismatch': [401, 'invalid_dpop_proof'],
  'dpop-time-mismatch': [401, 'invalid_dpop_proof'],
  'dpop-replayed': [401, 'invalid_dpop_proof'],
  'scope-insufficient': [403, 'insufficient_scope'],
  'claim-insufficient': [403, 'insufficient_scope'],
  'acr-insufficient': [401, 'insufficient_user_authentication'],
  'authentication-too-old': [401, 'insufficient_user_authentication'],
};

export const answerTo = (code) => {
  // A gate reads claims by its own schema, and says refused-by-check.
  if (code === 'claims-refused') return { status: undefined, error: '' };
  const [status, error = status === 401 ? 'invalid_token' : ''] = ANSWERS[code] ?? [401];
  return { status, error };
};

/** The closed tables: `{ code, stage, messages, fields }` in the order of their enums. */
export function codesOfSources() {
  const fields = fieldsOf(read('src/js/verifier/verdict.ts'));
  const rows = ['src/rejection.rs', 'src/denial.rs'].flatMap((path) => {
    const table = read(path).matchAll(/=> \("([a-z\d-]+)", ([\w.()]+), "((?:[^"\\]|\\.)*)"\)/g);
    return [...table].map(([, code, stage, message]) => {
      const name = stage.startsWith('part.') ? 'jws or claims' : stage.toLowerCase();
      return { code, stage: name, message: message.replaceAll('\\"', '"') };
    });
  });
  // JavaScript makes some around the core.
  const around = readdirSync(join(ROOT, 'src/js/verifier')).flatMap((name) => {
    const made = read(`src/js/verifier/${name}`).matchAll(
      /code: '([a-z\d-]+)',\s*stage: '(\w+)',\s*message: '([^']*)'/g,
    );
    return [...made].map(([, code, stage, message]) => ({ code, stage, message }));
  });
  // A code that says more than one thing has a row for each.
  const byCode = new Map();
  for (const { code, stage, message } of [...rows, ...around]) {
    const held = byCode.get(code) ?? { code, stage, messages: [] };
    byCode.set(code, { ...held, messages: [...held.messages, message] });
  }
  return [...byCode.values()].map((row) => ({ ...row, fields: fields.get(row.code) ?? [] }));
}

/** The names of each code's fields, of `interface Fields`. */
function fieldsOf(source) {
  const text = source.replaceAll(/\/\*[\s\S]*?\*\//g, '');
  const body = /\ninterface Fields \{\n([\s\S]*?)\n\}\n/.exec(text)?.[1] ?? '';
  const entries = body.matchAll(/^ {2}'?([a-z\d-]+)'?: (object;|\{[^}]*\};)/gm);
  return new Map(
    [...entries].map(([, code, shape]) => [code, [...shape.matchAll(/(\w+)\??:/g)].map(([, name]) => name)]),
  );
}

/** The sections of www/docs/reference/codes.md by code: the text that people have written. */
export function sectionsOf(markdown) {
  const parts = markdown.split(/^### `([a-z\d-]+)`\n/m).slice(1);
  const sections = new Map();
  for (let at = 0; at < parts.length; at += 2)
    sections.set(parts[at], parts[at + 1].split(/^## /m)[0].trim());
  return sections;
}

/**
 * The codes without a text, and the texts without a code: both are empty, says
 * `tests/docs/coverage.test.mjs`.
 */
export function gaps(markdown) {
  const sections = sectionsOf(markdown);
  const codes = codesOfSources().map(({ code }) => code);
  return {
    missing: codes.filter((code) => !sections.has(code)),
    stray: [...sections.keys()].filter((code) => !codes.includes(code)),
  };
}

/** A page for each code. */
export function codePages({ markdown, source }) {
  const sections = sectionsOf(markdown);
  const codes = codesOfSources();
  const samples = samplesByCode();
  return codes.map((entry) => {
    const text = [
      `# \`${entry.code}\``,
      sections.get(entry.code) ?? entry.messages[0],
      '## The answer',
      facts(entry),
      sample(samples.get(entry.code)),
    ];
    return {
      path: `reference/codes/${entry.code}.md`,
      source,
      markdown: `${text.filter(Boolean).join('\n\n')}\n`,
    };
  });
}

function facts({ code, stage, messages, fields }) {
  const { status, error } = answerTo(code);
  const rows = [
    ...messages.map((message) => ['Message', message]),
    ['Stage', stage],
    ['HTTP status of a gate', status === undefined ? 'none: only a verifier says it' : String(status)],
    ...(error ? [['`error` of `WWW-Authenticate`', `\`${error}\``]] : []),
    ...(status === 503 ? [['`Retry-After`', 'yes']] : []),
    ...(fields.length > 0 ? [['Further fields', fields.map((name) => `\`${name}\``).join(', ')]] : []),
  ];
  return [
    '| | |',
    '| --- | --- |',
    ...rows.map(([name, value]) => `| ${name} | ${value.replaceAll('|', '\\|')} |`),
  ].join('\n');
}

/**
 * For each code the shortest vector that expects it; one of a token rather than one of a request.
 */
function samplesByCode() {
  const found = new Map();
  const rank = ({ kind }) => ['verify', 'authorization', 'gate', 'gate-step', 'inspect', 'jws'].indexOf(kind);
  const isWhole = ({ token }) => token === undefined || typeof token === 'string';
  const cost = (vector) => rank(vector) * 1e6 + (isWhole(vector) ? 0 : 1e5) + JSON.stringify(vector).length;
  for (const { vectors, policies } of readVectors()) {
    for (const vector of vectors) {
      const held = found.get(vector.expect.code);
      if (vector.expect.code && (held === undefined || cost(vector) < cost(held.vector)))
        found.set(vector.expect.code, { vector, policies });
    }
  }
  return found;
}

const block = (value) => `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;
const decoded = (segment) => {
  try {
    return JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
};

/** A vector as a reader wants it: what was sent, when, and what the answer was. */
function sample(found) {
  if (found === undefined) return '';
  const { vector, policies } = found;
  const { id, comment, token, request, requirement, now } = vector;
  const policy = typeof vector.policy === 'string' ? policies[vector.policy] : vector.policy;
  const parts = [`## An example`, comment, `It is the vector \`${id}\`, judged at ${now}.`];
  const tokens = typeof token === 'string' ? [token] : bearers(request);
  if (request) parts.push('The request:', block(shortened(request)));
  else if (typeof token === 'string')
    parts.push('The token:', `\`\`\`text\n${token.slice(0, 2000) || '(empty)'}\n\`\`\``);
  else parts.push('The token, in parts; a part with `count` is repeated:', block(token));
  for (const text of tokens) {
    const [header, payload] = text.split('.').slice(0, 2).map(decoded);
    if (header !== undefined && payload !== undefined) parts.push('It says:', block({ header, payload }));
  }
  if (requirement) parts.push('What is required:', block(requirement));
  if (request && policy?.gate) parts.push('The gate of the policy:', block(policy.gate));
  parts.push('The answer:', block(vector.expect));
  return parts.filter(Boolean).join('\n\n');
}

const bearers = (request) =>
  (Array.isArray(request?.headers) ? request.headers : []).flatMap(([, value]) =>
    typeof value === 'string' ? (value.match(/[\w-]+\.[\w-]+\.[\w-]+/g) ?? []) : [],
  );

/** Tokens are cut: they are decoded below. */
const shortened = (request) =>
  JSON.parse(JSON.stringify(request), (_, value) =>
    typeof value === 'string'
      ? value.replaceAll(/([\w-]{12})[\w-]+\.[\w-]+\.[\w-]+/g, (text, start) =>
          text.length > 80 ? `${start}…` : text,
        )
      : value,
  );

/** The list of all codes, for the reference. */
export function codesTable() {
  const rows = codesOfSources().map(
    ({ code, stage, messages }) =>
      `| [\`${code}\`](codes.md#${code}) | ${stage} | ${answerTo(code).status ?? '–'} | ${messages.at(-1).replaceAll('|', '\\|')} |`,
  );
  return ['| code | stage | status | message |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
