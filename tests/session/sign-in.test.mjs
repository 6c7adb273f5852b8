// Signing in against what an issuer, a browser or an attacker may answer, in a page that is made
// of globals.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';

import { createSession } from 'portcullis/session';
import { createSignIn } from 'portcullis/session/sign-in';

import { mint } from './fakes.mjs';

const ORIGIN = 'https://app.example';
const metadata = {
  issuer: 'https://issuer.example',
  authorization_endpoint: 'https://issuer.example/authorize?tenant=1',
  token_endpoint: 'https://issuer.example/token',
  end_session_endpoint: 'https://issuer.example/logout',
  authorization_response_iss_parameter_supported: true,
};
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));
const real = { fetch: globalThis.fetch, addEventListener: globalThis.addEventListener, now: Date.now };
let page;
let sessions = [];

/** A page at that URL: what it leaves for, what its history shows, what the network is asked. */
function pageAt(href, { kept = new Map(), blocked = false } = {}) {
  const url = new URL(href, ORIGIN);
  const listeners = [];
  page = { kept, left: undefined, shown: [], asked: [], listeners, answer: undefined };
  const { origin, pathname, search } = url;
  globalThis.location = {
    ...{ href: url.href, origin, pathname, search },
    assign: (to) => {
      page.left = new URL(to);
    },
  };
  globalThis.history = {
    state: { own: 1 },
    replaceState(state, _, to) {
      page.shown.push([state, String(to)]);
      const { search } = new URL(to);
      Object.assign(globalThis.location, { href: String(to), search });
    },
  };
  const refuse = () => {
    throw new DOMException('no', 'SecurityError');
  };
  globalThis.sessionStorage = blocked
    ? { getItem: refuse, setItem: refuse }
    : { getItem: (name) => kept.get(name) ?? null, setItem: (name, text) => kept.set(name, text) };
  globalThis.addEventListener = (name, listener) => listeners.push([name, listener]);
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const form = Object.fromEntries(new URLSearchParams(await request.clone().text()));
    page.asked.push({ url: request.url, form, request });
    return page.answer?.(form) ?? Response.json(tokens());
  };
  return page;
}
const tokens = () => ({ access_token: mint(Math.floor(Date.now() / 1000)), refresh_token: 'r0' });

function auth(more = {}, own = {}) {
  const session = createSession({
    name: `sign-in-${Math.random()}`,
    refresh: () => new Promise(() => {}),
    ...own,
  });
  sessions.push(session);
  return {
    session,
    ...createSignIn({ session, metadata, clientId: 'app', redirectUri: '/callback', ...more }),
  };
}
/** Goes to the issuer from a page, and gives what was asked of it. */
async function leave(request, from = '/notes?id=1#top', options) {
  const { kept } = pageAt(from, options);
  void auth().signIn(request);
  while (!page.left) await settle();
  const sent = Object.fromEntries(page.left.searchParams);
  return { kept, sent, left: page.left };
}
const comeBack = (answer, kept) => pageAt(`/callback?${new URLSearchParams(answer)}`, { kept });

beforeEach(() => {
  globalThis.BroadcastChannel ??= real.BroadcastChannel;
});
afterEach(() => {
  for (const session of sessions) session.close();
  sessions = [];
  Date.now = real.now;
  globalThis.fetch = real.fetch;
  globalThis.addEventListener = real.addEventListener;
  for (const name of ['location', 'history', 'sessionStorage', 'open', 'close']) delete globalThis[name];
});

