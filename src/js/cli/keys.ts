import { PolicyError } from '../shared/errors.js';
import type { KeyReport, Policy, Verifier } from '../verifier/index.js';
import { createVerifier } from './core.js';
import { orMisuse, readOrFetch } from './input.js';
import { mistakeIn } from './json-position.js';
import type { Call } from './main.js';

/** What a verifier makes of one key. */
interface Key {
  kid: string | null;
  kty: string | null;
  alg: string | null;
  usable: boolean;
  reason?: string;
}

/** `portcullis keys` */
export async function keys({ operands: [source], options: { alg }, terminal }: Call): Promise<boolean> {
  const algorithms = alg?.split(',');
  if (algorithms !== undefined) orMisuse(() => verifierFor(algorithms), '--alg', '');
  const text = await readOrFetch(source, 'a JWK Set');
  const { reason, found } = read(text, algorithms);
  const usable = found.filter((key) => key.usable).length;
  const ok = reason === undefined && usable > 0;
  if (terminal.json) terminal.answer({ ok, keys: found, ...(reason !== undefined && { reason }) });
  else {
    if (reason !== undefined) terminal.bad(`${source} is no JWK Set: ${reason}`);
    else if (ok) terminal.good(`${usable} of ${found.length} keys can be used`);
    else terminal.bad(`none of ${found.length} keys can be used`);
    terminal.table(found.map(row));
  }
  return ok;
}

function row({ kid, kty, alg, usable, reason }: Key): string[] {
  const name = kid === null ? 'without a kid' : JSON.stringify(kid);
  return [usable ? '✓' : '✗', name, kty ?? '?', alg ?? '-', reason ?? ''];
}

function read(text: string, algorithms: string[] | undefined): { found: Key[]; reason?: string } {
  const whole = take(text, algorithms);
  const parsed = parse(text);
  if (!Array.isArray(parsed)) return { found: [], reason: notJson(text) ?? whole.reason ?? 'it has no keys' };
  const taken = new Set<string | null>();
  const found = parsed.map((jwk) => {
    const key = one(jwk, algorithms);
    // What is wrong only beside the others: a kid that a key before it has.
    const twice = key.usable && key.kid !== null && taken.has(`${key.kid} ${key.alg}`);
    taken.add(`${key.kid} ${key.alg}`);
    return twice
      ? { ...key, usable: false, reason: '/kid: is not unique among the keys of this algorithm' }
      : key;
  });
  // That no key can be used is said of each; anything else is said of the set.
  const { reason } = whole;
  return reason === undefined || reason.startsWith(': has no usable key') ? { found } : { found, reason };
}

function one(jwk: unknown, algorithms: string[] | undefined): Key {
  const text = (name: string) => {
    const value = (jwk as Record<string, unknown> | null)?.[name];
    return typeof value === 'string' ? value : null;
  };
  const { report, reason } = take(JSON.stringify({ keys: [jwk] }), algorithms);
  const alg = report?.keys[0]?.alg ?? text('alg');
  const why = reason?.replace(': has no usable key; left out: ', '');
  return {
    kid: text('kid'),
    kty: text('kty'),
    alg,
    usable: report !== undefined,
    ...(why && { reason: why }),
  };
}

const ISSUER = 'https://issuer.invalid';

/**
 * A verifier with remote keys; `algorithms` settle what a key without `alg` is for, as in a
 * policy.
 */
function verifierFor(algorithms: string[] | undefined): Verifier {
  const issuer = { issuer: ISSUER, audience: ISSUER, remote: { jwksUri: ISSUER } };
  return createVerifier({
    issuers: [algorithms === undefined ? issuer : { ...issuer, algorithms }],
  } as Policy);
}

/** Hands a set to a verifier of its own. */
function take(jwks: string, algorithms: string[] | undefined): { report?: KeyReport; reason?: string } {
  try {
    return { report: verifierFor(algorithms).setRemoteKeys(ISSUER, jwks) };
  } catch (error) {
    if (error instanceof PolicyError) return { reason: error.message };
    throw error;
  }
}

/** Where a text is no JSON, if it is none. */
function notJson(text: string): string | undefined {
  const mistake = mistakeIn(text);
  if (mistake === undefined) return undefined;
  const { line, column, expected, found } = mistake;
  return `it is no JSON: expected ${expected}; found ${found} (line ${line}, column ${column})`;
}

function parse(text: string): unknown {
  try {
    return (JSON.parse(text) as { keys?: unknown } | null)?.keys;
  } catch {
    return undefined;
  }
}
