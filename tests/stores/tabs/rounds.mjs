// Two tabs of one browser, a network that loses answers, and a thief now and then: rounds of them,
// by a seed, in simulated time.
//
// In each round both tabs refresh at once with the token that their browser holds. An answer may
// be lost after the issuer has done its work; the tab then asks again, a little later. A session
// that a thief has touched ends when the theft is found, and its user signs in again.
import assert from 'node:assert/strict';

/** Of issuer.mjs, in seconds. */
const [REPLAY_WINDOW, ROTATION_INTERVAL] = [60, 90];
const AGAIN = 7;
const TRIES = 8;
const LOST = 0.3;
/**
 * The most rounds that a thief who comes every round, and never within the window, is not found: R
 * late replays, and one to start from.
 */
const RIVAL_ROUNDS = 3;

/**
 * Plays `count` rounds. `issuers` are two processes of one issuer, as of issuer.mjs, a tab at
 * each; they share `clock`.
 */
export async function play({ issuers, clock, count, seed }) {
  const world = new World(issuers, clock, seed);
  await world.signIn();
  for (let round = 0; round < count; round++) await world.round(round);
  return world.told;
}

class World {
  told = {
    rounds: 0,
    requests: 0,
    lost: 0,
    rotations: 0,
    sessions: 0,
    signOuts: 0,
    sleepers: 0,
    rivals: 0,
    caught: 0,
    longest: 0,
  };
  thief = undefined;
  /** The browser's tokens, the oldest first. Tabs share the last. */
  tokens = [];

  constructor(issuers, clock, seed) {
    this.issuers = issuers;
    this.clock = clock;
    this.random = generator(seed);
  }

  async signIn() {
    const { status, sid, token } = await this.issuers[0].start();
    assert.equal(status, 200);
    this.sid = sid;
    this.tokens = [token];
    this.thief = undefined;
    this.told.sessions += 1;
  }

  async round(round) {
    this.told.rounds += 1;
    // Sometimes too early for a rotation, and mostly not.
    this.clock.now +=
      this.random() < 0.2 ? 1 + this.below(REPLAY_WINDOW) : ROTATION_INTERVAL + 1 + this.below(200);
    // Stolen from disk, before the tabs go on with it.
    if (this.thief === undefined && this.random() < 0.1) this.steal(round);
    if (this.thief === undefined && this.random() < 0.05) return this.signOut(round);
    if (this.thief?.together && this.isDue()) return this.theftBeside(round);
    if (await this.theft(round, 'first')) return this.signIn();
    if (!(await this.tabs(round))) return this.signIn();
    if (await this.theft(round, 'last')) return this.signIn();
  }

  /** Both at once; says whether the session lives. */
  async tabs(round) {
    const held = this.tokens.at(-1);
    const open = new Set([0, 1]);
    for (let tries = 0; open.size > 0; tries++) {
      assert.ok(tries < TRIES, `round ${round}: no answer`);
      const asked = [...open].map((tab) => ({ tab, lost: this.random() < LOST && tries < TRIES - 1 }));
      const answers = await Promise.all(asked.map(({ tab }) => this.issuers[tab].refresh(held)));
      for (const [index, { tab, lost }] of asked.entries()) {
        const { status, error, token } = answers[index];
        this.told.requests += 1;
        if (status === 400) return this.refused(round, error);
        assert.ok(status === 200 || status === 503, `round ${round}: ${status} ${error}`);
        this.told.lost += lost ? 1 : 0;
        if (lost || status === 503) continue;
        open.delete(tab);
        if (token !== undefined) this.store(held, token, round);
      }
      if (open.size > 0) this.clock.now += AGAIN;
    }
    return true;
  }

  /** The user signs out in one tab, while both refresh. */
  async signOut(round) {
    await this.ending(round, () => this.issuers[this.below(2)].end(this.sid), 200);
    this.told.signOuts += 1;
    return this.signIn();
  }

