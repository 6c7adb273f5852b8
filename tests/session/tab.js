// What runs in a tab of the tests: a session, and the commands of the test, which it asks for by
// long polls.
const query = new URLSearchParams(location.search);
const tab = query.get('tab');
const setting = (name) => (query.has(name) ? Number(query.get(name)) : undefined);

// The device's clock, wrong from before the library reads it.
let wrongBy = setting('wrongBy') ?? 0;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length > 0 ? given : [RealDate.now() + wrongBy]));
  }
  static now() {
    return RealDate.now() + wrongBy;
  }
};
if (query.has('withoutLocks')) Object.defineProperty(navigator, 'locks', { value: undefined });
if (query.has('withoutChannel')) globalThis.BroadcastChannel = undefined;

const { createSession, tokenEndpoint, revocationEndpoint, sharedStorage, inspect } = await import(
  '/portcullis/session/index.js'
);

const post = (path, value) => fetch(path, { method: 'POST', body: JSON.stringify(value) });
const tokens = async () => (await post('/start')).json();
const endpoint = tokenEndpoint('/token', { clientId: 'app' });
let afterSending;
const options = {
  refresh(refreshToken, signal) {
    const answer = endpoint(refreshToken, signal);
    afterSending?.();
    return answer;
  },
  revoke: revocationEndpoint('/revoke', { clientId: 'app' }),
  inspect,
  ...(query.has('local') && { storage: sharedStorage() }),
  ...(query.has('attemptMs') && { attemptMs: setting('attemptMs') }),
  ...(query.has('holdMs') && { holdMs: setting('holdMs') }),
  ...(query.has('requestsAMinute') && { requestsAMinute: setting('requestsAMinute') }),
};
const session = createSession(options);

const block = (ms) => {
  for (const end = performance.now() + ms; performance.now() < end; );
};
const commands = {
  start: async () => session.start(await tokens()),
  async call() {
    const response = await session.fetch('/api/notes');
    return { status: response.status, ...(await response.json()) };
  },
  /** Falls asleep with a request under way: nothing of this page runs for a while. */
  async callAsleep({ ms }) {
    afterSending = () => {
      afterSending = undefined;
      setTimeout(() => block(ms), 30);
    };
    return commands.call();
  },
  block: ({ ms }) => block(ms),
  jump({ ms }) {
    wrongBy += ms;
  },
  token: () => session.accessToken().catch(({ code }) => ({ code })),
  signOut: () => session.signOut(),
  snapshot: () => session.snapshot(),
  clock: () => ({ ...session.clock.now(), device: Date.now() / 1000 }),
};

for (;;) {
  const command = await (await fetch(`/next?tab=${tab}`)).json();
  if (command.name === undefined) continue;
  if (command.name === 'end') break;
  // Commands run beside each other.
  Promise.resolve()
    .then(() => commands[command.name](command))
    .then(
      (result) => post('/done', { id: command.id, result: result ?? null }),
      (error) => post('/done', { id: command.id, threw: String(error) }),
    );
}
