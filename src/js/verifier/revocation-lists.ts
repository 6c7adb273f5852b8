import type { ResidentJudge } from '../instance/resident-judge.js';
import { orPolicyError, PolicyError } from '../shared/errors.js';
import type { RawVerifier } from '../wasm/glue.js';
import type { RevocationUpdate, StatusUpdate } from './index.js';

type Taker = Pick<ResidentJudge<RawVerifier>, 'takesLists' | 'takeLists' | 'takeStatusList'>;

/** Hands lists of revocations to the core. */
export function listUpdate(core: Taker, documents: string, now: number): RevocationUpdate {
  return told(core, () => core.takeLists(documents, now)) as RevocationUpdate;
}

/** Hands a status list to the core. */
export function statusUpdate(core: Taker, uri: string, jwt: string, now: number): StatusUpdate {
  return told(core, () => core.takeStatusList(uri, jwt, now)) as StatusUpdate;
}

function told(core: Taker, ask: () => string): object {
  // Most modules are built without revocation.
  if (!core.takesLists)
    throw new PolicyError('/revocation', 'requires createGate or createVerifier from portcullis/gate');
  const said = JSON.parse(orPolicyError(ask)) as object;
  return { ok: !('code' in said), ...said };
}