test('a redirect asks with state, PKCE and what is wanted, and its answer starts the session', async () => {
  const { kept, sent, left } = await leave({
    scope: 'openid notes',
    resource: ['https://api.example', 'https://files.example'],
    acrValues: 'phr',
    maxAgeSeconds: 60,
    parameters: { login_hint: 'ada', response_type: 'token', state: 'mine' },
  });
  const { state, code_challenge, nonce, ...plain } = sent;
  assert.deepEqual(plain, {
    tenant: '1',
    login_hint: 'ada',
    response_type: 'code',
    client_id: 'app',
    redirect_uri: `${ORIGIN}/callback`,
    code_challenge_method: 'S256',
    scope: 'openid notes',
    resource: 'https://files.example',
    acr_values: 'phr',
    max_age: '60',
  });
  assert.deepEqual(left.searchParams.getAll('resource'), ['https://api.example', 'https://files.example']);
  assert.deepEqual(left.searchParams.getAll('state'), [state]);
  assert.ok(state.length > 40 && nonce.length > 40 && state !== nonce);

  comeBack({ code: 'c1', state, iss: metadata.issuer }, kept);
  const back = auth();
  const heard = [];
  back.subscribe(() => heard.push(back.snapshot()));
  const [one, two] = await Promise.all([back.handleRedirect(), back.handleRedirect()]);
  assert.deepEqual(one, { ok: true, returnTo: `${ORIGIN}/notes?id=1#top` });
  assert.equal(two, one);
  assert.deepEqual(heard, [
    { pending: true, result: undefined },
    { pending: false, result: one },
  ]);
  assert.deepEqual(page.shown, [[{ own: 1 }, `${ORIGIN}/callback`]]);
  assert.equal(page.asked.length, 1);
  const { form, request } = page.asked[0];
  const { code_verifier, ...rest } = form;
  assert.deepEqual(rest, {
    grant_type: 'authorization_code',
    code: 'c1',
    redirect_uri: `${ORIGIN}/callback`,
    client_id: 'app',
  });
  assert.match(code_verifier, /^[\w.~-]{43,128}$/);
  assert.equal(createHash('sha256').update(code_verifier).digest('base64url'), code_challenge);
  assert.deepEqual([request.redirect, request.credentials], ['error', 'omit']);
  assert.equal(back.session.snapshot().status, 'signed-in');
  // Nothing to do any more, here or after a reload.
  assert.equal(await back.handleRedirect(), undefined);
  assert.deepEqual(JSON.parse([...kept.values()][0]), []);
  // Without openid there is no ID token, and no nonce.
  assert.equal('nonce' in (await leave({ scope: 'notes' })).sent, false);
});

const REFUSED = {
  'a state that nobody here gave out': [
    ({ iss }) => ({ iss, code: 'c', state: 'x' }),
    { code: 'state-unknown' },
  ],
  'another issuer (mix-up, RFC 9700 §4.4)': [
    ({ state }) => ({ state, code: 'c', iss: 'https://evil.example' }),
    { code: 'issuer-mismatch' },
  ],
  'an issuer with one character more': [
    ({ state, iss }) => ({ state, code: 'c', iss: `${iss}/` }),
    { code: 'issuer-mismatch' },
  ],
  'no iss, where the metadata promises one': [
    ({ state }) => ({ state, code: 'c' }),
    { code: 'issuer-mismatch' },
  ],
  'an error from another issuer': [
    ({ state }) => ({ state, error: 'access_denied', iss: 'https://evil.example' }),
    { code: 'issuer-mismatch' },
  ],
  'an error': [
    ({ state, iss }) => ({ state, iss, error: 'access_denied', error_description: 'not today' }),
    { code: 'denied', error: 'access_denied', description: 'not today' },
  ],
  'neither a code nor an error': [({ state, iss }) => ({ state, iss }), { code: 'denied' }],
};
for (const [what, [answer, expected]] of Object.entries(REFUSED)) {
  test(`refused, with nothing sent and the URL cleaned: ${what}`, async () => {
    const { kept, sent } = await leave({});
    comeBack(answer({ state: sent.state, iss: metadata.issuer }), kept);
    const back = auth();
    const result = await back.handleRedirect();
    assert.deepEqual(JSON.parse(JSON.stringify(result)), { ok: false, ...expected });
    assert.deepEqual(back.snapshot(), { pending: false, result });
    assert.deepEqual(page.asked, []);
    assert.equal(page.shown[0][1], `${ORIGIN}/callback`);
    assert.notEqual(back.session.snapshot().status, 'signed-in');
  });
}

