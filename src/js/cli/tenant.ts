// A policy that asks a function which tenants are ours: this command has none, and is told instead.
import { Misuse } from './input.js';

const RESOLVER = 'resolver';

/**
 * The policy with that tenant alone where it asks for a function: `VALUE` for an issuer with one
 * hole, `NAME=VALUE` for each of several.
 * @throws Misuse for a policy that asks for none, and for a list of both.
 */
export function withTenant(policy: string, tenant: readonly string[]): string {
  const document = JSON.parse(policy) as { issuers: unknown[] };
  const asking = document.issuers.filter(asks);
  if (asking.length === 0)
    throw new Misuse('--tenant is for a policy with "tenants": "resolver"; leave it out for this one');
  const tenants = valuesOf(tenant);
  for (const issuer of asking) issuer.tenants = tenants;
  return JSON.stringify(document);
}

/** Whether a policy, which has been read before, asks for a function. */
export function asksForTenants(policy: string): boolean {
  return (JSON.parse(policy) as { issuers: unknown[] }).issuers.some(asks);
}

function asks(issuer: unknown): issuer is { tenants: unknown } {
  return (issuer as { tenants?: unknown }).tenants === RESOLVER;
}

function valuesOf(tenant: readonly string[]): string[] | Record<string, string[]> {
  const pairs = tenant.map((text) => [text.slice(0, Math.max(text.indexOf('='), 0)), text] as const);
  if (pairs.every(([name]) => name !== ''))
    return Object.fromEntries(pairs.map(([name, text]) => [name, [text.slice(name.length + 1)]]));
  const [text] = tenant;
  if (tenant.length > 1 || text === undefined)
    throw new Misuse('--tenant must be one VALUE, or one NAME=VALUE for each hole of the issuer');
  return [text];
}
