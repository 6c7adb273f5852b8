// The keys that a policy's issuer publishes, fetched as a gate fetches them: by the same rules,
// and from the same places.
import { ResidentGate, type Sources } from '../gate/resident.js';
import type { RemoteSource } from '../net/io.js';
import { ruleOf } from '../net/remote-keys/key-rule.js';
import { RemoteKeys } from '../net/remote-keys/remote-keys.js';
import { loadGate } from './core.js';
import { Misuse } from './input.js';

/**
 * The JWK Set of an issuer whose keys are remote by the policy; `undefined` when there is none to
 * fetch, and the policy's own keys are all.
 * @throws Misuse when it cannot be had, which says nothing of the token.
 */
export async function fetchKeys(
  policy: string,
  issuer: string,
): Promise<{ issuer: string; jwks: string } | undefined> {
  const home = await loadGate();
  if (home === undefined) throw new Misuse('this build has no gate, which fetches keys; give them by --keys');
  const gate = new ResidentGate(home, policy, undefined, true);
  const { remotes } = JSON.parse(gate.remotes()) as Sources;
  const source = remotes.find((remote) => remote.issuer === issuer);
  if (source === undefined) return undefined;
  let jwks: string | undefined;
  const keys = new RemoteKeys(
    [source],
    {
      fetch: globalThis.fetch,
      now: () => Math.floor(Date.now() / 1000),
      readMetadata: (name, text) => gate.readMetadata(name, text),
    },
    (name, text) => {
      const report = JSON.parse(gate.setRemoteKeys(name, text));
      jwks = text;
      return report;
    },
    () => {},
    ruleOf(home),
  );
  await keys.refresh(issuer, undefined, {});
  if (jwks !== undefined) return { issuer, jwks };
  const { reason = 'unknown' } = keys.trouble(issuer) ?? {};
  throw new Misuse(
    `the keys of ${issuer} cannot be fetched from ${placeOf(source)}: ${reason}. --keys takes them from a file; --offline fetches nothing`,
  );
}

function placeOf({ jwksUri, discoveryUrl }: RemoteSource): string {
  return jwksUri ?? discoveryUrl ?? 'the place that the policy names';
}
