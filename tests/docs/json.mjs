// JSON blocks: what is a policy, or a part of one that can be told, is read by the policy reader.
import { createGate, PolicyError } from 'portcullis/gate';

const ISSUER = {
  issuer: 'https://issuer.example',
  audience: 'https://api.example',
  remote: { discovery: 'oidc' },
};

/** What is wrong with a JSON text; what it is about is told by its members. */
export async function jsonProblems(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return [`expected JSON: ${error.message}`];
  }
  const policy = policyOf(value);
  if (policy === undefined) return [];
  try {
    createGate(policy, {
      nonceSecret: new Uint8Array(32).fill(1),
      introspection: Object.fromEntries(
        policy.issuers
          .filter(({ issuer, introspection }) => issuer !== undefined && introspection !== undefined)
          .map(({ issuer }) => [issuer, { clientSecret: 'a secret of enough characters' }]),
      ),
      ...(policy.revocation?.clientId && { revocation: { clientSecret: 'a secret of enough characters' } }),
    });
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return [`the policy is refused: ${error.message}`];
    throw error;
  }
}

/** The policy that a document is, or is a part of; undefined for what is none. */
function policyOf(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (Array.isArray(value.issuers)) return value;
  if (value.gate !== undefined || value.revocation !== undefined) return { issuers: [ISSUER], ...value };
  if (typeof value.preset === 'string' || (value.issuer !== undefined && value.audience !== undefined))
    return { issuers: [value] };
  return undefined;
}
