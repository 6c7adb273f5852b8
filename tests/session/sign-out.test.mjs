// Signing out: of what this tab knows and of what it does not, and with a server that cannot be
// told yet.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { SessionError, sharedStorage } from 'portcullis/session';

import { mint, tokenOf } from './fakes.mjs';
import {
  box,
  good,
  inTab,
  nowSeconds,
  open,
  pass,
  passing,
  renewed,
  settle,
  signedIn,
  simulate,
  status,
  uniqueName,
} from './simulated.mjs';

simulate();

/** A server that is told of sign-outs: which tokens, and since when it answers. */
function revocations({ downFor = 0 } = {}) {
  const told = [];
  let left = downFor;
  const revoke = async (token) => {
    told.push(token);
    if (left-- > 0) throw new Error('the server answered 503');
  };
  return { told, revoke };
}
const statuses = (...sessions) => sessions.map((session) => session.snapshot().status);
const over = status(400, { error: 'invalid_grant' });

test('a tab that has missed what another stored revokes the newest token, and both are signed out', async () => {
  const kept = box();
  const { told, revoke } = revocations();
  const name = uniqueName();
  // Without a channel, storage alone tells.
  const channel = globalThis.BroadcastChannel;
  globalThis.BroadcastChannel = undefined;
  try {
    const options = { name, revoke, storage: sharedStorage(kept), refresh: over };
    const [a, b] = [open(options), open(options)];
    await a.start({ access_token: mint(nowSeconds()), refresh_token: 'r0' });
    await passing(b.signOut());
    assert.deepEqual(told, ['r0']);
    assert.equal(kept.kept.has('portcullis'), false);
    await a.start({ access_token: mint(nowSeconds()), refresh_token: 'r5' });
    await b.start({ access_token: mint(nowSeconds()), refresh_token: 'r6' });
    await passing(a.signOut());
    assert.deepEqual(told, ['r0', 'r6']);
  } finally {
    globalThis.BroadcastChannel = channel;
  }
});

test('a tab that missed the news of the others asks for them first, and all of them follow', async () => {
  const name = uniqueName();
  const { told, revoke } = revocations();
  const answers = [good({ refresh_token: 'r1' })];
  const { session: a } = await signedIn(answers, { name, revoke });
  const b = open({ name, revoke, refresh: over });
  await passing(tokenOf(b));
  assert.deepEqual(statuses(a, b), ['signed-in', 'signed-in']);
  // While it was frozen, nothing reached it.
  const deaf = mock.method(BroadcastChannel.prototype, 'postMessage', () => {});
  await renewed(a);
  await renewed(a);
  deaf.mock.restore();
  await passing(b.signOut());
  await settle();
  assert.deepEqual(statuses(a, b), ['signed-out', 'signed-out']);
  assert.ok(told.includes('r1'), `${told}`);
  assert.equal(b.snapshot().unrevoked, 0);
});

test('a page that has just been opened has something to revoke', async () => {
  const { told, revoke } = revocations();
  const kept = box({ portcullis: 'r7' });
  const first = open({ revoke, storage: sharedStorage(kept), refresh: over });
  await passing(first.signOut());
  assert.deepEqual(told, ['r7']);
  const name = uniqueName();
  const { session } = await signedIn([good()], { name, revoke });
  const second = open({ name, revoke, refresh: over });
  await passing(second.signOut());
  await settle();
  assert.deepEqual(told, ['r7', 'r0'].concat(told.slice(2)));
  assert.deepEqual(statuses(session, second), ['signed-out', 'signed-out']);
});

test('a refresh that is under way, here or in another tab, does not hold up signing out', async () => {
  for (const other of [false, true]) {
    const name = uniqueName();
    const signals = [];
    const hang = (_, signal) => {
      signals.push(signal);
      return new Promise(() => {});
    };
    const { told, revoke } = revocations();
    const { session: a } = await signedIn([hang], { name, revoke });
    const asking = tokenOf(a, await tokenOf(a));
    await pass(300);
    assert.equal(signals.length, 1);
    inTab('other');
    const b = other ? open({ name, revoke, refresh: over }) : a;
    const before = Date.now();
    await passing(b.signOut());
    assert.ok(Date.now() - before < 1000, `${Date.now() - before}`);
    assert.equal(signals[0].aborted, true);
    assert.equal(await passing(asking), undefined);
    assert.deepEqual(told, ['r0']);
  }
});

test('a revocation that failed is kept, said, and tried again until it is done', async () => {
  const { told, revoke } = revocations({ downFor: 3 });
  const { session } = await signedIn([good()], { revoke });
  await assert.rejects(passing(session.signOut()), (error) => {
    assert.match(error.message, /^revoke: .*503/);
    assert.deepEqual([error instanceof SessionError, error.code], [true, 'unrevoked']);
    assert.match(error.cause.message, /503/);
    return true;
  });
  assert.deepEqual([session.snapshot().status, session.snapshot().unrevoked], ['signed-out', 1]);
  await pass(60_000);
  assert.deepEqual(told, ['r0', 'r0', 'r0', 'r0']);
  assert.equal(session.snapshot().unrevoked, 0);
  await pass(60_000);
  assert.equal(told.length, 4, 'and not once more');
  // One by hand is another try, and says when there is nothing left.
  await passing(session.signOut());
});

