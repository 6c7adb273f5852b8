// The replay stores where they are meant to run.

import {
  durableObjectReplayStore,
  DpopReplayObject as Published,
} from '../../dist/gate/replay/durable-object.js';
import { kvReplayStore } from '../../dist/gate/replay/kv.js';

/** As published, with a door for the test. */
export class DpopReplayObject extends Published {
  constructor(state, env) {
    super(state, env);
    this.storage = state.storage;
  }

  async fetch(request) {
    if (!request.url.endsWith('/sweep')) return super.fetch(request);
    const { seconds } = await request.json();
    const alarm = await this.storage.getAlarm();
    const real = Date.now;
    Date.now = () => real() + seconds * 1000;
    try {
      await this.alarm();
    } finally {
      Date.now = real;
    }
    const keys = this.storage.sql
      .exec('SELECT key FROM proofs')
      .toArray()
      .map(({ key }) => key);
    return Response.json({ alarm, keys });
  }
}

let kv;

export default {
  async fetch(request, env) {
    const { kind, key, until, sweep, raw, body } = await request.json();
    const object = () => env.PROOFS.get(env.PROOFS.idFromName('portcullis-dpop-0'));
    const post = (path, body) =>
      object().fetch(`https://object.invalid/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (sweep !== undefined) return post('sweep', { seconds: sweep });
    if (body !== undefined) return post('', body);
    if (raw !== undefined) return Response.json({ status: (await post('', raw)).status });
    kv ??= kvReplayStore(env.KV);
    const stores = {
      kv,
      object: durableObjectReplayStore(env.PROOFS),
      objects: durableObjectReplayStore(env.PROOFS, { shards: 4 }),
    };
    try {
      return Response.json({ first: await stores[kind].firstUse(key, until) });
    } catch (error) {
      return Response.json({ error: String(error) });
    }
  },
};
