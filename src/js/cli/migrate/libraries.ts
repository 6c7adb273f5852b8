// Each library's calls, by module and exported name.
import type ts from 'typescript';

import { type Finding, STRICTER } from './finding.js';
import { type KeySource, keySource, localKeys } from './key-source.js';
import { algorithmsOf, commonPolicy, without } from './options.js';
import { cognito, express, honoJwk, honoJwt, oidcClient } from './providers.js';
import type { Source } from './source.js';

type Call = ts.CallExpression | ts.NewExpression;
type Read = (source: Source, call: Call) => Omit<Finding, 'call' | 'library' | 'name'> | undefined;

/** What a call of one of these libraries comes to; `undefined` for any other call. */
export function findingOf(source: Source, call: Call): Finding | undefined {
  const origin = source.origin(call.expression);
  if (origin === undefined) return undefined;
  const calls = Object.hasOwn(LIBRARIES, origin.module) ? LIBRARIES[origin.module] : undefined;
  const name = origin.path.join('.');
  const read = calls?.[name] ?? (name === '' ? calls?.default : undefined);
  const found = calls && (Object.hasOwn(calls, name) || name === '') ? read?.(source, call) : undefined;
  return found && { call, library: origin.module, name: name === '' ? 'default' : name, ...found };
}

const NO_FIELD = 'there is no counterpart';

const jsonwebtoken: Read = (source, call) => {
  const [, key, third, fourth] = call.arguments ?? [];
  const options = source.members(
    third && source.ts.isFunctionLike(source.resolve(third)) ? undefined : third,
  );
  const keys = keysOf(source, key, algorithmsOf(source, options.get('algorithms')));
  const names = {
    issuer: 'issuer',
    audience: 'audience',
    algorithms: 'algorithms',
    leeway: 'clockTolerance',
  };
  const common = commonPolicy(source, options, names, keys);
  const byCallback = fourth ?? (third && source.ts.isFunctionLike(source.resolve(third)) ? third : undefined);
  const byHand = byCallback
    ? 'the answer goes to a callback; write `const verdict = verifier.verify(token)` and go on from there'
    : options.get('complete') || options.spread.length > 0
      ? 'the options decide what it answers; a verdict has "header" and "claims"'
      : keys.remote
        ? 'the keys are fetched: a gate decides, and answers with a promise'
        : undefined;
  return {
    what: 'verifies a token and throws where it is refused',
    ...common,
    notes: [
      ...common.notes,
      ...without(options, {
        ignoreExpiration: 'there is no counterpart, and exp is always checked',
        ignoreNotBefore: 'there is no counterpart, and nbf is always checked',
        maxAge: 'by iat there is no counterpart; `maxAgeSeconds` of a requirement goes by auth_time',
        nonce: 'compare claims.nonce after the verdict',
        subject: 'compare claims.sub after the verdict, or "claims" of the issuer',
        jwtid: 'compare claims.jti after the verdict',
        clockTimestamp: 'verifier.verify(token, { now })',
        allowInvalidAsymmetricKeyTypes: NO_FIELD,
      }),
    ],
    secrets: key ? [key] : [],
    ...(byHand ? { byHand } : { replacement: verification('claims', keys.remote, 'call') }),
  };
};

const jwtVerify: Read = (source, call) => {
  const [, key, third] = call.arguments ?? [];
  const options = source.members(third);
  const keys = keysOf(source, key, algorithmsOf(source, options.get('algorithms')));
  const names = {
    issuer: 'issuer',
    audience: 'audience',
    algorithms: 'algorithms',
    leeway: 'clockTolerance',
    types: 'typ',
    requiredClaims: 'requiredClaims',
  };
  const common = commonPolicy(source, options, names, keys);
  const advice = {
    maxTokenAge: 'by iat there is no counterpart',
    subject: 'compare claims.sub after the verdict, or "claims" of the issuer',
    currentDate: 'verifier.verify(token, { now }), in seconds',
    crit: 'there is no counterpart: any crit refuses',
  };
  return {
    what: 'verifies a token and throws where it is refused',
    ...common,
    notes: [...common.notes, ...without(options, advice)],
    secrets: key ? [key] : [],
    replacement: verification('jose', keys.remote, 'call'),
  };
};

