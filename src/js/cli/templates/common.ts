/** The files of a project, by their paths in it. */
export type Files = Record<string, string>;

/** What all projects are filled with. */
export interface Filling {
  /** The version of this package. */
  version: string;
  /** A private signing key, a JWK. */
  signingKey: object;
  /** The JWK Set of its public half. */
  jwks: object;
}

export const ISSUER = 'https://login.example';
export const AUDIENCE = 'https://api.example';

/** Where a project is reached on its developer's machine. */
const LOOPBACK = ['http://127.0.0.1:*', 'http://localhost:*'];

/** The compiler's options of a project that a bundler builds. */
export const TYPESCRIPT = {
  target: 'ES2022',
  module: 'ESNext',
  moduleResolution: 'bundler',
  resolveJsonModule: true,
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
};

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** A manifest that installs this package and runs the project's scripts. */
export function manifest(
  name: string,
  version: string,
  scripts: Record<string, string>,
  devDependencies?: Record<string, string>,
  dependencies: Record<string, string> = {},
): string {
  return json({
    name,
    private: true,
    type: 'module',
    scripts,
    dependencies: { ...dependencies, portcullis: `^${version}` },
    ...(devDependencies === undefined ? {} : { devDependencies }),
  });
}

/** A policy that trusts one key, which is in the project. */
export function policy(jwks: object, origins: string[]): string {
  return json({
    $schema: './node_modules/portcullis/dist/policy.schema.json',
    issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks }],
    gate: {
      origins,
      routes: [
        { path: '/health', methods: ['GET'], requirement: 'public' },
        { path: '/notes', methods: ['GET'], requirement: { scopes: ['notes:read'] } },
      ],
    },
  });
}

/** The same for an API whose framework has the routes. */
export function apiPolicy(jwks: object, gate?: object): string {
  return json({
    issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks }],
    gate: { origins: LOOPBACK, ...gate },
  });
}

/** Prints an access token, as an issuer would sign it. */
export const TOKEN = `// Prints an access token for development: npm run --silent token
// Your identity provider signs the real ones: then delete this file and signing-key.jwk, and write
// the provider into policy.json.
import { readFileSync } from 'node:fs';
import { importSigningKey } from 'portcullis/issuer';

const jwk = JSON.parse(readFileSync(new URL('signing-key.jwk', import.meta.url), 'utf8'));
console.log(
  importSigningKey(jwk).mintAccessToken({
    issuer: '${ISSUER}',
    audience: '${AUDIENCE}',
    subject: 'alice',
    clientId: 'dev',
    scope: process.argv[2] ?? 'notes:read',
  }),
);
`;
