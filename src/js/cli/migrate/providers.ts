// Middlewares, and libraries of one provider.
import type ts from 'typescript';

import type { Draft } from './draft.js';
import { type Finding, STRICTER } from './finding.js';
import { keySource, remoteKeys, urlDraft } from './key-source.js';
import { algorithmsOf, commonPolicy, texts, without } from './options.js';
import type { Members, Source } from './source.js';

type Call = ts.CallExpression | ts.NewExpression;
type Found = Omit<Finding, 'call' | 'library' | 'name'>;

const PRESETS: Record<string, string> = { access: 'cognito-access', id: 'cognito-id' };

/** `CognitoJwtVerifier.create` of aws-jwt-verify: one pool, or several. */
export function cognito(source: Source, call: Call): Found {
  const given = call.arguments?.[0];
  const pools = given ? source.elements(given).map((one) => source.members(one)) : [];
  const issuers = pools.map((pool) => poolOf(source, pool));
  const [first] = pools;
  const grace = source.number(first?.get('graceSeconds'));
  const policy: Draft = {
    ...(grace === undefined ? {} : { leewaySeconds: Math.min(grace, 300) }),
    issuers,
  };
  const notes = pools.flatMap((pool) =>
    without(pool, {
      groups: '`claims` of a requirement: { "path": ["cognito:groups"], "anyOf": […] }',
      scope: '`anyScope` of a requirement',
      customJwtCheck: '`narrow` of createGate, which can only refuse',
      includeRawJwtInErrors: 'no error shows a token',
    }),
  );
  return {
    what: 'makes a verifier for Amazon Cognito',
    policy,
    secrets: [],
    stricter: ['the client is always checked: "audience" cannot be null', STRICTER.iat, STRICTER.json],
    notes,
    replacement: { kind: 'verify', answers: 'claims', remote: true, put: 'object' },
  };
}

function poolOf(source: Source, pool: Members): Draft {
  const id = source.text(pool.get('userPoolId'));
  const [userPoolId, clientId] = [pool.get('userPoolId'), pool.get('clientId')];
  const use = source.text(pool.get('tokenUse'));
  const at = userPoolId ? { expression: userPoolId } : {};
  const region = id?.split('_')[0];
  const known = id !== undefined && region !== undefined && /^[a-z0-9-]+_\w+$/.test(id);
  return {
    preset: (use !== undefined && Object.hasOwn(PRESETS, use) && PRESETS[use]) || 'cognito',
    ...(known
      ? { region, userPool: id }
      : {
          // The region is the part of the pool's name before "_": no expression of the source.
          region: { hole: 'the region of the user pool', instead: 'eu-west-1' },
          userPool: { hole: 'the user pool', instead: 'eu-west-1_FILLIN', ...at },
        }),
    audience:
      clientId && !source.isNothing(clientId)
        ? texts(source, clientId, 'the client')
        : { hole: 'the clients: the source takes any' },
  };
}

/** `auth` of express-oauth2-jwt-bearer. */
export function express(source: Source, call: Call): Found {
  const options = source.members(call.arguments?.[0]);
  const base = options.get('issuerBaseURL') ?? options.get('issuer');
  const secret = options.get('secret');
  const algorithms = algorithmsOf(source, options.get('tokenSigningAlg'));
  const jwks = options.get('jwksUri');
  const keys = secret
    ? keySource(source, secret, algorithms.length > 0 ? algorithms : ['HS256'])
    : remoteKeys(jwks ? { jwksUri: urlDraft(source, jwks, 'the URL of the keys') } : { discovery: 'oidc' });
  const names = {
    issuer: options.get('issuer') ? 'issuer' : 'issuerBaseURL',
    audience: 'audience',
    algorithms: 'tokenSigningAlg',
    leeway: 'clockTolerance',
  };
  const common = commonPolicy(source, options, names, keys);
  const issuer = base && source.text(base);
  const notes = [
    'req.auth.payload becomes req.auth.claims; requiredScopes, claimEquals and the others become arguments of guard',
    'write the hosts that you serve into gate.origins: see the guide on deployment',
    ...(issuer !== undefined && /\.auth0\.com\/?$/.test(issuer)
      ? ['the tokens of Auth0 have an iss that ends with "/"; the preset "auth0" writes it by itself']
      : []),
    ...(base ? [] : ['ISSUER_BASE_URL and AUDIENCE of the environment are not read: the policy names both']),
  ];
  return {
    what: 'guards routes of Express',
    ...common,
    stricter: [...common.stricter, 'a token in the query or in a form body is refused (RFC 9700)'],
    notes: [
      ...common.notes,
      ...notes,
      ...without(options, {
        authRequired: 'guard(gate, { anonymous: true }) for false',
        validators: 'there is no counterpart: no check can be replaced',
        strict: '"types" says it: at+jwt by default',
        maxTokenAge: 'by iat there is no counterpart',
        dpop: "binding: 'dpop' of a requirement",
        mtls: "binding: 'mtls' of a requirement",
        mcd: 'several issuers of the policy',
      }),
    ],
    secrets: secret ? [secret] : [],
    ...(options.get('authRequired') || options.spread.length > 0
      ? { byHand: 'the options decide who may pass without a token' }
      : { replacement: { kind: 'guard', from: 'portcullis/express' } }),
  };
}