test('iss may be missing where the metadata does not promise it, and is compared where it is there', async () => {
  const quiet = { metadata: { ...metadata, authorization_response_iss_parameter_supported: undefined } };
  for (const [iss, ok] of [
    [undefined, true],
    ['https://evil.example', false],
  ]) {
    const { kept, sent } = await leave({});
    comeBack({ code: 'c', state: sent.state, ...(iss && { iss }) }, kept);
    assert.equal((await auth(quiet).handleRedirect()).ok, ok);
  }
});

test('a state is that of one issuer: a second one of the application cannot use it', async () => {
  const { kept, sent } = await leave({});
  const other = 'https://other.example';
  comeBack({ code: 'c', state: sent.state, iss: other }, kept);
  const { code } = await auth({ metadata: { ...metadata, issuer: other } }).handleRedirect();
  assert.equal(code, 'issuer-mismatch');
  assert.deepEqual(page.asked, []);
});

test('a state serves once, whatever became of it, and for a quarter of an hour', async () => {
  const { kept, sent } = await leave({});
  const answer = { code: 'c', state: sent.state, iss: metadata.issuer };
  comeBack(answer, kept);
  page.answer = () => Response.json({ error: 'invalid_grant', error_description: 'old' }, { status: 400 });
  const first = await auth().handleRedirect();
  assert.deepEqual(first, { ok: false, code: 'exchange-failed', error: 'invalid_grant', description: 'old' });
  comeBack(answer, kept);
  const signedIn = auth();
  await signedIn.session.start(tokens());
  assert.equal((await signedIn.handleRedirect()).code, 'state-unknown');
  assert.deepEqual(page.asked, []);
  // A callback that comes twice ends no session.
  assert.equal(signedIn.session.snapshot().status, 'signed-in');
  for (const [ms, code] of [
    [899_000, undefined],
    [901_000, 'state-unknown'],
    [-901_000, 'state-unknown'],
  ]) {
    const later = await leave({});
    comeBack({ ...answer, state: later.sent.state }, later.kept);
    Date.now = () => real.now() + ms;
    assert.equal((await auth().handleRedirect()).code, code, `${ms}`);
    Date.now = real.now;
  }
});

test('several in one tab: each has its own state, and the oldest of five is forgotten', async () => {
  const kept = new Map();
  const states = [];
  for (let round = 0; round < 5; round++) states.push((await leave({}, `/${round}`, { kept })).sent.state);
  const outcomes = [];
  for (const state of states) {
    comeBack({ code: 'c', state, iss: metadata.issuer }, kept);
    const { code, returnTo } = await auth().handleRedirect();
    outcomes.push(code ?? returnTo);
  }
  assert.deepEqual(outcomes, ['state-unknown', ...[1, 2, 3, 4].map((round) => `${ORIGIN}/${round}`)]);
});

test('what is no callback is left alone', async () => {
  for (const href of ['/notes?state=x&code=c', '/callback', '/callback?code=c', '/callback/2?state=x']) {
    pageAt(href);
    assert.equal(await auth().handleRedirect(), undefined);
    assert.deepEqual(page.shown, []);
  }
  // A redirect URI with a query of its own keeps it.
  pageAt('/callback?of=a&state=x&code=c');
  await auth({ redirectUri: '/callback?of=a' }).handleRedirect();
  assert.deepEqual(page.shown.at(-1)[1], `${ORIGIN}/callback?of=a`);
});

test('returnTo is on this origin: no open redirect', async () => {
  const foreign = [
    'https://evil.example/',
    '//evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    'javascript:alert(1)',
    `blob:${ORIGIN}/1`,
    `${ORIGIN}.evil.example/`,
    'https://app.example@evil.example/',
    'http://app.example/',
    'https://[',
  ];
  for (const returnTo of foreign) {
    pageAt('/');
    const { signIn, signOut } = auth();
    assert.equal((await signIn({ returnTo })).code, 'return-to-foreign', returnTo);
    assert.equal((await signOut({ returnTo, everywhere: true })).code, 'return-to-foreign', returnTo);
    assert.equal(page.left, undefined);
    assert.equal(page.kept.size, 0);
  }
  const { kept, sent } = await leave({ returnTo: '//app.example//evil.example' });
  comeBack({ code: 'c', state: sent.state, iss: metadata.issuer }, kept);
  // Whole, since `//evil.example` by itself would lead elsewhere.
  assert.equal((await auth().handleRedirect()).returnTo, `${ORIGIN}//evil.example`);
});

