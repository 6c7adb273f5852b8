import type { Instance } from '../../instance/instance.js';
import { ask } from '../../instance/resident.js';
import type { KeyRule } from './freshness.js';

/** The rule about when keys are fetched anew, in whichever instance runs. */
export function ruleOf(home: Instance<KeyRule & Instance['glue']>): KeyRule {
  return {
    keyLifetime: (cacheControl, age) => ask(home, () => home.glue.keyLifetime(cacheControl, age)),
    keyPlan: (question) => ask(home, () => home.glue.keyPlan(question)),
  };
}
