// Where the keys of a call come from, as members of an issuer.
import type ts from 'typescript';

import type { Draft, Hole } from './draft.js';
import type { Source } from './source.js';

export interface KeySource {
  members: { [member: string]: Draft };
  remote: boolean;
  hmac: boolean;
  /** What the source does not say about them. */
  notes: string[];
}

const PEM = /^\s*-----BEGIN ([A-Z0-9 ]+)-----/;

export const localKeys = (members: { [member: string]: Draft }, hmac = false): KeySource => ({
  members,
  remote: false,
  hmac,
  notes: [],
});
export const remoteKeys = (remote: Draft): KeySource => ({
  members: { remote },
  remote: true,
  hmac: false,
  notes: [],
});

/** A URL of the source: a text, or `new URL(text)`. */
export function urlDraft(source: Source, expression: ts.Expression | undefined, what: string): Draft {
  if (expression === undefined) return { hole: what, instead: 'https://fill-in.example/jwks' };
  const found = source.resolve(expression);
  const isUrl =
    source.ts.isNewExpression(found) &&
    source.ts.isIdentifier(found.expression) &&
    found.expression.text === 'URL';
  const inner = isUrl && found.arguments?.length === 1 ? found.arguments[0] : found;
  const text = source.text(inner);
  if (text !== undefined) return text;
  return { hole: what, expression: inner ?? expression, instead: 'https://fill-in.example/jwks' };
}

/** The key of a call. `algorithms` are those that the source names. */
export function keySource(source: Source, given: ts.Expression, algorithms: readonly string[]): KeySource {
  const { ts } = source;
  const key = source.resolve(given);
  if (ts.isCallExpression(key) || ts.isNewExpression(key)) {
    const called = calledSource(source, key, algorithms);
    if (called !== undefined) return called;
  }
  if (ts.isFunctionLike(key) || isFunctionName(source, key)) return fetchedBy(source);
  const text = source.text(key);
  const label = text === undefined ? undefined : PEM.exec(text)?.[1];
  if (text !== undefined && label !== undefined) return ofPem(text, label, algorithms);
  const hmac =
    algorithms.some((alg) => alg.startsWith('HS')) || (algorithms.length === 0 && !looksPublic(source, key));
  if (hmac) return secretKeys('utf8', given, algorithms);
  const hole: Hole = { hole: 'the public key in PEM', expression: given, secret: true };
  // A file without an encoding is bytes; a policy has texts.
  if (ts.isCallExpression(key) && /\breadFileSync$/.test(key.expression.getText(source.file)))
    if (key.arguments.length === 1) hole.suffix = '.toString()';
  return pemKeys(hole, 'pem', algorithms);
}

function calledSource(
  source: Source,
  call: ts.CallExpression | ts.NewExpression,
  algorithms: readonly string[],
): KeySource | undefined {
  const [first, second] = call.arguments ?? [];
  const origin = source.origin(call.expression);
  const name = origin?.module === 'jose' ? origin.path.join('.') : undefined;
  if (name === 'createRemoteJWKSet')
    return remoteKeys({ jwksUri: urlDraft(source, first, 'the URL of the keys') });
  if (name === 'createLocalJWKSet' && first)
    return localKeys({ jwks: { hole: 'the JWK Set', expression: first, secret: true } });
  if (name === 'importJWK' && first)
    return localKeys({ jwks: { keys: [{ hole: 'the public JWK', expression: first, secret: true }] } });
  if ((name === 'importSPKI' || name === 'importX509') && first) {
    const alg = source.text(second);
    return keySource(source, first, alg === undefined ? algorithms : [alg]);
  }
  const callee = call.expression.getText(source.file).replace(/\s/g, '');
  const encoding = source.text(second) ?? 'utf8';
  if (callee === 'Buffer.from' && first && /^(utf-?8|hex|base64(url)?)$/.test(encoding))
    return secretKeys(encoding.replace('-', ''), first, algorithms);
  if (callee === 'newTextEncoder().encode' && first) return secretKeys('utf8', first, algorithms);
  return undefined;
}

function secretKeys(encoding: string, expression: ts.Expression, algorithms: readonly string[]): KeySource {
  const hole: Hole = { hole: 'the secret, from where it is kept', expression, secret: true };
  const algs = algorithms.filter((alg) => alg.startsWith('HS'));
  const keys = (algs.length > 0 ? algs : ['HS256']).map((alg) => ({ alg, secret: { [encoding]: hole } }));
  const notes = algs.length > 0 ? [] : ['the source names no algorithm for its secret; HS256 is a guess'];
  return { ...localKeys({ keys }, true), notes };
}

function pemKeys(value: Draft, member: string, algorithms: readonly string[]): KeySource {
  const known = algorithms.length > 0;
  const keys = (known ? algorithms : ['RS256']).map((alg) => ({ alg, [member]: value }));
  const notes = known ? [] : ['the source names no algorithm for its key; RS256 is a guess'];
  return { ...localKeys({ keys }), notes };
}

function ofPem(text: string, label: string, algorithms: readonly string[]): KeySource {
  if (label === 'CERTIFICATE') return pemKeys(text, 'certificate', algorithms);
  if (label.endsWith('PUBLIC KEY')) return pemKeys(text, 'pem', algorithms);
  return pemKeys({ hole: `the public half: the source has a ${label}` }, 'pem', algorithms);
}

/** A function that gets keys by `kid`; the URL is that of jwks-rsa, if the file has one. */
function fetchedBy(source: Source): KeySource {
  let url: ts.Expression | undefined;
  source.walk((node) => {
    if (!source.ts.isCallExpression(node) && !source.ts.isNewExpression(node)) return;
    const module = source.origin(node.expression)?.module;
    if (module === 'jwks-rsa' || module === 'get-jwks')
      url ??= source.members(node.arguments?.[0]).get('jwksUri');
  });
  return remoteKeys({
    jwksUri: urlDraft(source, url, 'the URL of the keys, which a function fetches today'),
  });
}

function isFunctionName(source: Source, node: ts.Node): boolean {
  const declarations = source.ts.isIdentifier(node) ? source.symbolOf(node)?.declarations : undefined;
  return declarations?.some((one) => source.ts.isFunctionDeclaration(one)) ?? false;
}

const looksPublic = (source: Source, node: ts.Node): boolean =>
  /public|pub\b|pem|cert|\.crt/i.test(node.getText(source.file));
