// The issuer in workerd, over a real Durable Object or over D1, at the time that each request
// names.
import { createIssuer } from '../../../dist/entry/issuer-workerd.js';
import { d1Store, durableObjectStore, SessionStoreObject } from '../../../dist/stores/index.js';
import { issuerOver } from '../issuer.mjs';

export { SessionStoreObject };

const clock = { now: 0 };
const issuers = new Map();

export default {
  async fetch(request, env) {
    const { now, over, call, of } = await request.json();
    clock.now = now;
    if (!issuers.has(over)) {
      const store = over === 'D1' ? d1Store(env.MAIN) : durableObjectStore(env.OBJECTS);
      issuers.set(over, issuerOver(createIssuer, env.SECRETS, store, clock));
    }
    try {
      return Response.json({ answer: await issuers.get(over)[call](...of) });
    } catch (error) {
      return Response.json({ error: String(error?.stack ?? error) });
    }
  },
};