test('a storage that is blocked, full or holds something else is a value', async () => {
  pageAt('/', { blocked: true });
  assert.equal((await auth().signIn()).code, 'storage-blocked');
  assert.equal(page.left, undefined);
  pageAt('/callback?state=x&code=c&iss=https://issuer.example', { blocked: true });
  assert.equal((await auth().handleRedirect()).code, 'state-unknown');
  for (const text of ['{', 'null', '{}', '[{"state":"x"}]', '[{"state":"x","at":null}]']) {
    pageAt('/callback?state=x&code=c&iss=https://issuer.example', {
      kept: new Map([['portcullis:sign-in', text]]),
    });
    assert.equal((await auth().handleRedirect()).code, 'state-unknown', text);
    assert.deepEqual(page.asked, []);
    // Nor does it stand in the way of the next.
    const { kept, sent } = await leave({}, '/', { kept: new Map([['portcullis:sign-in', text]]) });
    comeBack({ code: 'c', state: sent.state, iss: metadata.issuer }, kept);
    assert.equal((await auth().handleRedirect()).ok, true);
  }
});

test('answers of the token endpoint that are none', async () => {
  const answers = {
    lost: () => Promise.reject(new TypeError('network')),
    html: () => new Response('<p>'),
    nothing: () => Response.json(null),
    'no token': () => Response.json({ token_type: 'Bearer' }),
    'an error that is none': () => Response.json(null, { status: 500 }),
  };
  for (const [what, answer] of Object.entries(answers)) {
    const { kept, sent } = await leave({});
    comeBack({ code: 'c', state: sent.state, iss: metadata.issuer }, kept);
    page.answer = answer;
    const back = auth();
    assert.equal((await back.handleRedirect()).code, 'exchange-failed', what);
    assert.equal(page.asked.length, 1, what);
    assert.deepEqual(back.snapshot().pending, false);
  }
});

test('back from the issuer, on the page as it was: the sign-in has been abandoned', async () => {
  pageAt('/');
  const { signIn, snapshot } = auth();
  let result;
  void signIn().then((value) => {
    result = value;
  });
  await settle();
  const shows = page.listeners.filter(([name]) => name === 'pageshow');
  for (const [, listener] of shows) listener({ persisted: false });
  await settle();
  assert.equal(result, undefined);
  assert.equal(snapshot().pending, true);
  for (const [, listener] of shows) listener({ persisted: true });
  await settle();
  assert.equal(result.code, 'abandoned');
  assert.equal(snapshot().pending, false);
});

/** A popup, and what its last page does with the response. */
function popups() {
  const popup = {
    closed: false,
    opener: globalThis,
    location: { replace: (url) => (popup.url = new URL(url)) },
  };
  popup.close = () => {
    popup.closed = true;
  };
  globalThis.open = () => popup;
  return popup;
}
test('a popup: opened at once, without a hold on the page, and without a storage', async () => {
  pageAt('/', { blocked: true });
  const popup = popups();
  let opened = 0;
  globalThis.open = () => {
    opened += 1;
    return popup;
  };
  const { signIn, session } = auth();
  const signing = signIn({ mode: 'popup', scope: 'notes' });
  assert.equal(opened, 1);
  while (!popup.url) await settle();
  assert.equal(popup.opener, null);
  const state = popup.url.searchParams.get('state');
  const channel = new BroadcastChannel('portcullis:sign-in');
  // Another tab's, and what is no response at all.
  channel.postMessage(`state=${state}x&code=evil&iss=${metadata.issuer}`);
  channel.postMessage({ state });
  channel.postMessage(`state=${state}&code=c2&iss=${encodeURIComponent(metadata.issuer)}`);
  assert.deepEqual(await signing, { ok: true, returnTo: `${ORIGIN}/` });
  assert.deepEqual([popup.closed, page.left], [true, undefined]);
  assert.equal(session.snapshot().status, 'signed-in');
  assert.deepEqual(
    page.asked.map(({ form }) => form.code),
    ['c2'],
  );
  channel.close();
});