export const honoJwk = (source: Source, call: Call): Found => hono(source, call, 'jwks_uri');
export const honoJwt = (source: Source, call: Call): Found => hono(source, call, 'secret');

/** `jwk` of hono/jwk and `jwt` of hono/jwt. */
function hono(source: Source, call: Call, keyed: 'jwks_uri' | 'secret'): Found {
  const options = source.members(call.arguments?.[0]);
  const verification = source.members(options.get('verification'));
  const given = options.get('alg');
  const algorithms = algorithmsOf(source, given);
  const [secret, uri, list] = [options.get('secret'), options.get('jwks_uri'), options.get('keys')];
  const keys =
    keyed === 'secret' && secret
      ? keySource(source, secret, algorithms.length > 0 ? algorithms : ['HS256'])
      : uri || !list
        ? remoteKeys({ jwksUri: urlDraft(source, uri, 'the URL of the keys') })
        : {
            members: { jwks: { keys: { hole: 'the keys', expression: list, secret: true } } },
            remote: false,
            hmac: false,
            notes: [],
          };
  const all: Members = {
    get: (name) => verification.get(name) ?? options.get(name),
    names: [...verification.names, ...options.names],
    spread: [...verification.spread, ...options.spread],
  };
  const names = { issuer: 'iss', audience: 'aud', algorithms: 'alg', leeway: '' };
  const common = commonPolicy(source, all, names, keys);
  const cookie = options.get('cookie');
  const header = options.get('headerName');
  const name = cookie && source.text(cookie);
  const policy =
    name !== undefined && typeof common.policy === 'object'
      ? { ...common.policy, gate: { credentials: { cookie: name } } }
      : common.policy;
  const byHand = options.get('allow_anon') ?? header ?? (cookie && name === undefined ? cookie : undefined);
  return {
    what: 'guards routes of Hono',
    ...common,
    ...(policy === undefined ? {} : { policy: policy as Draft }),
    notes: [
      ...common.notes,
      'write the hosts that you serve into gate.origins: see the guide on deployment',
      ...without(all, {
        allow_anon: 'guard(gate, { anonymous: true }) for true',
        headerName: 'gate.credentials: { "header": …, "scheme": "Bearer" }',
      }),
    ],
    secrets: [secret, list].filter((one) => one !== undefined),
    ...(byHand || all.spread.length > 0
      ? { byHand: 'the options decide where the token is, or who may pass without one' }
      : { replacement: { kind: 'guard', from: 'portcullis/hono' } }),
  };
}

/** `new UserManager` of oidc-client-ts: a client. The policy is for the API that it calls. */
export function oidcClient(source: Source, call: Call): Found {
  const options = source.members(call.arguments?.[0]);
  const names = { issuer: 'authority', audience: '', algorithms: '', leeway: '' };
  const common = commonPolicy(source, options, names, remoteKeys({ discovery: 'oidc' }));
  const secret = options.get('client_secret');
  return {
    what: 'keeps a session in the browser; the policy is for the API that it calls',
    ...common,
    stricter: [
      ...common.stricter,
      'session.fetch follows no redirect and shows the token to no other origin',
    ],
    notes: [
      ...common.notes,
      'keep the sign-in where it is, and hand what the token endpoint answers to bff.start or session.start',
      ...(secret ? ['client_secret: a page cannot keep one; the BFF can'] : []),
    ],
    secrets: secret ? [secret] : [],
    byHand:
      'a session is no call for another: createSession({ ...backend("/session"), inspect }) of portcullis/session',
  };
}
