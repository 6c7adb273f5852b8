// A store over another one, which goes wrong at every Nth call in one way. `heal(true)` ends it.

/** What can go wrong. `call` carries the call out. */
const FAULTS = {
  /** The connection broke on the way there. */
  'error before': async () => {
    throw new Error('injected: before');
  },
  /** It was carried out, and the connection broke on the way back. */
  'error after commit': async ({ call }) => {
    await call();
    throw new Error('injected: after');
  },
  /** Its caller waited for too long. It is carried out later, before the next call. */
  'timeout, carried out before the next call': async ({ call, late }) => {
    late.before.push(call);
    throw new DOMException('injected: too late', 'TimeoutError');
  },
  /** The same, after the next call. */
  'timeout, carried out after the next call': async ({ call, late }) => {
    late.after.push(call);
    throw new DOMException('injected: too late', 'TimeoutError');
  },
  /** A client or a proxy sent it twice, and what the second came to is the answer. */
  duplicate: async ({ call }) => {
    await call();
    return call();
  },
  /**
   * A replica answered: as it was before the last write, or before there was anything. A swap is
   * not served by replicas.
   */
  'stale read': async ({ op, key, history, call }) =>
    replica(op, key, (one) => history.get(one)?.at(-2) ?? null) ?? call(),
  /** A replica that has stopped long ago. */
  'very stale read': async ({ op, key, history, call }) =>
    replica(op, key, (one) => history.get(one)?.[0] ?? null) ?? call(),
};

/** What a replica answers, as a promise; nothing when it is not asked. */
function replica(op, key, versionOf) {
  if (op === 'read') return Promise.resolve(versionOf(key));
  return op === 'readMany' ? Promise.resolve(key.map(versionOf)) : undefined;
}

export const kinds = Object.keys(FAULTS);

/** @param many whether it reads many rows in one call, where the store does. */
export function faultyStore(store, kind, every, { many = false } = {}) {
  const fault = FAULTS[kind];
  const late = { before: [], after: [] };
  const history = new Map();
  let calls = 0;
  let healthy = false;
  let injected = 0;
  const through =
    (op) =>
    async (key, ...rest) => {
      const call = async () => {
        const answer = await store[op](key, ...rest);
        if (op === 'swap' && answer === true) {
          const versions = history.get(key) ?? [];
          history.set(key, [...versions, { version: rest[0] + 1, value: rest[1] }]);
        }
        return answer;
      };
      for (const one of late.before.splice(0)) await one();
      const after = late.after.splice(0);
      try {
        calls += 1;
        if (healthy || calls % every !== 0) return await call();
        injected += 1;
        return await fault({ call, op, key, history, late });
      } finally {
        for (const one of after) await one();
      }
    };
  return {
    read: through('read'),
    ...(many && store.readMany && { readMany: through('readMany') }),
    swap: through('swap'),
    sweep: through('sweep'),
    heal(on) {
      healthy = on;
    },
    get injected() {
      return injected;
    },
  };
}
