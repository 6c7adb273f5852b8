// The issuer in workerd as an issuer of issuer.mjs.
import { generateSigningKey } from '../../../dist/entry/issuer-default.js';
import { startWorkerd } from '../engines/workerd.mjs';
import { newSecrets } from '../issuer.mjs';

export async function startIssuer() {
  const bindings = { SECRETS: newSecrets(generateSigningKey) };
  const worker = await startWorkerd('tabs/worker.mjs', { bindings });
  const ask =
    (over, clock, call) =>
    async (...of) =>
      (await worker.ask({ now: clock.now, over, call, of })).answer;
  return {
    over: (store, clock) => ({
      start: ask(store, clock, 'start'),
      refresh: ask(store, clock, 'refresh'),
      end: ask(store, clock, 'end'),
    }),
    stop: () => worker.stop(),
  };
}