  /** The thief comes in the very moment in which both tabs refresh. */
  async theftBeside(round) {
    await this.ending(round, () => this.issuers[this.below(2)].refresh(this.thief.token), 400);
    this.told.caught += 1;
    return this.signIn();
  }

  /**
   * What ends the session, together with both tabs. Whoever was first, from then on nobody is
   * given anything.
   */
  async ending(round, end, expected) {
    this.clock.now += ROTATION_INTERVAL + 1;
    const held = this.tokens.at(-1);
    const [ended, ...answers] = await Promise.all([
      end(),
      ...this.issuers.map(({ refresh }) => refresh(held)),
    ]);
    this.told.requests += 3;
    assert.equal(ended.status, expected, `round ${round}: the end of a session`);
    for (const { status, error } of answers) {
      assert.ok(status === 200 || status === 400 || status === 503, `round ${round}: ${status} ${error}`);
    }
    const given = answers.map(({ token }) => token).filter((token) => token !== undefined);
    for (const token of [held, ...given]) {
      const { status } = await this.issuers[0].refresh(token);
      assert.equal(status, 400, `round ${round}: a session lives on after its end`);
    }
  }

  /** What both tabs are told must be one token. */
  store(held, token, round) {
    if (token === this.tokens.at(-1)) return;
    assert.equal(this.tokens.at(-1), held, `round ${round}: two successors of one token`);
    this.tokens.push(token);
    this.told.rotations += 1;
  }

  refused(round, error) {
    assert.equal(error, 'invalid_grant');
    assert.notEqual(this.thief, undefined, `round ${round}: an honest session was lost`);
    assert.ok(this.thief.came > 0, `round ${round}: an honest session was lost before the thief came`);
    this.told.caught += 1;
    return false;
  }

  /**
   * A sleeper comes when the token is two behind at least; a rival comes at once, and goes on with
   * what it gets.
   */
  steal(round) {
    const sleeper = this.random() < 0.5;
    this.thief = { sleeper, token: this.tokens.at(-1), since: round, at: this.tokens.length, came: 0 };
    if (sleeper) this.thief.together = this.random() < 0.5;
    else this.thief.turn = this.random() < 0.5 ? 'first' : 'last';
    this.told[sleeper ? 'sleepers' : 'rivals'] += 1;
  }

  /** The thief's turn; says whether it was caught. */
  async theft(round, turn) {
    const { thief } = this;
    if (thief === undefined) return false;
    if (thief.sleeper ? turn !== 'first' || this.tokens.length < thief.at + 2 : turn !== thief.turn)
      return false;
    // Outside the window: one that replays within it, in every generation, cannot be told from a
    // retry, as www/docs/explanation/rotation.md says.
    this.clock.now += ROTATION_INTERVAL + 1 + this.below(100);
    const { status, error, token } = await this.issuers[this.below(2)].refresh(thief.token);
    this.clock.now += REPLAY_WINDOW + 1 + this.below(100);
    this.told.requests += 1;
    thief.came += 1;
    if (status === 400) {
      assert.equal(error, 'invalid_grant');
      const { status: honest } = await this.issuers[0].refresh(this.tokens.at(-1));
      assert.equal(honest, 400, `round ${round}: the session lives on after a theft`);
      this.told.caught += 1;
      return true;
    }
    assert.equal(status, 200);
    assert.ok(!thief.sleeper, `round ${round}: a stolen token, two behind, was taken`);
    assert.ok(
      thief.came <= RIVAL_ROUNDS,
      `round ${round}: a rival was not caught since round ${thief.since}`,
    );
    if (token !== undefined) thief.token = token;
    this.told.longest = Math.max(this.told.longest, thief.came);
    return false;
  }

  /** Is the stolen token two behind? */
  isDue() {
    return this.thief.sleeper && this.tokens.length >= this.thief.at + 2;
  }

  below(bound) {
    return Math.floor(this.random() * bound);
  }
}

/** Numbers in [0, 1) that a seed determines (mulberry32). */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
