// Revocations over a store that goes wrong at every Nth call. What was answered is in the feed,
// and its session dead; what was not is finished by who tends the log, as far as the session is
// dead.
import assert from 'node:assert/strict';

import { createVerifier } from '../../dist/entry/gate-default.js';
import { faultyStore } from './faulty.mjs';
import { issuerFor, newParts, start } from './revocation-rounds.mjs';

const AGAIN = 2;
const TRIES = 6;
/** After so many seconds what was intended is carried out by whoever tends. */
const LOST = 60;

/**
 * Judges a kind of fault at every Nth call, N from `least` to `most`.
 * @returns how many faults were injected, and how often a revocation was answered by 503.
 */
export async function judgeLog({ store, kind, least, most }) {
  let [injected, denied] = [0, 0];
  for (let every = least; every <= most; every++) {
    const log = new LogLife(store, kind, every);
    await log.run();
    injected += log.faulty.injected;
    denied += log.denied;
  }
  assert.ok(injected > most, 'faults were injected');
  return { injected, denied };
}

let lives = 0;

/** A log of its own in the store. */
function ownRows(store) {
  const own = `${lives++}/`;
  return {
    read: (key) => store.read(own + key),
    ...(store.readMany && { readMany: (keys) => store.readMany(keys.map((key) => own + key)) }),
    swap: (key, ...rest) => store.swap(own + key, ...rest),
    sweep: (now, limit) => store.sweep(now, limit),
  };
}

class LogLife {
  denied = 0;
  time = 1_800_000_000;
  clock = { now: () => this.time };
  parts = newParts();
  /** Access and refresh tokens whose end was answered. */
  ended = [];

  constructor(store, kind, every) {
    this.title = `${kind} at call ${every}`;
    // A pull that reads from a copy that lags may tell too little; it takes nothing back.
    this.stale = kind.includes('stale');
    const own = ownRows(store);
    this.faulty = faultyStore(own, kind, every, { many: true });
    this.issuer = issuerFor(this.parts, this.faulty, this.clock);
    /** Another process, whose store is well, and that has read nothing before. */
    this.cold = () => issuerFor(this.parts, own, this.clock);
    this.edge = this.newEdge();
  }

  newEdge() {
    const { issuer, audience } = this.parts.config;
    return createVerifier({
      issuers: [{ issuer, audience, jwks: this.issuer.jwks() }],
      revocation: { jwks: this.issuer.feedJwks(), maxStalenessSeconds: 3600 },
    });
  }

  isRefused(edge, { access_token }) {
    const { ok, code } = edge.verify(access_token, { now: this.time });
    assert.ok(ok || code === 'token-revoked' || code === 'issued-before-cutoff', `${this.title}: ${code}`);
    return !ok;
  }

  /** What an edge knows that has just pulled from a process that has read nothing before. */
  async newlyPulled() {
    const edge = this.newEdge();
    const document = await (await this.cold().pull()).text();
    const report = edge.applyRevocations(document, { now: this.time });
    assert.ok(report.ok, `${this.title}: ${JSON.stringify(report)}`);
    return edge;
  }

  async run() {
    const session = (subject) => this.session(subject);
    const [one, two, three, fourth] = [
      await session('by its sid'),
      await session('by its subject'),
      await session('by a target'),
      await session('by a target'),
    ];
    await this.revoked(() => this.issuer.endSession(one.sid), [one]);
    // Again, since whoever got no answer asks again: it changes nothing.
    await this.revoked(() => this.issuer.endSession(one.sid), []);
    await this.revoked(() => this.issuer.endSessionsOf('by its subject'), [two]);
    await this.revoked(() => this.issuer.revoke({ sid: three.sid }), [three]);
    await this.revoked(() => this.issuer.revoke({ sub: 'by a target' }), [fourth]);

    const together = [];
    for (let n = 0; n < 5; n++) together.push(await session(`together ${n}`));
    await Promise.all(
      together.map((one) =>
        this.answered(() => this.issuer.endSession(one.sid)).then(() => this.ended.push(one)),
      ),
    );
    await this.look();

    await this.undone(await session('undone'));
    await this.revoked(() => this.issuer.revoke({ client_id: 'page' }), []);
  }

  /** Begun and refreshed once: a copy that lags knows the session, as it was. */
  session(subject) {
    return this.healed(async () => {
      const session = await start(this.issuer, subject);
      assert.equal(await this.issuer.refreshed(session.refresh_token), 200, this.title);
      return session;
    });
  }

  async revoked(ask, sessions) {
    await this.answered(ask);
    this.ended.push(...sessions);
    await this.look();
    this.time += AGAIN;
  }

  /** A revocation that got no answer, and nobody who asks again. */
  async undone(session) {
    const answered = await this.issuer.endSession(session.sid).then(
      () => true,
      (error) => this.refusal(error),
    );
    if (answered) this.ended.push(session);
    this.time += LOST;
    await this.healed(() => this.issuer.sweep());
    const dead = (await this.cold().refreshed(session.refresh_token)) === 400;
    const listed = this.isRefused(await this.newlyPulled(), session);
    assert.equal(
      listed,
      dead,
      `${this.title}: ${dead ? 'dead and not in the feed' : 'in the feed and alive'}`,
    );
    await this.look();
  }

  /** What was answered is dead here and in any other process, and every edge hears of it. */
  async look() {
    const cold = this.cold();
    const edge = await this.newlyPulled();
    for (const session of this.ended) {
      assert.ok(this.isRefused(edge, session), `${this.title}: answered, and not in the feed`);
      assert.equal(await cold.refreshed(session.refresh_token), 400, `${this.title}: granted after its end`);
    }
    const last = this.ended.at(-1);
    const status = await this.issuer.refreshed(last.refresh_token);
    assert.ok([400, 503].includes(status), `${this.title}: ${status} after its end`);
    if (!this.stale) await this.pull(() => this.issuer.pull(this.since));
    await this.healed(() => this.pull(() => this.issuer.pull(this.since)));
    for (const session of this.ended)
      assert.ok(
        this.isRefused(this.edge, session),
        `${this.title}: an edge that follows has not heard of it`,
      );
  }

  /** An edge that goes on from what it holds. A 503 leaves it as it is. */
  async pull(ask) {
    let response = await ask();
    if (response.status === 410) {
      this.since = '';
      response = await ask();
    }
    if (response.status === 503) return;
    assert.equal(response.status, 200, this.title);
    const document = await response.text();
    const report = this.edge.applyRevocations(document, { now: this.time });
    assert.ok(report.ok, `${this.title}: an edge refuses the feed: ${JSON.stringify(report)}`);
    const { cursor } = JSON.parse(Buffer.from(document.split('.')[1], 'base64url'));
    assert.ok(cursor, this.title);
    this.since = `?since=${encodeURIComponent(cursor)}`;
  }

  /** Asks again while it gets no answer. When nothing gets through, the store is healed. */
  async answered(ask) {
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        return await ask();
      } catch (error) {
        this.refusal(error);
        this.time += AGAIN;
      }
    }
    return this.healed(ask);
  }

  refusal(error) {
    assert.equal(error.name, 'IssuerUnavailableError', `${this.title}: ${error}`);
    this.denied += 1;
    return false;
  }

  async healed(ask) {
    this.faulty.heal(true);
    try {
      return await ask();
    } finally {
      this.faulty.heal(false);
    }
  }
}
