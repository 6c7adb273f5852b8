// A table in workerd: an app by Hono, or the plain gate before the runtime's own URLPattern.
import { env } from 'cloudflare:workers';
import { createGate } from 'portcullis/gate';

import { honoApp, REST, SERVED, told } from './hono-app.mjs';

const gate = createGate(env.POLICY);

function byPattern({ handlers }) {
  const routes = handlers.map((handler) => ({
    ...handler,
    pattern: new URLPattern({ pathname: handler.path }),
  }));
  const answer = (name, params) => new Response('', { headers: { [SERVED]: told(name, params) } });
  const fetch = gate.protect((request) => {
    for (const { pattern, method, name } of routes) {
      const found = pattern.exec(request.url);
      if (found === null || (method !== undefined && method !== request.method && request.method !== 'HEAD'))
        continue;
      const { 0: rest, ...params } = found.pathname.groups;
      const decoded = Object.entries(params).map(([key, value]) => [key, decodeURIComponent(value)]);
      return answer(name, { ...Object.fromEntries(decoded), '*': rest });
    }
    return answer(REST, { path: new URL(request.url).pathname });
  });
  return { fetch };
}

export default env.KIND === 'hono' ? honoApp(gate, env.TABLE, env.LAX) : byPattern(env.TABLE);
