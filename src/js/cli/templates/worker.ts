import { type Files, type Filling, json, manifest, policy, TOKEN } from './common.js';

/** Apart, since it is a file of the project and none of ours. */
const POLICY = './policy.json';

const INDEX = `// A Cloudflare Worker whose requests pass a gate first. policy.json says what each path requires.
import { createGate } from 'portcullis/gate';
import policy from '${POLICY}';

// \`explain\` prints why a request was refused. Leave it out in production.
const gate = createGate(policy, { explain: true });

export default {
  fetch: gate.protect(
    (_request, { claims }) => new Response(\`Hello, \${claims?.sub ?? 'whoever you are'}\\n\`),
  ),
};
`;

const README = `# A gate in a Cloudflare Worker

\`\`\`sh
npm install
npm run dev
curl -i http://localhost:8787/notes
curl -i http://localhost:8787/notes -H "Authorization: Bearer $(npm run --silent token)"
\`\`\`

The first answer is 401, the second one \`Hello, alice\`. Before you deploy, add the Worker's own origin
to \`gate.origins\` in policy.json: \`https://my-worker.example\`.
`;

export function workerProject({ version, signingKey, jwks }: Filling): Files {
  const scripts = {
    dev: 'wrangler dev',
    deploy: 'wrangler deploy',
    token: 'node token.mjs',
    check: 'portcullis check policy.json',
  };
  return {
    'package.json': manifest('my-worker', version, scripts, { wrangler: '^4.0.0' }),
    'wrangler.json': json({ name: 'my-worker', main: 'index.mjs', compatibility_date: '2026-01-01' }),
    'policy.json': policy(jwks, ['http://127.0.0.1:*', 'http://localhost:*']),
    'index.mjs': INDEX,
    'token.mjs': TOKEN,
    'signing-key.jwk': json(signingKey),
    '.gitignore': 'node_modules\n.wrangler\nsigning-key.jwk\n',
    'README.md': README,
  };
}