test('a popup that is blocked, or closed, is a value', async () => {
  pageAt('/');
  globalThis.open = () => null;
  assert.equal((await auth().signIn({ mode: 'popup' })).code, 'popup-blocked');
  const popup = popups();
  const signing = auth().signIn({ mode: 'popup' });
  while (!popup.url) await settle();
  popup.close();
  assert.equal((await signing).code, 'popup-closed');
});

test('in the popup the response is handed over, and its window closed once it was taken', async () => {
  pageAt('/callback?state=popup.1&code=c&iss=i');
  let closed = 0;
  globalThis.close = () => {
    closed += 1;
  };
  const channel = new BroadcastChannel('portcullis:sign-in');
  const heard = new Promise((resolve) => {
    channel.onmessage = ({ data }) => resolve(data);
  });
  assert.equal(await auth().handleRedirect(), undefined);
  assert.equal(await heard, 'state=popup.1&code=c&iss=i');
  assert.deepEqual([page.asked, closed], [[], 0]);
  channel.postMessage({ taken: 'popup.1' });
  while (!closed) await settle();
  assert.equal(page.shown[0][1], `${ORIGIN}/callback`);
  channel.close();
});

test('signing out revokes, and everywhere leads to the issuer', async () => {
  pageAt('/');
  let revoked = [];
  const revoke = async (token) => revoked.push(token);
  const { session, signOut } = auth({}, { revoke });
  await session.start(tokens());
  assert.deepEqual(await signOut(), { ok: true, returnTo: `${ORIGIN}/` });
  assert.deepEqual([revoked, page.left], [['r0'], undefined]);
  assert.equal(session.snapshot().status, 'signed-out');

  const everywhere = auth({}, { revoke });
  await everywhere.session.start(tokens());
  await everywhere.signOut({ everywhere: true, returnTo: '/bye' });
  assert.equal(page.left.origin + page.left.pathname, metadata.end_session_endpoint);
  assert.deepEqual(Object.fromEntries(page.left.searchParams), {
    client_id: 'app',
    post_logout_redirect_uri: `${ORIGIN}/bye`,
  });
  // Where the issuer has no such page, the rest is done.
  pageAt('/');
  revoked = [];
  const { end_session_endpoint: _, ...without } = metadata;
  const plain = auth({ metadata: without }, { revoke });
  await plain.session.start(tokens());
  assert.equal((await plain.signOut({ everywhere: true })).ok, true);
  assert.deepEqual([revoked, page.left], [['r0'], undefined]);

  const failing = auth({}, { revoke: () => Promise.reject(new Error('down')) });
  await failing.session.start(tokens());
  assert.equal((await failing.signOut({ everywhere: true })).code, 'unrevoked');
  // The page is not left with a token that nobody else could revoke.
  assert.equal(page.left, undefined);
  assert.equal(failing.session.snapshot().status, 'signed-out');
});

test('with DPoP the code is bound to the key, and the proof goes with the exchange', async () => {
  pageAt('/');
  const asked = [];
  const dpop = {
    thumbprint: async () => 'jkt',
    fetch: async (request) => {
      asked.push(request.url);
      return Response.json(tokens());
    },
  };
  void auth({ dpop }).signIn();
  while (!page.left) await settle();
  assert.equal(page.left.searchParams.get('dpop_jkt'), 'jkt');
  comeBack({ code: 'c', state: page.left.searchParams.get('state'), iss: metadata.issuer }, page.kept);
  assert.equal((await auth({ dpop }).handleRedirect()).ok, true);
  assert.deepEqual([asked, page.asked], [[metadata.token_endpoint], []]);
});
