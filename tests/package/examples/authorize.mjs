const escaped = (text = '') => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
const hidden = (name, value) => `<input type="hidden" name="${name}" value="${escaped(value)}">`;
const secondsNow = () => Math.floor(Date.now() / 1000);
// The `headers` of `issuer.authorize`, for every page on the way.
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

/** `checkPassword(name, password)` gives the subject, or nothing. */
export function createPages(issuer, checkPassword) {
  const users = new Map(); // who is signed in here, by cookie: keep yours where your sessions are
  const consents = new Set();

  // `clientId` and `scope` are for the user's eyes: what is granted stands in `sealed`.
  const page = (action, { sealed, clientId, scope }, body, cookie) =>
    new Response(
      `<!doctype html><title>Sign in</title><form method="post" action="${action}">
        ${hidden('sealed', sealed)}${hidden('clientId', clientId)}${hidden('scope', scope)}${body}</form>`,
      { headers: cookie ? { ...HEADERS, 'set-cookie': cookie } : HEADERS },
    );
  const login = (ask, note, cookie = '') => {
    const fields = '<input name="name"> <input name="password" type="password"> <button>Sign in</button>';
    return page('/login', ask, `<p>${note}</p>${fields}`, cookie);
  };
  const consent = (ask, cookie = '') => {
    const note = `${escaped(ask.clientId)} asks for: ${escaped(ask.scope)}`;
    const button = (answer, text) => `<button name="answer" value="${answer}">${text}</button>`;
    return page('/consent', ask, `<p>${note}</p>${button('yes', 'Allow')}${button('no', 'Deny')}`, cookie);
  };
  const userOf = (request) => users.get(/(?:^|; )user=([\w-]+)/.exec(request.headers.get('cookie'))?.[1]);
  const consented = (user, ask) => [user.subject, ask.clientId, ask.scope].join(' ');

  async function authorize(request, context) {
    const asked = await issuer.authorize(request, context);
    if (asked.outcome === 'response') return asked.response; // a refusal
    const { sealed, cookie, clientId, scope = '', prompt, maxAgeSeconds } = asked;
    const ask = { sealed, clientId, scope };
    const user = userOf(request);
    const isRecent = user && secondsNow() - user.authTimeSeconds <= (maxAgeSeconds ?? Infinity);
    const mustLogIn = !isRecent || prompt.includes('login') || prompt.includes('select_account');
    const mustConsent = mustLogIn || prompt.includes('consent') || !consents.has(consented(user, ask));
    // No page was shown: `cookie` stands for the browser that will be given it.
    if (!mustConsent) return issuer.complete(sealed, { cookie, ...user });
    if (prompt.includes('none'))
      return issuer.decline(sealed, { cookie, error: mustLogIn ? 'login_required' : 'consent_required' });
    return mustLogIn ? login(ask, 'Welcome', cookie) : consent(ask, cookie);
  }

  async function submit(request, pathname) {
    // Another site must not sign anybody in. `Origin` is "null" here, as of every page that tells
    // no referrer.
    if (request.headers.get('sec-fetch-site') !== 'same-origin') return new Response('', { status: 403 });
    const form = Object.fromEntries(new URLSearchParams(await request.clone().text()));
    if (pathname === '/login') {
      const subject = await checkPassword(form.name, form.password);
      if (subject === undefined) return login(form, 'Wrong name or password');
      const id = crypto.randomUUID();
      users.set(id, { subject, authTimeSeconds: secondsNow() });
      // On your domain: `__Host-user`, and `Secure`.
      return consent(form, `user=${id}; Path=/; HttpOnly; SameSite=Lax`);
    }
    const user = userOf(request);
    if (user === undefined) return login(form, 'Please sign in again');
    if (form.answer !== 'yes') return issuer.decline(form.sealed, { request, error: 'access_denied' });
    const response = await issuer.complete(form.sealed, { request, ...user });
    if (response.status === 303) consents.add(consented(user, form));
    return response;
  }

  return async (request, context) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/authorize') return authorize(request, context);
    if (request.method === 'POST' && ['/login', '/consent'].includes(pathname))
      return submit(request, pathname);
    return issuer.fetch(request, context);
  };
}
