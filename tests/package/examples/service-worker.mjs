import { createVerifier } from 'portcullis';
import { backend, createSession } from 'portcullis/session';
import policy from './policy.json' with { type: 'json' };

const verifier = createVerifier(policy);
const session = createSession({
  ...backend('/session'),
  verify: (token, now) => verifier.verify(token, { now }), // none goes out that the policy does not accept
});

addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  const { pathname } = new URL(event.request.url);
  if (pathname.startsWith('/api/')) event.respondWith(session.fetch(event.request));
  if (pathname === '/sign-in') event.respondWith(signIn(event.request));
  if (pathname === '/sign-out') event.respondWith(session.signOut().then(() => new Response()));
});

// The page never sees a token.
async function signIn(request) {
  const response = await fetch(request);
  if (!response.ok) return response;
  await session.start(await response.json());
  return new Response();
}
