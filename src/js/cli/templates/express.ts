import { apiPolicy, type Files, type Filling, json, manifest, TOKEN } from './common.js';

const SERVER = `// An API with Express, whose routes a gate guards. policy.json says whose tokens count.
import { readFileSync } from 'node:fs';
import express from 'express';
import { guard } from 'portcullis/express';
import { createGate } from 'portcullis/gate';

const policy = JSON.parse(readFileSync(new URL('policy.json', import.meta.url), 'utf8'));
// \`explain\` prints why a request was refused. Leave it out in production.
const gate = createGate(policy, { explain: true });

const app = express();
app.get('/health', (_req, res) => res.send('ok\\n'));
app.use('/notes', guard(gate, { scopes: ['notes:read'] }));
app.get('/notes', (req, res) => res.type('text').send(\`Hello, \${req.auth.claims.sub}\\n\`));

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(\`http://127.0.0.1:\${server.address().port}\`);
});
`;

const README = `# Node with Express

\`\`\`sh
npm install
npm start
curl -i http://127.0.0.1:3000/notes
curl -i http://127.0.0.1:3000/notes -H "Authorization: Bearer $(npm run --silent token)"
\`\`\`

The first answer is 401, the second one \`Hello, alice\`. \`npm run check\` shows what policy.json trusts.
Before you deploy, add the origin that clients use to \`gate.origins\`, and the proxy before Node to
\`gate.proxies\`.
`;

export function expressProject({ version, signingKey, jwks }: Filling): Files {
  const scripts = {
    start: 'node server.mjs',
    token: 'node token.mjs',
    check: 'portcullis check policy.json',
  };
  return {
    'package.json': manifest('my-express', version, scripts, undefined, { express: '^5.0.0' }),
    'policy.json': apiPolicy(jwks),
    'server.mjs': SERVER,
    'token.mjs': TOKEN,
    'signing-key.jwk': json(signingKey),
    '.gitignore': 'node_modules\nsigning-key.jwk\n',
    'README.md': README,
  };
}
