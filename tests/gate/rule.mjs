// The core's rule about when keys are fetched anew, for tests of the I/O around it.
import { inspect } from 'portcullis/gate';
import * as glue from '../../dist/wasm/portcullis_gate_bg.js';

// The module runs from its first use on.
inspect('');
export const { keyLifetime, keyPlan } = glue;
export const rule = { keyLifetime, keyPlan };
