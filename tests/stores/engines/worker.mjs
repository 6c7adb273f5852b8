// The stores of workerd where they are meant to run. A store is made once and serves many requests.
import { d1Store, durableObjectStore, SessionStoreObject as Published } from '../../../dist/stores/index.js';
import { rotate } from '../contract.mjs';

/** As published, with a door for the test. */
export class SessionStoreObject extends Published {
  constructor(state, env) {
    super(state, env);
    this.state = state;
  }

  async fetch(request) {
    if (!request.url.endsWith('/door')) return super.fetch(request);
    const { sql, passSeconds } = await request.json();
    if (passSeconds !== undefined) return Response.json(await this.#afterAlarm(passSeconds));
    const { storage } = this.state;
    for (const statement of sql) storage.sql.exec(statement);
    const [{ rows }] = storage.sql.exec('SELECT count(*) AS rows FROM portcullis_entries').toArray();
    return Response.json({ rows, bytes: storage.sql.databaseSize });
  }

  /** What is there after the alarm, so many seconds from now. */
  async #afterAlarm(seconds) {
    const { storage } = this.state;
    const set = await storage.getAlarm();
    await storage.deleteAlarm();
    const real = Date.now;
    Date.now = () => real() + seconds * 1000;
    try {
      await this.alarm();
    } finally {
      Date.now = real;
    }
    const keys = storage.sql.exec('SELECT key FROM portcullis_entries ORDER BY key').toArray();
    return { set, again: await storage.getAlarm(), keys: keys.map(({ key }) => key) };
  }
}

const made = new Map();
/** `connection` names one of the stores that the test has open on a database or an object. */
function storeOf({ kind, name, shards, connection }, env) {
  const id = `${kind} ${name} ${connection}`;
  if (kind === 'stub') return durableObjectStore(env.OBJECTS.get(env.OBJECTS.idFromName(name)));
  if (!made.has(id))
    made.set(id, kind === 'd1' ? d1Store(env[name]) : durableObjectStore(env.OBJECTS, { shards }));
  return made.get(id);
}

export default {
  async fetch(request, env) {
    const { at, call, of, door, raw, sql } = await request.json();
    try {
      if (door !== undefined) {
        const object = env.OBJECTS.get(env.OBJECTS.idFromName(at.name));
        return await object.fetch('https://object.invalid/door', {
          method: 'POST',
          body: JSON.stringify(door),
        });
      }
      if (raw !== undefined) {
        const object = env.OBJECTS.get(env.OBJECTS.idFromName(at.name));
        const body = JSON.stringify(raw);
        const { status } = await object.fetch('https://object.invalid/', { method: 'POST', body });
        return Response.json({ status });
      }
      if (sql !== undefined) {
        const results = await env[at.name].batch(sql.map((statement) => env[at.name].prepare(statement)));
        return Response.json(results.map(({ results, meta }) => ({ results, bytes: meta.size_after })));
      }
      const store = storeOf(at, env);
      if (call === 'rotate') return Response.json({ answer: await rotate(store, ...of) });
      return Response.json({ answer: await store[call](...of) });
    } catch (error) {
      return Response.json({ error: String(error) });
    }
  },
};
