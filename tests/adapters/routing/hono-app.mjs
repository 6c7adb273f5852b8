// A table as an app by Hono, for Node and for workerd.
import { Hono } from 'hono';
import { guard } from 'portcullis/hono';

/** The header in which a handler says which it is, and what parameters it was given. */
export const SERVED = 'x-served';
export const told = (name, params) => encodeURIComponent(JSON.stringify([name, params]));
/** The name of what answers where no handler is found. */
export const REST = 'rest';

/** Routers that decode before they compare take patterns that are decoded. */
export const decoded = (path) => decodeURIComponent(path);

export function honoApp(gate, { handlers }, lax) {
  const app = new Hono({ strict: !lax });
  app.use(guard(gate));
  for (const { path, method, name } of handlers) {
    const answer = (c) =>
      c.body('', 200, { [SERVED]: told(name, withRest(c.req.param(), path, c.req.path)) });
    if (method) app.get(decoded(path), answer);
    else app.all(decoded(path), answer);
  }
  app.notFound((c) => c.body('', 200, { [SERVED]: told(REST, { path: new URL(c.req.url).pathname }) }));
  return app;
}

function withRest(params, pattern, path) {
  if (!pattern.endsWith('/*')) return params;
  const depth = pattern.split('/').length - 1;
  return { ...params, '*': path.split('/').slice(depth).map(encodeURIComponent).join('/') };
}
