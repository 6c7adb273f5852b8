// A session's life over a store that goes wrong at every Nth call, and what may be answered:
// exactly what is due, or 503, and nothing else.
import assert from 'node:assert/strict';

import { faultyStore } from './faulty.mjs';

/**
 * Longer than the window in which a replay is forgiven, and than the interval of rotations: of
 * issuer.mjs.
 */
const NEXT = 100;
/** A client asks again after so many seconds, within the window. */
const AGAIN = 2;
const TRIES = 12;

/**
 * Judges a kind of fault at every Nth call, N from `least` to `most`. `makeIssuer(store, clock)`
 * is an issuer as of issuer.mjs.
 * @returns how many faults were injected, and how often 503 was answered.
 */
export async function judge({ store, makeIssuer, kind, least = 1, most }) {
  let [injected, denied] = [0, 0];
  for (let every = least; every <= most; every++) {
    const faulty = faultyStore(store, kind, every);
    const life = new Life(faulty, makeIssuer, `${kind} at call ${every}`, {
      every,
      stale: kind.includes('stale'),
    });
    await life.run();
    injected += faulty.injected;
    denied += life.denied;
  }
  assert.ok(injected > most, 'faults were injected');
  return { injected, denied };
}

class Life {
  denied = 0;
  clock = { now: 1_800_000_000 };

  /**
   * @param stale what is read may be old: a refusal is then early, and changes nothing; the client
   * asks again.
   */
  constructor(faulty, makeIssuer, title, { every, stale }) {
    this.every = every;
    this.faulty = faulty;
    this.stale = stale;
    this.title = title;
    this.issuer = makeIssuer(faulty, this.clock);
  }

  async run() {
    const session = await this.untilAnswered(() => this.issuer.start());
    await this.honest(session);
    await this.stolen(session);
    await this.ended();
    await this.redeemed();
  }

  /**
   * An honest client, whose every rotation ends with one and the same next token, however often it
   * has to ask.
   */
  async honest(session) {
    session.tokens = [session.token];
    for (let round = 0; round < 6; round++) {
      this.clock.now += NEXT;
      const answer = await this.refresh(session.tokens.at(-1));
      assert.equal(answer.status, 200, `${this.title}, round ${round}: an honest client got ${answer.error}`);
      assert.notEqual(answer.token, undefined, this.title);
      session.tokens.push(answer.token);
      // Whoever lost this answer asks once more, and is told the same.
      this.clock.now += AGAIN;
      const again = await this.refresh(session.tokens.at(-2));
      assert.deepEqual([again.status, again.token], [200, answer.token], `${this.title}: another successor`);
    }
    assert.equal(new Set(session.tokens).size, 7, this.title);
    assert.deepEqual(this.thefts(), [], `${this.title}: a fault was taken for theft`);
  }

  /** A thief with a token that is two behind gets nothing, and the session ends. */
  async stolen(session) {
    this.clock.now += NEXT;
    const answer = await this.refresh(session.tokens.at(-3));
    assert.deepEqual([answer.status, answer.error], [400, 'invalid_grant'], `${this.title}: a thief`);
    const honest = await this.refresh(session.tokens.at(-1));
    assert.deepEqual([honest.status, honest.error], [400, 'invalid_grant'], `${this.title}: after theft`);
    assert.equal((await this.refreshHealed(session.tokens.at(-1))).status, 400, this.title);
  }

  /** Nothing is granted after a revocation has been confirmed, whatever is read. */
  async ended() {
    const { sid, token } = await this.untilAnswered(() => this.issuer.start());
    this.clock.now += NEXT;
    const { token: next } = await this.refresh(token);
    const { status } = await this.untilAnswered(() => this.issuer.end(sid));
    assert.equal(status, 200, this.title);
    for (const presented of [next, token, next]) {
      const answer = await this.refresh(presented);
      assert.deepEqual([answer.status, answer.error], [400, 'invalid_grant'], `${this.title}: after its end`);
    }
  }

  /**
   * A code is redeemed for one session, however often its client has to ask; its second use ends
   * that session.
   */
  async redeemed() {
    const { code } = await this.untilAnswered(() => this.issuer.mint());
    const first = await this.untilAnswered(() => this.issuer.redeem(code));
    // When every call fails, nobody can tell whether somebody was answered; then the session is
    // over.
    if (this.every > 1) assert.equal(first.status, 200, `${this.title}: a redemption got ${first.error}`);
    const second = await this.untilAnswered(() => this.issuer.redeem(code));
    assert.deepEqual([second.status, second.error], [400, 'invalid_grant'], `${this.title}: a second use`);
    if (first.status !== 200) return;
    const answer = await this.refreshHealed(first.token);
    assert.deepEqual(
      [answer.status, answer.error],
      [400, 'invalid_grant'],
      `${this.title}: after its second use`,
    );
  }

  refresh(token) {
    return this.untilAnswered(() => this.issuer.refresh(token));
  }

  /**
   * Asks again while it is told to. When nothing gets through, the store is healed: the client
   * finds what is true.
   */
  async untilAnswered(ask) {
    for (let tries = 0; tries < TRIES; tries++) {
      const answer = await ask();
      if (answer.status !== 503 && !(this.stale && answer.status === 400)) return answer;
      if (answer.status === 503) assert.ok(answer.retryAfter, `${this.title}: 503 says when to come again`);
      assert.equal(answer.token, undefined, `${this.title}: a token with a refusal`);
      this.denied += 1;
      this.clock.now += AGAIN;
    }
    return this.healed(ask);
  }

  refreshHealed(token) {
    return this.healed(() => this.issuer.refresh(token));
  }

  async healed(ask) {
    this.faulty.heal(true);
    try {
      return await ask();
    } finally {
      this.faulty.heal(false);
    }
  }

  /**
   * What honest clients and faults must never look like. Of a stale read it is right to say that
   * the store is behind.
   */
  thefts() {
    const kinds = this.issuer.events.map(({ kind }) => kind);
    return kinds.filter(
      (kind) => !/^(rotated|replayed|store_failed)$/.test(kind) && !(this.stale && kind === 'store_behind'),
    );
  }
}
