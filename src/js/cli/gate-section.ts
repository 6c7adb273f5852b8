// What `check` shows of a policy's section "gate", which the core has read: routes, and what
// reaches the origin.
import type { GatePolicy, Requirement } from '../gate/policy.js';

/** What is shown of it. */
export type ShownGate = Pick<GatePolicy, 'requirement' | 'routes' | 'forward' | 'proxies'>;

/** The members that are shown, those that are there. */
export function shownGate({ requirement, routes, forward, proxies }: GatePolicy): ShownGate {
  const members = { requirement, routes, forward, proxies };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as ShownGate;
}

/** Methods, path and requirement of each route, the first one first, and what holds elsewhere. */
export function routeRows({ routes = [], requirement }: ShownGate): string[][] {
  return [
    ...routes.map((route) => [
      route.methods?.join(',') ?? 'any method',
      route.path,
      route.requirement === 'public' ? 'public: no token' : wordsOf(route.requirement),
    ]),
    ['any method', routes.length > 0 ? 'every other path' : 'every path', wordsOf(requirement ?? {})],
  ];
}

/** What of a token reaches the origin, and whose word about the client is taken. */
export function forwardRows({ forward, proxies }: ShownGate): string[][] {
  const claims = Object.entries(forward?.claims ?? {});
  return [
    ...claims.map(([claim, header]) => [`claim ${claim}`, `in the header ${header}`]),
    ['the token', forward?.token === 'keep' ? 'kept' : 'removed'],
    ...(proxies === undefined
      ? []
      : [['proxies', `${proxies.trusted.join(', ')} by ${proxyHeaders(proxies).join(', ')}`]]),
  ];
}

function proxyHeaders({ header, host, prefix }: NonNullable<GatePolicy['proxies']>): string[] {
  const address = header ?? 'x-forwarded-for';
  return [address, ...(host ? ['x-forwarded-host'] : []), ...(prefix ? ['x-forwarded-prefix'] : [])];
}

/** A requirement in a line: `scopes notes:write; binding dpop`. */
function wordsOf(requirement: Requirement): string {
  const words = Object.entries(requirement).flatMap(([name, value]) => {
    if (name === 'claims') return (value as NonNullable<Requirement['claims']>).map(claimOf);
    if (value === false) return [];
    return [value === true ? name : `${name} ${[value].flat().join(' ')}`];
  });
  return words.length === 0 ? 'a token' : words.join('; ');
}

function claimOf({ path, allOf, anyOf }: NonNullable<Requirement['claims']>[number]): string {
  const values = [
    ...(allOf === undefined ? [] : [`all of ${allOf.join(', ')}`]),
    ...(anyOf === undefined ? [] : [`any of ${anyOf.join(', ')}`]),
  ];
  return `claim ${path.join('.')} ${values.join(' and ')}`.trimEnd();
}
