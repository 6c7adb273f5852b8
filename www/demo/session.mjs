// A session from its sign-in to the edge's refusal, as the page of the demonstration plays it.

const POLL_MS = 100;
const PATIENCE_MS = 30_000;
/** Instants in tokens and lists are whole seconds. */
const ROUNDING_MS = 1000;

/**
 * Sign in, rotate, replay inside the window, steal, and be refused at the edge; then a second
 * session that is ended by its user. `note(label, good, found, ms)` hears of each step.
 */
export async function watchSession(origin, note) {
  const client = clientOf(origin);
  const { maxStalenessSeconds, windows } = await client.get('/demo/config');
  const step = async (label, expected, work) => {
    const started = performance.now();
    const found = await work().catch((error) => `no answer (${error.message})`);
    const shown = found === expected ? found : `${found}, expected ${expected}`;
    note(label, found === expected, shown, (performance.now() - started).toFixed(1));
  };
  const seconds = (count) => new Promise((resolve) => setTimeout(resolve, count * 1000));

  let session = await client.post('/demo/sign-in', { user: 'ada' });
  const first = session.refresh_token;
  const use = async (token) => {
    const answer = await client.refresh(token);
    if (answer.access_token) session = { ...session, ...answer };
    return answer;
  };
  await step('sign in, and call the API', 'accepted', () => client.call(session.access_token));
  await step('refresh: the token rotates', 'another', async () =>
    (await use(first)).refresh_token === first ? 'the same' : 'another',
  );
  const second = session.refresh_token;
  await step('a retry inside the window: the same again', 'the same', async () =>
    (await use(first)).refresh_token === second ? 'the same' : 'another',
  );
  await step('too soon: an access token alone', 'no refresh token', async () => {
    const { access_token, refresh_token } = await use(second);
    return access_token && !refresh_token ? 'no refresh token' : 'one more';
  });
  await seconds(windows.rotationSeconds + 1);
  await step('later: it rotates again', 'another', async () =>
    (await use(second)).refresh_token === second ? 'the same' : 'another',
  );
  await step('the API still answers', 'accepted', () => client.call(session.access_token));
  await step('a thief comes with the first token', 'reuse-detected', async () =>
    reason(await client.refresh(first)),
  );
  await refusedWithin(client, session.access_token, maxStalenessSeconds, note, 'stolen');
  await step('the user has to sign in again', 'session-revoked', async () =>
    reason(await client.refresh(session.refresh_token)),
  );
  await step('the issuer says what happened', 'rotated replayed rotated reuse_detected', async () => {
    const events = await client.get(`/demo/events?sid=${session.sid}`);
    return events.map(({ kind }) => kind).join(' ');
  });

  session = await client.post('/demo/sign-in', { user: 'ada' });
  await step('sign in again, and call the API', 'accepted', () => client.call(session.access_token));
  await client.post('/demo/end-session', { sid: session.sid });
  await refusedWithin(client, session.access_token, maxStalenessSeconds, note, 'ended');
}

/**
 * Asks the edge until it refuses. What counts is when the last request began that it still let
 * pass: by then its list was at most as old as stated, however slow this machine is.
 */
async function refusedWithin(client, token, stated, note, what) {
  const revoked = performance.now();
  let lastAccepted = 0;
  let code = 'accepted';
  while (code === 'accepted' && performance.now() - revoked < PATIENCE_MS) {
    const began = performance.now() - revoked;
    code = await client.call(token);
    if (code !== 'accepted') break;
    lastAccepted = began;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const good = code === 'token-revoked' && lastAccepted <= stated * 1000 + ROUNDING_MS;
  const passed = (lastAccepted / 1000).toFixed(1);
  note(
    `${what}: the edge refuses within ${stated} s`,
    good,
    `${code}, passed ${passed} s`,
    (performance.now() - revoked).toFixed(1),
  );
}

const reason = ({ error_description }) => error_description?.split(': ')[1] ?? 'granted';

function clientOf(origin) {
  const json = async (path, init) => (await fetch(origin + path, init)).json();
  return {
    get: (path) => json(path),
    post: (path, body) =>
      json(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    refresh: (token) =>
      json('/token', {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'refresh_token', client_id: 'demo', refresh_token: token }),
      }),
    call: async (token) => {
      const response = await fetch(`${origin}/api/notes`, { headers: { authorization: `Bearer ${token}` } });
      const body = await response.json();
      return response.ok ? 'accepted' : body.code;
    },
  };
}
