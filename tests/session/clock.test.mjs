// The clock, on a device whose clocks are told what to read.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createClock, expiresIn, isExpired, refreshDue } from 'portcullis/session';

const HOUR = 3_600_000;
const T0 = 1_800_000_000_000;

/** A device: true time passes with `pass`, and its clocks show of it what they will. */
function device({ wrongBy = 0, random = () => 0.5, ...own } = {}) {
  const world = { now: T0, wall: T0 + wrongBy, monotonic: 5000 };
  const clock = createClock({ wall: () => world.wall, monotonic: () => world.monotonic, random, ...own });
  const pass = (ms) => {
    world.now += ms;
    world.wall += ms;
    world.monotonic += ms;
  };
  /** The monotonic clock stands still meanwhile. */
  const sleep = (ms) => {
    world.now += ms;
    world.wall += ms;
  };
  const response = (more = {}) =>
    new Response(null, {
      headers: { date: new Date(world.now).toUTCString(), 'cache-control': 'no-store', ...more },
    });
  /** A request of which the server sees `there` ms of the way out and `back` ms of the way back. */
  const exchange = (there, back, more) => {
    const sent = clock.mark();
    pass(there);
    const answer = response(more);
    pass(back);
    return clock.observe(answer, sent);
  };
  const holds = (most) => {
    const { seconds, uncertaintySeconds } = clock.now();
    const off = Math.abs(seconds - world.now / 1000);
    assert.ok(off <= uncertaintySeconds, `off by ${off}, which ${uncertaintySeconds} does not cover`);
    assert.ok(uncertaintySeconds <= most, `${uncertaintySeconds} is more than ${most}`);
  };
  return { world, clock, pass, sleep, exchange, holds, response };
}

