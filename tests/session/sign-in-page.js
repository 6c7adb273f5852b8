// What runs in a page of the sign-in tests: the start page and the callback are one application.
import { createSession, inspect, revocationEndpoint, tokenEndpoint } from '/portcullis/session/index.js';
import { createSignIn } from '/portcullis/session/sign-in.js';

const query = new URLSearchParams(location.search);
if (query.has('blocked'))
  Object.defineProperty(globalThis, 'sessionStorage', {
    get() {
      throw new DOMException('no', 'SecurityError');
    },
  });
if (query.has('noPopup')) globalThis.open = () => null;
const session = createSession({
  inspect,
  refresh: tokenEndpoint('/token', { clientId: 'app' }),
  revoke: revocationEndpoint('/revoke', { clientId: 'app' }),
});
const auth = createSignIn({
  session,
  metadata: {
    issuer: location.origin,
    authorization_endpoint: `${location.origin}/authorize`,
    token_endpoint: `${location.origin}/token`,
    end_session_endpoint: `${location.origin}/logout`,
    authorization_response_iss_parameter_supported: true,
  },
  clientId: 'app',
  redirectUri: '/callback',
});
// Which visit of which tab this is: the browser keeps the name of a tab across its pages.
if (query.has('tab')) globalThis.name = query.get('tab');

const tab = globalThis.name;
const post = (path, value) => fetch(path, { method: 'POST', body: JSON.stringify(value) });

let restored = false;
addEventListener('pageshow', ({ persisted }) => {
  if (!persisted) return;
  restored = true;
  void obey();
});
/** Whatever leaves the page is answered before, and nothing is asked for after. */
const leaving = {
  leave: ({ request }) => auth.signIn(request),
  signOut: ({ request }) => auth.signOut(request),
  reload: () => location.reload(),
  go: ({ url }) => location.assign(url),
};
const handled = auth.handleRedirect();
const commands = {
  signIn: ({ request }) => auth.signIn(request),
  handled: async () => ({
    result: (await handled) ?? null,
    shown: location.pathname + location.search + location.hash,
    status: session.snapshot().status,
    sub: session.snapshot().claims?.sub,
  }),
  kept: () => JSON.parse(sessionStorage.getItem('portcullis:sign-in') ?? '[]').length,
  session: () => session.snapshot(),
  async button() {
    while (!document.querySelector('#sign-in')) await new Promise((resolve) => setTimeout(resolve, 20));
  },
  restored: () => ({ restored, ...auth.snapshot() }),
  /** A click, as nothing else opens a popup. */
  popup({ request }) {
    const button = document.createElement('button');
    button.id = 'sign-in';
    button.textContent = 'Sign in';
    const result = new Promise((resolve) => {
      button.onclick = () => resolve(auth.signIn({ ...request, mode: 'popup' }));
    });
    document.body.append(button);
    return result;
  },
};

async function obey() {
  for (;;) {
    const command = await (await fetch(`/next?tab=${tab}`)).json();
    if (command.name in leaving) {
      await post('/done', { id: command.id, result: null });
      void leaving[command.name](command);
      return;
    }
    if (command.name === undefined) continue;
    Promise.resolve()
      .then(() => commands[command.name](command))
      .then(
        (result) => post('/done', { id: command.id, result: result ?? null }),
        (error) => post('/done', { id: command.id, threw: String(error) }),
      );
  }
}
void obey();
