import { apiPolicy, type Files, type Filling, json, manifest, TOKEN, TYPESCRIPT } from './common.js';

/** Apart, since it is a file of the project and none of ours. */
const POLICY = './policy.json';

const INDEX = `// A Worker with Hono, whose routes a gate guards. policy.json says whose tokens count.
import { Hono } from 'hono';
import { createGate } from 'portcullis/gate';
import { guard } from 'portcullis/hono';
import policy from '${POLICY}';

// \`explain\` prints why a request was refused. Leave it out in production.
const gate = createGate(policy, { explain: true });

const app = new Hono()
  .get('/health', (c) => c.text('ok\\n'))
  .use('/notes', guard(gate, { scopes: ['notes:read'] }))
  .get('/notes', (c) => c.text(\`Hello, \${c.var.jwtPayload.sub}\\n\`));

export default app;
`;

const README = `# A Cloudflare Worker with Hono

\`\`\`sh
npm install
npm run dev
curl -i http://localhost:8787/notes
curl -i http://localhost:8787/notes -H "Authorization: Bearer $(npm run --silent token)"
\`\`\`

The first answer is 401, the second one \`Hello, alice\`. Before you deploy, add the Worker's own origin
to \`gate.origins\` in policy.json: \`https://my-worker.example\`.
`;

export function honoProject({ version, signingKey, jwks }: Filling): Files {
  const scripts = {
    dev: 'wrangler dev',
    deploy: 'wrangler deploy',
    types: 'tsc',
    token: 'node token.mjs',
    check: 'portcullis check policy.json',
  };
  const tools = { typescript: '^5.9.0', wrangler: '^4.0.0' };
  return {
    'package.json': manifest('my-worker-hono', version, scripts, tools, { hono: '^4.0.0' }),
    'wrangler.json': json({ name: 'my-worker-hono', main: 'index.ts', compatibility_date: '2026-01-01' }),
    'tsconfig.json': json({
      compilerOptions: { ...TYPESCRIPT, lib: ['ES2022', 'WebWorker'] },
      files: ['index.ts'],
    }),
    'policy.json': apiPolicy(jwks),
    'index.ts': INDEX,
    'token.mjs': TOKEN,
    'signing-key.jwk': json(signingKey),
    '.gitignore': 'node_modules\n.wrangler\nsigning-key.jwk\n',
    'README.md': README,
  };
}