const token = (claims) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`;
const at = (ms) => Math.floor(ms / 1000);

for (const wrongBy of [0, 3 * HOUR, -3 * HOUR, 17 * 365 * 24 * HOUR]) {
  test(`a device clock that is wrong by ${wrongBy / HOUR} hours`, () => {
    const { world, clock, pass, exchange, holds } = device({ wrongBy });
    assert.equal(clock.now().uncertaintySeconds, Number.POSITIVE_INFINITY);
    assert.equal(clock.offset(), undefined);
    assert.equal(exchange(120, 80), true);
    holds(0.61);
    const good = token({ iat: at(world.now), exp: at(world.now) + 300 });
    assert.equal(isExpired(good, clock), false);
    assert.ok(expiresIn(good, clock) > 298 && expiresIn(good, clock) <= 300);
    pass(299_000 - (world.now % 1000) + 1500);
    assert.equal(isExpired(good, clock), true);
  });
}

test('each answer narrows the bounds, and none widens them', () => {
  const { clock, pass, exchange, holds } = device({ wrongBy: 3 * HOUR });
  exchange(20, 30);
  let before = clock.now().uncertaintySeconds;
  for (let n = 1; n < 40; n++) {
    pass(137);
    exchange(n % 7, n % 5);
    const { uncertaintySeconds } = clock.now();
    assert.ok(uncertaintySeconds <= before + 1e-3, `${uncertaintySeconds} after ${before}`);
    before = uncertaintySeconds;
    holds(1);
  }
  assert.ok(before < 0.1, `${before}`);
});

test('an access token at receipt tells the time as well', () => {
  const { world, clock, pass, holds } = device({ wrongBy: -3 * HOUR });
  const sent = clock.mark();
  pass(400);
  const minted = token({ iat: at(world.now), exp: at(world.now) + 60 });
  pass(200);
  assert.equal(clock.observe(minted, sent), true);
  holds(0.81);
  assert.equal(clock.observe('opaque', sent), false);
  assert.equal(clock.observe(token({ iat: '1' }), sent), false);
});

test('what a cache has kept tells nothing', () => {
  const { clock, exchange } = device();
  assert.equal(exchange(1, 1, { age: '30' }), false);
  assert.equal(exchange(1, 1, { date: 'yesterday' }), false);
  assert.equal(exchange(1, 1, { age: '0' }), true);
  assert.ok(clock.now().uncertaintySeconds < 1);
});

test('a wall clock that is set back changes nothing', () => {
  const { world, pass, exchange, holds } = device();
  exchange(50, 50);
  world.wall -= 3 * HOUR;
  holds(0.6);
  pass(60_000);
  holds(0.7);
  world.wall -= 5 * HOUR;
  pass(60_000);
  holds(0.7);
});

test('a sleep, or a wall clock set forward, widens the bounds by as much until the next answer', () => {
  for (const jump of ['sleep', 'set']) {
    const { world, clock, sleep, exchange, holds } = device();
    exchange(50, 50);
    const good = token({ iat: at(world.now), exp: at(world.now) + 300 });
    if (jump === 'sleep') sleep(3 * HOUR);
    else world.wall += 3 * HOUR;
    holds(1.5 * 3600 + 1);
    // It may have expired: whoever asks has it refreshed, and knows better then.
    assert.equal(isExpired(good, clock), true);
    assert.equal(refreshDue(good, clock), true);
    exchange(50, 50);
    holds(0.6);
    assert.equal(isExpired(good, clock), jump === 'sleep');
  }
});

test('many short sleeps add up', () => {
  const { pass, sleep, exchange, holds } = device();
  exchange(5, 5);
  for (let n = 0; n < 100; n++) {
    sleep(900);
    pass(100);
    holds(47);
  }
});

test('a sleep between sending and the answer', () => {
  const { world, clock, pass, sleep, holds, response } = device();
  const sent = clock.mark();
  pass(50);
  const answer = response();
  sleep(HOUR);
  pass(50);
  clock.observe(answer, sent);
  holds(1801);
  assert.ok(Math.abs(clock.now().seconds - world.now / 1000) <= 1801);
});

test('a server whose clock is set: the newest answer counts', () => {
  const { world, exchange, holds } = device();
  exchange(5, 5);
  world.now += HOUR;
  exchange(5, 5);
  holds(0.6);
  world.now -= 2 * HOUR;
  exchange(5, 5);
  holds(0.6);
});

test('a quartz drifts', () => {
  const { pass, exchange, holds, clock } = device();
  exchange(5, 5);
  const { uncertaintySeconds } = clock.now();
  pass(24 * HOUR);
  assert.ok(clock.now().uncertaintySeconds > uncertaintySeconds + 4);
  holds(10);
});

test('without having observed anything, the device is believed', () => {
  const { world, clock } = device();
  assert.equal(clock.now().seconds, world.wall / 1000);
  world.wall += HOUR;
  assert.equal(clock.now().seconds, world.wall / 1000);
});

test('what one tab knows, another can use', () => {
  const first = device({ wrongBy: 3 * HOUR });
  first.exchange(10, 10);
  const second = createClock({
    wall: () => first.world.wall,
    monotonic: () => first.world.monotonic + 12_345_678,
  });
  second.adopt(first.clock.offset());
  assert.ok(Math.abs(second.now().seconds - first.world.now / 1000) < 0.6);
  assert.ok(second.now().uncertaintySeconds < 0.6);
});

test('refreshing is due after 75 to 90 per cent of a life, a client for itself', () => {
  for (const [draw, life] of [
    [0, 0.9],
    [0.5, 0.825],
    [1, 0.75],
  ]) {
    const { world, clock, pass, exchange } = device({ random: () => draw });
    exchange(0, 0);
    const good = token({ iat: at(world.now), exp: at(world.now) + 1000 });
    pass(life * 1_000_000 - 2000);
    assert.equal(refreshDue(good, clock), false, `${draw}`);
    pass(3000);
    assert.equal(refreshDue(good, clock), true, `${draw}`);
    assert.equal(refreshDue(good, clock), true, 'it is drawn once');
  }
});

test('what does not say when it ends has not ended', () => {
  const { clock } = device();
  for (const text of ['opaque', token({}), token({ exp: 'soon' }), '', '..']) {
    assert.equal(expiresIn(text, clock), undefined);
    assert.equal(isExpired(text, clock), false);
    assert.equal(refreshDue(text, clock), false);
  }
});

test('the second in which it expires is one too late', () => {
  const { clock, world } = device();
  assert.equal(isExpired(token({ exp: world.wall / 1000 }), clock), true);
  assert.equal(isExpired(token({ exp: world.wall / 1000 + 1 }), clock), false);
});
