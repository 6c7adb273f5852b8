// Compiled and never run: each `@ts-expect-error` fails the build when the types loosen.
import {
  type Claims,
  inspect as coreInspect,
  createVerifier,
  type Policy,
  type UnverifiedClaims,
} from 'portcullis';
import { type Bff, createBff } from 'portcullis/bff';
import { useSession as useReact, useSignIn as useReactSignIn } from 'portcullis/react';
import {
  backend,
  createClock,
  createSession,
  inspect,
  type Session,
  type Snapshot,
  sharedStorage,
  tokenEndpoint,
} from 'portcullis/session';
import { createDpop } from 'portcullis/session/dpop';
import { createSignIn, type SignIn, type SignInResult } from 'portcullis/session/sign-in';
import { sessionStore, signInStore } from 'portcullis/svelte';
import { useSession as useVue, useSignIn as useVueSignIn } from 'portcullis/vue';
import type { Readable } from 'svelte/store';

declare function needsClaims(claims: Claims): void;

const seen = inspect('');
// @ts-expect-error: whether there is anything, `ok` says
seen.claims;
if (seen.ok) {
  const verified: false = seen.verified;
  const claims: UnverifiedClaims = seen.claims;
  const expires: number | undefined = seen.expiresAt;
  // @ts-expect-error: what was not verified cannot pass for what was
  needsClaims(seen.claims);
  // @ts-expect-error: nor can all of it
  needsClaims(seen);
  // @ts-expect-error: there may be no such claim
  const certain: number = seen.expiresAt;
} else {
  const code: 'segment-count' | string = seen.code;
  if (seen.code === 'token-too-large') {
    const limit: number = seen.limit;
  }
  // @ts-expect-error: a decoder knows nothing of signatures
  if (seen.code === 'signature-invalid') throw new Error();
  // @ts-expect-error: the sentence is the core's
  seen.message;
}

const clock = createClock();
const verifier = createVerifier({} as Policy);
const dpop = createDpop({ clock });
const session: Session = createSession({
  clock,
  dpop,
  inspect,
  refresh: tokenEndpoint('/token', { clientId: 'c', fetch: dpop.fetch }),
  storage: sharedStorage(),
  verify: (token, now) => verifier.verify(token, { now }),
  stepUp: async ({ acrValues, maxAgeSeconds }) => acrValues === 'phr' && maxAgeSeconds === 1,
});
createSession(backend('/session'));
createSession({ ...backend(), inspect: coreInspect });
// @ts-expect-error: without a way to refresh there is no session
createSession({ storage: sharedStorage() });
// @ts-expect-error: tokens are not handed back by themselves, but as the endpoint answered
createSession({ refresh: async () => ({ access_token: '' }) });
// @ts-expect-error: an origin is a text
createSession({ ...backend(), origins: 'https://api.example' });

const token: Promise<string> = session.accessToken();
const signIn: SignIn = createSignIn({
  session,
  dpop,
  clientId: 'c',
  redirectUri: '/callback',
  metadata: { issuer: '', authorization_endpoint: '', token_endpoint: '' },
});
const result = {} as SignInResult;
// @ts-expect-error: where to go on, only a sign-in that went well says
result.returnTo;
if (!result.ok) {
  // @ts-expect-error: there is no such code
  if (result.code === 'error') throw new Error();
}
// @ts-expect-error: there is no third way
signIn.signIn({ mode: 'iframe' });

const snapshot: Snapshot = session.snapshot();
// @ts-expect-error: a snapshot's claims are verified by nobody
needsClaims(snapshot.claims);
// @ts-expect-error: and it holds no token
snapshot.accessToken;

const react: Snapshot = useReact(session);
const vue: Snapshot = useVue(session).value;
// @ts-expect-error: a component does not change the session through it
useVue(session).value = snapshot;
const svelte: Readable<Snapshot> = sessionStore(session);
const pending: boolean[] = [useReactSignIn(signIn).pending, useVueSignIn(signIn).value.pending];
const signInReadable: Readable<{ pending: boolean }> = signInStore(signIn);
const bff: Bff = createBff({ tokenEndpoint: '', clientId: '' });
// @ts-expect-error: for whom?
createBff({ tokenEndpoint: '' });
