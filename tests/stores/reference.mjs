// A stand-in for the issuer until the real one is here. DELETE.
const [WR, WC, R] = [60, 90, 2];
let sids = 0;

export function referenceIssuer(store, clock) {
  const events = [];
  const swap = async (key, version, row) =>
    store.swap(key, version, JSON.stringify(row), clock.now + 2_592_000);
  const guarded =
    (work) =>
    async (...args) => {
      try {
        for (let attempt = 0; attempt < 8; attempt++) {
          const answer = await work(...args);
          if (answer !== undefined) return answer;
        }
      } catch {}
      return { status: 503, retryAfter: true };
    };
  return {
    events,
    start: guarded(async () => {
      const sid = `r${process.pid}-${sids++}-${Math.random()}`;
      const row = { gen: 0, at: clock.now, mark: false, streak: 0, status: 'active' };
      if (!(await swap(`s/${sid}`, 0, row))) return { status: 503, retryAfter: true };
      return { status: 200, sid, token: `${sid}~0` };
    }),
    end: guarded(async (sid) => {
      const found = await store.read(`s/${sid}`);
      const row = found && JSON.parse(found.value);
      if (!row || row.status !== 'active') return { status: 200 };
      if (await swap(`s/${sid}`, found.version, { ...row, status: 'revoked' })) return { status: 200 };
    }),
    refresh: guarded(async (token) => {
      const [sid, k] = token.split('~');
      const found = await store.read(`s/${sid}`);
      if (found === null) return { status: 400, error: 'invalid_grant' };
      const row = JSON.parse(found.value);
      if (row.status !== 'active') return { status: 400, error: 'invalid_grant' };
      const d = row.gen - Number(k);
      const age = clock.now - row.at;
      if (d < 0) return { status: 503, retryAfter: true };
      let next = row;
      let give = true;
      let revoked = false;
      if (d === 0 && (row.gen === 0 || age > WC))
        next = { ...row, gen: row.gen + 1, at: clock.now, streak: row.mark ? row.streak : 0, mark: false };
      else if (d === 0) give = false;
      else if (d === 1 && age <= WR) next = { ...row, mark: true };
      else if (d === 1 && row.streak < R)
        next = { ...row, mark: true, streak: row.streak + 1, at: clock.now };
      else [next, revoked] = [{ ...row, status: 'revoked' }, true];
      if (!(await swap(`s/${sid}`, found.version, next))) return undefined;
      if (revoked) events.push({ event: 'reuse_detected' });
      if (revoked) return { status: 400, error: 'invalid_grant' };
      return { status: 200, access: true, ...(give ? { token: `${sid}~${next.gen}` } : {}) };
    }),
  };
}
