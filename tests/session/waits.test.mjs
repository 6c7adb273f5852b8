// However a server answers, it is left alone for a while: every wait has a floor, jitter and a
// ceiling, in all tabs together.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { seeded } from './authority.mjs';
import { mint, tokenOf, tokens } from './fakes.mjs';
import {
  dispatch,
  good,
  inTab,
  nowSeconds,
  open,
  pass,
  passing,
  settle,
  signedIn,
  simulate,
  status,
  T0,
  uniqueName,
} from './simulated.mjs';

simulate();

const MINUTE = 60_000;
// 20 by default, and what one that is rounded in time may add.
const MOST_A_MINUTE = 20;

/** The most requests within a minute. */
function busiest(times) {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to++) {
    while (times[to] - times[from] >= MINUTE) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

/** An API that refuses whatever it is shown. */
const again = (tab) =>
  void tokenOf(tab)
    .then((token) => tokenOf(tab, token))
    .catch(() => {});

const past = () => new Date(Date.now() - 3_600_000).toUTCString();
const SILLY = [
  '0',
  '00',
  '-1',
  '-99999',
  '0.001',
  '1.5',
  '1e3',
  ' ',
  '0, 0',
  'soon',
  'NaN',
  'Infinity',
  '0x10',
  past,
];
const HUGE = ['99999999999999999999', `${2 ** 53}`, '86400', () => new Date(Date.now() + 1e13).toUTCString()];

for (const header of SILLY) {
  const shown = typeof header === 'string' ? JSON.stringify(header) : 'a date that has passed';
  test(`Retry-After: ${shown} is no reason to ask again at once`, async () => {
    const unavailable = () =>
      status(503, {}, { 'retry-after': typeof header === 'string' ? header : header() })();
    const { session, asked } = await signedIn([unavailable]);
    const refused = await tokenOf(session);
    for (let second = 0; second < 3; second++) {
      void tokenOf(session, refused);
      await pass(1000, 10);
    }
    assert.ok(asked.length >= 2 && asked.length <= 5, `${asked.length}`);
    const gaps = asked.slice(1).map(({ at }, n) => at - asked[n].at);
    assert.ok(Math.min(...gaps) >= 0.1, `${gaps}`);
  });
}

for (const header of HUGE) {
  const shown = typeof header === 'string' ? header : 'a date in three hundred years';
  test(`Retry-After: ${shown} is no reason never to ask again`, async () => {
    const unavailable = () =>
      status(503, {}, { 'retry-after': typeof header === 'string' ? header : header() })();
    const { session, asked } = await signedIn([unavailable, good()]);
    const refused = await tokenOf(session);
    assert.equal(await passing(tokenOf(session, refused)), undefined);
    await pass(290_000, 1000);
    assert.equal(asked.length, 1);
    await pass(15_000, 1000);
    await passing(tokenOf(session, refused));
    assert.equal(asked.length, 2);
  });
}

test('a date of Retry-After is read by the clock of the answer that holds it, whatever this device shows', async () => {
  for (const wrongBy of [-86_400_000, 86_400_000]) {
    const at = (ms) => new Date(Date.now() + wrongBy + ms).toUTCString();
    const unavailable = () => status(503, {}, { date: at(0), 'retry-after': at(30_000) })();
    const { session, asked } = await signedIn([unavailable, good()]);
    const refused = await tokenOf(session);
    await passing(tokenOf(session, refused));
    await pass(28_000);
    await passing(tokenOf(session, refused));
    assert.equal(asked.length, 1);
    await pass(4000);
    await passing(tokenOf(session, refused));
    assert.equal(asked.length, 2);
  }
});

test('clients that were sent away together do not come back together', async () => {
  const times = new Set();
  for (let client = 0; client < 8; client++) {
    const { session, asked } = await signedIn([status(503, {}, { 'retry-after': '30' }), good()]);
    const from = Date.now();
    const refused = await tokenOf(session);
    await passing(tokenOf(session, refused), { stepMs: 10 });
    await pass(29_500, 500);
    for (let waits = 0; asked.length < 2 && waits < 300; waits++) {
      void tokenOf(session, refused);
      await pass(10, 10);
    }
    assert.ok(asked[1].at * 1000 + T0 * 1000 - from >= 30_000);
    times.add(Math.round((asked[1].at * 1000 + T0 * 1000 - from) / 10));
  }
  assert.ok(times.size > 3, `${[...times]}`);
});

test('the longer it fails the less it is asked, and one success makes up for all of it', async () => {
  const answers = [status(400, { error: 'invalid_client' })];
  const { session, asked } = await signedIn(answers);
  const refused = await tokenOf(session);
  const during = async (ms) => {
    const before = asked.length;
    for (let gone = 0; gone < ms; gone += 1000) {
      void tokenOf(session, refused);
      await pass(1000, 500);
    }
    return asked.length - before;
  };
  const first = await during(300_000);
  const second = await during(1_200_000);
  assert.ok(first <= 8 && second <= 6, `${first}, ${second}`);
  answers[0] = good();
  await during(330_000);
  const fresh = await passing(tokenOf(session));
  assert.notEqual(fresh, refused);
  answers[0] = status(400, { error: 'invalid_client' });
  await passing(tokenOf(session, fresh));
  const before = asked.length;
  await pass(6000);
  await passing(tokenOf(session, fresh));
  assert.equal(asked.length, before + 1);
});

const html = (headers) => () =>
  new Response('<html>Sign in to this network', { headers: { 'content-type': 'text/html', ...headers } });
const date = new Date((T0 - 7_000_000) * 1000).toUTCString();
const TOKENLESS = {
  'a page': html(),
  'a page with a date of its own': html({ date, 'cache-control': 'no-store' }),
  'JSON without a token': status(200, {}),
  'JSON that is no object': status(200, null),
  'a number for a token': status(200, { access_token: 7 }, { date, 'cache-control': 'no-store' }),
  'null for a token': status(200, { access_token: null }),
  'an empty token': status(200, { access_token: '' }),
  'no content': () => new Response(null, { status: 204 }),
  'what is no response': () => ({ ok: true, status: 200, json: async () => ({ access_token: 'opaque' }) }),
  'a failure that is no response': () => ({ ok: false, status: 503, json: async () => 7 }),
};
for (const [shown, answer] of Object.entries(TOKENLESS)) {
  test(`${shown} in place of a token is a failure, and is asked for less and less often`, async () => {
    const { session, asked } = await signedIn([answer]);
    const refused = await tokenOf(session);
    for (let second = 0; second < 600; second++) {
      void tokenOf(session, refused);
      await pass(1000, 1000);
    }
    assert.ok(asked.length >= 4 && asked.length <= 12, `${asked.length}`);
    assert.ok(Math.abs(session.clock.now().seconds - Date.now() / 1000) < 6, 'and tells no time');
  });
}

test('a network that comes and goes does not override what the server has asked for', async () => {
  globalThis.location = { origin: 'https://app.example', href: 'https://app.example/' };
  const { session, asked } = await signedIn([status(503, {}, { 'retry-after': '60' }), good()]);
  const refused = await tokenOf(session);
  await passing(tokenOf(session, refused));
  for (let times = 0; times < 50; times++) {
    dispatch('online');
    void tokenOf(session, refused);
    await pass(500);
  }
  assert.equal(asked.length, 1);
});

test('a server whose tokens are of no use is not asked once for each call', async () => {
  // One that has expired on arrival, and one that the API refuses.
  for (const life of [-10, 300]) {
    const useless = () =>
      tokens(nowSeconds(), { access_token: mint(nowSeconds() + Math.min(life, 0) - 300, 300) });
    const { session, asked } = await signedIn([life < 0 ? useless : good()]);
    for (let call = 0; call < 600; call++) {
      again(session);
      await pass(100);
    }
    assert.ok(busiest(asked.map(({ at }) => at * 1000)) <= MOST_A_MINUTE, `${asked.length}`);
  }
});

/** What a server may do, good or bad, drawn anew for each request. */
function arbitrary(draw) {
  const pick = (list) => list[Math.floor(draw() * list.length)];
  const waits = [undefined, ...SILLY, ...HUGE, '1', '2', '5', '30'];
  const statuses = [200, 200, 201, 204, 302, 304, 400, 401, 403, 404, 408, 429, 500, 502, 503, 503, 504];
  const bodies = ['', '<html>', '{', 'null', '[]', '7', '{}', '{"access_token":7}', '{"access_token":""}'];
  const errors = ['invalid_client', 'invalid_request', 'temporarily_unavailable', 'slow_down'];
  return async (signal) => {
    const kind = draw();
    if (kind < 0.1) throw new TypeError('network');
    if (kind < 0.15) return new Promise(() => {});
    if (kind < 0.2)
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    if (kind < 0.22) return pick([undefined, null, 7, {}, { ok: true, json: async () => 7 }]);
    if (kind < 0.35) return good({ refresh_token: `r${draw()}` })();
    if (kind < 0.45)
      return tokens(nowSeconds(), { access_token: mint(nowSeconds() - 400, pick([1, 100, 399])) });
    if (kind < 0.5)
      return tokens(nowSeconds(), { access_token: pick(['a', 'b']), expires_in: pick([1, 0, -5, 'x']) });
    const code = pick(statuses);
    const body = kind < 0.7 ? JSON.stringify({ error: pick(errors) }) : pick(bodies);
    const wait = pick(waits);
    const headers = { date: new Date(Date.now() + pick([0, 0, 1e7, -1e7])).toUTCString() };
    if (wait !== undefined) headers['retry-after'] = typeof wait === 'string' ? wait : wait();
    return new Response([204, 304].includes(code) ? null : body, { status: code, headers });
  };
}

const SEEDS = Number(process.env.WAITS_SEEDS ?? 8);
for (let seed = 1; seed <= SEEDS; seed++) {
  test(`an arbitrary server is asked at most ${MOST_A_MINUTE} times a minute, seed ${seed}`, async () => {
    globalThis.location = { origin: 'https://app.example', href: 'https://app.example/' };
    const draw = seeded(seed * 7919);
    mock.method(Math, 'random', draw);
    const server = arbitrary(draw);
    const name = uniqueName();
    const times = [];
    const ask = (_, signal) => {
      times.push(Date.now());
      return server(signal);
    };
    const tabs = [];
    const openTab = () => {
      inTab(`tab ${tabs.length}`);
      tabs.push(open({ name, refresh: ask, revoke: ask }));
    };
    for (let count = 0; count <= seed % 4; count++) openTab();
    void tabs[0].start({ access_token: mint(nowSeconds()), refresh_token: 'r0' });
    for (let step = 0; step < 700; step++) {
      const tab = tabs[Math.floor(draw() * tabs.length)];
      const what = draw();
      if (what < 0.6) again(tab);
      else if (what < 0.63) dispatch('online');
      else if (what < 0.64) void tab.signOut().catch(() => {});
      else if (what < 0.66)
        void tab.start({ access_token: mint(nowSeconds()), refresh_token: `s${step}` }).catch(() => {});
      else if (what < 0.67 && tabs.length < 6) openTab();
      // Messages have to arrive within the time in which tabs expect them.
      for (let part = 0; part < 4; part++) {
        mock.timers.tick(50);
        await settle(4);
      }
    }
    assert.ok(times.length > 20, `${times.length} requests show nothing`);
    assert.ok(busiest(times) <= MOST_A_MINUTE, `${busiest(times)} of ${times.length}`);
  });
}