test('it is tried less often the longer the server stays away, and signing out again tries at once', async () => {
  const { told, revoke } = revocations({ downFor: 1000 });
  const { session } = await signedIn([good()], { revoke });
  await assert.rejects(passing(session.signOut()));
  await pass(60_000);
  const minute = told.length;
  assert.ok(minute >= 2 && minute <= 5, `${minute}`);
  await assert.rejects(passing(session.signOut()));
  assert.equal(told.length, minute + 1);
  await pass(600_000, 1000);
  assert.ok(told.length - minute <= 7, `${told.length - minute}`);
});

test('a revocation that hangs, throws at once or is no promise is one that failed or is done', async () => {
  const signals = [];
  const ways = {
    hangs: (_, signal) => {
      signals.push(signal);
      return new Promise(() => {});
    },
    throws: () => {
      throw new Error('at once');
    },
  };
  for (const revoke of Object.values(ways)) {
    const { session } = await signedIn([good()], { revoke });
    await assert.rejects(passing(session.signOut()), /^SessionError: revoke: /);
    assert.equal(session.snapshot().unrevoked, 1);
  }
  assert.equal(signals[0].aborted, true);
  const { session } = await signedIn([good()], { revoke: () => undefined });
  await passing(session.signOut());
  assert.equal(session.snapshot().unrevoked, 0);
});

test('what is due outlives a new sign-in, the tab, and the page where there is storage', async () => {
  const kept = box();
  const down = revocations({ downFor: 1000 });
  const name = uniqueName();
  const options = { name, storage: sharedStorage(kept) };
  const { session: first } = await signedIn([good({ refresh_token: 's1' })], { ...options, ...down });
  await assert.rejects(passing(first.signOut()));
  assert.ok(kept.kept.get('portcullis').includes('r0'));
  await first.start({ access_token: mint(nowSeconds()), refresh_token: 's0' });
  assert.deepEqual([first.snapshot().status, first.snapshot().unrevoked], ['signed-in', 1]);
  // Another tab takes it over when the first one closes.
  const up = revocations();
  const second = open({ ...options, ...up, refresh: over });
  await passing(tokenOf(second));
  first.close();
  await pass(60_000);
  assert.deepEqual(up.told, ['r0']);
  assert.deepEqual([second.snapshot().status, second.snapshot().unrevoked], ['signed-in', 0]);
  assert.equal(kept.kept.get('portcullis'), 's0');
  second.close();

  // And the next page, when none is left.
  const { session: third } = await signedIn([good()], { ...options, ...revocations({ downFor: 1000 }) });
  await assert.rejects(passing(third.signOut()));
  third.close();
  const again = revocations();
  const fourth = open({ ...options, ...again, refresh: over });
  await passing(tokenOf(fourth));
  await pass(10_000);
  assert.deepEqual(again.told, ['r0']);
  assert.equal(fourth.snapshot().status, 'signed-out');
  assert.equal(kept.kept.has('portcullis'), false);
});

test('a sign-out by cookie that is still due is not done to the session that was started since', async () => {
  const failing = revocations({ downFor: 1 });
  const c = open({ revoke: failing.revoke, refresh: good() });
  await c.start({ access_token: mint(nowSeconds()) });
  await assert.rejects(passing(c.signOut()));
  assert.deepEqual([failing.told, c.snapshot().unrevoked], [[undefined], 1]);
  await c.start({ access_token: mint(nowSeconds()) });
  await pass(60_000);
  assert.deepEqual(failing.told, [undefined]);
  assert.deepEqual([c.snapshot().status, c.snapshot().unrevoked], ['signed-in', 0]);
});

test('a revocation endpoint that fails for good, or hangs, keeps no session from being refreshed', async () => {
  for (const revoke of [() => Promise.reject(new Error('CORS')), () => new Promise(() => {})]) {
    let count = 0;
    const counted = () => {
      count += 1;
      return revoke();
    };
    const { session, asked } = await signedIn([good({ refresh_token: 's1' })], { revoke: counted });
    await assert.rejects(passing(session.signOut()));
    await session.start({ access_token: mint(nowSeconds()), refresh_token: 's0' });
    for (let minute = 0; minute < 20; minute++) {
      await pass(60_000, 1000);
      assert.ok(await passing(tokenOf(session)), `${minute}`);
    }
    assert.ok(asked.length >= 3, `${asked.length}`);
    assert.ok(count >= 4 && count <= 14, `${count}`);
    assert.equal(session.snapshot().unrevoked, 1);
  }
});

test('without a way to revoke nothing is due', async () => {
  const { session } = await signedIn([good()]);
  await passing(session.signOut());
  assert.equal(session.snapshot().unrevoked, 0);
});

test('a sign-in and a sign-out at the same instant: what this tab alone knows is revoked as well', async () => {
  const name = uniqueName();
  const { told, revoke } = revocations();
  const { session: a } = await signedIn([good()], { name, revoke });
  const b = open({ name, revoke, refresh: over });
  await passing(tokenOf(b));
  const started = a.start({ access_token: mint(nowSeconds()), refresh_token: 's0' });
  await passing(Promise.all([started, b.signOut()]));
  await pass(10_000);
  assert.deepEqual(statuses(a, b), ['signed-out', 'signed-out']);
  assert.deepEqual([...new Set(told)].sort(), ['r0', 's0']);
});
