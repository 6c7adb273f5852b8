// The options that libraries share, as members of an issuer.
import type ts from 'typescript';

import type { Draft } from './draft.js';
import { type Finding, STRICTER } from './finding.js';
import type { KeySource } from './key-source.js';
import type { Members, Source } from './source.js';

const ALGORITHMS = /^((HS|RS|PS)(256|384|512)|ES(256|384|512|256K)|EdDSA)$/;
const MOST_LEEWAY = 300;

/** The names of these options in a library. */
export interface Names {
  issuer: string;
  audience: string;
  algorithms: string;
  leeway: string;
  /** Units of the leeway in a second. */
  perSecond?: number;
  types?: string;
  requiredClaims?: string;
}

/** The algorithms that the source names and a policy knows. */
export function algorithmsOf(source: Source, given: ts.Expression | undefined): string[] {
  if (given === undefined) return [];
  return source.elements(given).flatMap((one) => {
    const text = source.text(one);
    return text !== undefined && ALGORITHMS.test(text) ? [text] : [];
  });
}

/** A text, or several; what is not a literal is a hole. */
export function texts(source: Source, given: ts.Expression, what: string): Draft {
  const found = source
    .elements(given)
    .map((one): Draft => source.text(one) ?? { hole: what, expression: one });
  return found.length === 1 ? (found[0] as Draft) : found;
}

/** The policy of a verification with options of these names, and what it says beside the source. */
export function commonPolicy(
  source: Source,
  options: Members,
  names: Names,
  keys: KeySource,
): Pick<Finding, 'policy' | 'stricter' | 'notes'> {
  const stricter: string[] = [STRICTER.types];
  const notes = [...keys.notes];
  const [issuer, audience] = [options.get(names.issuer), options.get(names.audience)];
  const entry: { [member: string]: Draft } = {
    issuer: issuer
      ? texts(source, issuer, 'the issuer')
      : { hole: 'the issuer, the iss of your tokens', instead: 'https://fill-in.example' },
    audience: audience
      ? texts(source, audience, 'the audience')
      : { hole: 'the audience, the aud of your tokens' },
  };
  if (!issuer) stricter.push(STRICTER.issuer);
  if (!audience) stricter.push(STRICTER.audience);
  const type = names.types ? source.text(options.get(names.types)) : undefined;
  entry.types = [type ?? 'JWT'];
  if (type === undefined)
    notes.push(
      '"types" is a guess; `portcullis inspect` shows the typ of a token ("at+jwt" by RFC 9068 is the default)',
    );
  const given = options.get(names.algorithms);
  const algorithms = algorithmsOf(source, given);
  if (algorithms.length === 0) stricter.push(STRICTER.algorithm);
  else if (keys.remote) entry.algorithms = algorithms;
  if (given !== undefined && source.elements(given).length !== algorithms.length)
    notes.push(
      `${names.algorithms} has entries that are no literal, or that no policy knows ("none" among them)`,
    );
  const claims = names.requiredClaims ? options.get(names.requiredClaims) : undefined;
  const implied = ['iss', 'exp', 'aud'];
  const required =
    claims && source.elements(claims).filter((one) => !implied.includes(source.text(one) ?? ''));
  if (required && required.length > 0)
    entry.requiredClaims = required.map(
      (one): Draft => source.text(one) ?? { hole: 'a claim', expression: one },
    );
  Object.assign(entry, keys.members);
  stricter.push(STRICTER.exp, STRICTER.iat, STRICTER.json);
  if (keys.hmac) stricter.push(STRICTER.secret);
  for (const spread of options.spread)
    notes.push(
      `options could not be read: ${spread.getText(source.file).length > 60 ? 'an expression' : spread.getText(source.file)}`,
    );
  // Several issuers of one call are several issuers of the policy.
  const issuers = Array.isArray(entry.issuer)
    ? entry.issuer.map((one) => ({ ...entry, issuer: one }))
    : [entry];
  const policy: Draft = {
    ...leeway(source, options.get(names.leeway), names.perSecond ?? 1, notes),
    issuers,
  };
  return { policy, stricter, notes };
}

function leeway(
  source: Source,
  given: ts.Expression | undefined,
  perSecond: number,
  notes: string[],
): { [member: string]: Draft } {
  if (given === undefined) {
    notes.push('leewaySeconds is 5 by default; the source allows 0 seconds');
    return {};
  }
  const text = /^(\d+) ?s(ec(ond)?s?)?$/.exec(source.text(given) ?? '')?.[1];
  const seconds = text === undefined ? source.number(given) : Number(text);
  if (seconds === undefined)
    return {
      leewaySeconds: {
        hole: 'the leeway in seconds',
        instead: 5,
        ...(perSecond === 1 ? { expression: given } : {}),
      },
    };
  const asked = Math.ceil(seconds / perSecond);
  if (asked > MOST_LEEWAY)
    notes.push(`leewaySeconds is at most ${MOST_LEEWAY}; the source allows ${asked} seconds`);
  return { leewaySeconds: Math.min(asked, MOST_LEEWAY) };
}

/** Options without a counterpart, and what is to be done about them. */
export function without(options: Members, advice: Record<string, string>): string[] {
  return options.names.flatMap((name) => {
    const text = Object.hasOwn(advice, name) ? advice[name] : undefined;
    return text === undefined ? [] : [`${name}: ${text}`];
  });
}