/** A source of keys: the policy is that of the call which it is given to. */
const createRemoteJWKSet: Read = () => ({
  what: 'fetches keys; `remote` of an issuer does it in a gate',
  secrets: [],
  stricter: [
    'keys are fetched by the rules of the policy: https, hosts that are public, bounded sizes and times',
  ],
  notes: ['its policy is that of the jwtVerify which it is given to'],
});

const fastJwt: Read = (source, call) => {
  const options = source.members(call.arguments?.[0]);
  const key = options.get('key');
  const keys = keysOf(source, key, algorithmsOf(source, options.get('algorithms')));
  const names = {
    issuer: 'allowedIss',
    audience: 'allowedAud',
    algorithms: 'algorithms',
    leeway: 'clockTolerance',
    perSecond: 1000,
    types: 'checkTyp',
    requiredClaims: 'requiredClaims',
  };
  const common = commonPolicy(source, options, names, keys);
  const special = options.get('complete') || options.spread.length > 0;
  return {
    what: 'makes a verifier',
    ...common,
    notes: [
      ...common.notes,
      ...without(options, {
        ignoreExpiration: 'there is no counterpart, and exp is always checked',
        ignoreNotBefore: 'there is no counterpart, and nbf is always checked',
        maxAge: 'by iat there is no counterpart',
        allowedSub: '"claims" of the issuer, or compare after the verdict',
        allowedJti: 'compare claims.jti after the verdict',
        allowedNonce: 'compare claims.nonce after the verdict',
        allowedCritHeaders: 'there is no counterpart: any crit refuses',
        cache: 'accepted tokens are cached by default; { cache: 0 } for none',
        errorCacheTTL: 'nothing that was refused is kept',
      }),
    ],
    secrets: key ? [key] : [],
    ...(special
      ? { byHand: 'the options decide what it answers; a verdict has "header" and "claims"' }
      : { replacement: verification('claims', keys.remote, 'function') }),
  };
};

const decoding =
  (from: 'portcullis' | 'portcullis/session', otherwise: 'null' | 'throw', header = false): Read =>
  (source, call) => {
    const options = source.members(call.arguments?.[1]);
    const special = options.get('complete') || options.get('json') || options.spread.length > 0;
    const part = header || source.truth(options.get('header')) === true ? 'header' : 'claims';
    return {
      what: 'decodes a token and verifies nothing',
      secrets: [],
      stricter: [
        STRICTER.json,
        'its claims have a type that cannot be passed where verified claims are asked for',
      ],
      notes: ['for display only: a backend that decides by it accepts every token that anybody writes'],
      ...(special
        ? { byHand: 'the options decide what it answers; `inspect` has "header" and "claims"' }
        : { replacement: { kind: 'inspect', from, part, otherwise } as const }),
    };
  };

const keysOf = (source: Source, key: ts.Expression | undefined, algorithms: string[]): KeySource =>
  key
    ? keySource(source, key, algorithms)
    : localKeys({ keys: [{ alg: 'RS256', pem: { hole: 'the public key in PEM' } }] });

const verification = (answers: 'claims' | 'jose', remote: boolean, put: 'call' | 'function') =>
  ({ kind: 'verify', answers, remote, put }) as const;

const LIBRARIES: Record<string, Record<string, Read>> = {
  jsonwebtoken: { verify: jsonwebtoken, decode: decoding('portcullis', 'null') },
  jose: {
    jwtVerify,
    createRemoteJWKSet,
    decodeJwt: decoding('portcullis', 'throw'),
    decodeProtectedHeader: decoding('portcullis', 'throw', true),
  },
  'fast-jwt': { createVerifier: fastJwt },
  'aws-jwt-verify': { 'CognitoJwtVerifier.create': cognito },
  'aws-jwt-verify/cognito-verifier': { 'CognitoJwtVerifier.create': cognito },
  'express-oauth2-jwt-bearer': { auth: express },
  'jwt-decode': {
    jwtDecode: decoding('portcullis/session', 'throw'),
    default: decoding('portcullis/session', 'throw'),
  },
  'hono/jwk': { jwk: honoJwk },
  'hono/jwt': {
    jwt: honoJwt,
    decode: () => ({
      what: 'decodes a token and verifies nothing',
      secrets: [],
      stricter: [STRICTER.json],
      notes: ['for display only: a backend that decides by it accepts every token that anybody writes'],
      byHand: 'it answers { header, payload }; `inspect` of portcullis answers { ok, header, claims }',
    }),
  },
  'oidc-client-ts': { UserManager: oidcClient },
};
