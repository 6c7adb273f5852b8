// The core's word about an issuer's metadata: by a gate whose policy names these private hosts.
import { createGate } from 'portcullis/gate';

import { readMetadata as read } from '../../dist/net/remote-keys/discovery.js';
import { RawGate } from '../../dist/wasm/portcullis_gate_bg.js';

/** The core's function, as `Io` has it. */
export function coreWith(privateHosts) {
  const policy = {
    issuers: [{ issuer: 'https://issuer.example', audience: 'x', remote: { discovery: 'oidc' } }],
    gate: { ...(privateHosts && { privateHosts }) },
  };
  // It also loads the module.
  createGate(policy);
  const core = new RawGate(JSON.stringify(policy), undefined);
  return (issuer, text) => core.readMetadata(issuer, text);
}

const core = coreWith();

export const readMetadata = (text, issuer, readMetadata = core) => read({ readMetadata }, issuer, text);
