// Route tables: rules of a policy, and handlers of an app that mirror them. A rule is at its place
// by how much it says, as routers that go by a tree find it, and so the order of a policy and of
// an app is one.

/** Numbers below `n`, the same each time. */
export function random(seed) {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/**
 * What handlers may lie under. `alone`: a rule of the policy without a handler of its own, for one
 * value of a parameter.
 */
const PATTERNS = [
  { path: '/' },
  { path: '/health' },
  { path: '/admin' },
  { path: '/admin/login' },
  { path: '/admin/*' },
  { path: '/docs' },
  { path: '/docs/' },
  { path: '/docs/:page' },
  { path: '/files/public' },
  { path: '/files/:name' },
  { path: '/Users/me', alone: true },
  { path: '/Users/:id' },
  { path: '/Users/:id/posts/:post' },
  { path: '/api/:version/items/*' },
  { path: '/task/:id' },
  { path: '/a%20b/:x' },
  { path: '/caf%C3%A9' },
  { path: '/@me/*' },
  { path: '/notes', method: 'GET' },
  { path: '/notes' },
  { path: '/:any' },
];

/**
 * A table: `{ rules: [{ path, methods?, scope }], handlers: [{ path, method?, name, scope }] }`;
 * the scope `public` asks for nothing.
 */
export function tableOf(next) {
  const chosen = PATTERNS.filter(() => next(4) > 0);
  const entries = chosen.map((pattern, at) => ({
    ...pattern,
    name: `h${at}`,
    scope: next(3) === 0 ? 'public' : `s${at}`,
  }));
  entries.sort((one, other) => rank(one) - rank(other) || (one.method ? -1 : 1));
  return { entries, handlers: entries.filter(({ alone }) => !alone) };
}

/** A policy's `routes`. */
export const routesOf = ({ entries }) =>
  entries.map(({ path, method, scope }) => ({
    path,
    ...(method ? { methods: [method] } : {}),
    requirement: scope === 'public' ? 'public' : { scopes: [scope] },
  }));

/** Literals before names, names before wildcards, in each segment. */
function rank({ path }) {
  const weight = (segment) => (segment === '*' ? 3 : segment.startsWith(':') ? 2 : 1);
  return path
    .split('/')
    .slice(1, 5)
    .reduce((sum, segment, at) => sum + weight(segment) * 4 ** (4 - at), 0);
}

/**
 * What has to have been brought to a handler that was given these parameters: what the policy asks
 * for under its pattern, and for the very path that leads to it. A rule without a handler speaks
 * for its path alone.
 */
export function scopesOf({ entries }, handler, params, method) {
  const segments = handler.path.split('/').map((segment) => {
    if (segment === '*') return params['*'] ?? '';
    return segment.startsWith(':') ? encodeURIComponent(params[segment.slice(1)] ?? '') : segment;
  });
  const exact = ruleOf(entries, segments.join('/'), method);
  const scopes = exact?.alone ? [exact.scope] : [handler.scope, exact?.scope ?? 'rest'];
  return scopes.filter((scope) => scope !== 'public');
}

/** What has to have been brought where no handler was found for a path. */
export function scopesOfRest({ entries }, path, method) {
  const { scope } = ruleOf(entries, path, method) ?? { scope: 'rest' };
  return scope === 'public' ? [] : [scope];
}

function ruleOf(entries, path, method) {
  return entries.find((entry) => covers(entry, path, method));
}

function covers({ path, method: own }, asked, method) {
  if (own !== undefined && own !== method && !(own === 'GET' && method === 'HEAD')) return false;
  const source = path
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/:\w+/g, '[^/]+');
  return new RegExp(`^${source}$`).test(asked);
}
