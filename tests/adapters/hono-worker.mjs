import { env } from 'cloudflare:workers';

import { makeApp } from './hono-app.mjs';

export default makeApp(env.POLICY);
