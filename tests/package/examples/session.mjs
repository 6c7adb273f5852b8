import { createSession, inspect, revocationEndpoint, tokenEndpoint } from 'portcullis/session';

const session = createSession({
  inspect,
  refresh: tokenEndpoint('https://issuer.example/token', { clientId: 'app' }),
  revoke: revocationEndpoint('https://issuer.example/revoke', { clientId: 'app' }),
  origins: ['https://api.example'],
  stepUp: ({ acrValues }) => signInAgain(acrValues),
});

session.subscribe(() => {
  const { status, claims } = session.snapshot();
  document.title = status === 'signed-in' ? `Notes of ${claims?.sub}` : 'Notes';
});

export const start = (tokens) => session.start(tokens); // what the token endpoint answered to a sign-in
export const notes = () => session.fetch('https://api.example/notes'); // the bearer, kept fresh
export const end = () => session.signOut(); // in all tabs

async function signInAgain(acrValues) {
  return confirm(`Sign in again (${acrValues})?`) && (await import('./sign-in.mjs')).tokens(acrValues);
}
