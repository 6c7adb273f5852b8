import { type Files, type Filling, json, manifest, policy, TOKEN } from './common.js';

const SERVER = `// An HTTP server whose requests pass a gate first. policy.json says what each path requires.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createGate } from 'portcullis/gate';

const policy = JSON.parse(readFileSync(new URL('policy.json', import.meta.url), 'utf8'));
// \`explain\` prints why a request was refused. Leave it out in production.
const gate = createGate(policy, { explain: true });

const server = createServer(async (request, response) => {
  const headers = new Headers();
  // Each copy of a header: of two Authorization lines the gate has to see both.
  for (const [name, values = []] of Object.entries(request.headersDistinct))
    for (const value of values) headers.append(name, value);
  const facts = {
    method: request.method ?? '',
    url: \`http://\${request.headers.host}\${request.url}\`,
    target: request.url ?? '',
    headers,
  };
  const context = { clientAddress: request.socket.remoteAddress };
  const decision = await gate.check(facts, undefined, context);
  if (!decision.ok) {
    response.writeHead(decision.response.status, Object.fromEntries(decision.response.headers));
    response.end(await decision.response.text());
    return;
  }
  response.end(\`Hello, \${decision.claims?.sub ?? 'whoever you are'}\\n\`);
});

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
await once(server, 'listening');
console.log(\`http://127.0.0.1:\${server.address().port}\`);
`;

const README = `# A gate in front of a Node server

\`\`\`sh
npm install
npm start
curl -i http://127.0.0.1:3000/notes
curl -i http://127.0.0.1:3000/notes -H "Authorization: Bearer $(npm run --silent token)"
\`\`\`

The first answer is 401, the second one \`Hello, alice\`. \`npm run check\` shows what policy.json trusts
and requires.
`;

export function gateProject({ version, signingKey, jwks }: Filling): Files {
  const scripts = {
    start: 'node server.mjs',
    token: 'node token.mjs',
    check: 'portcullis check policy.json',
  };
  return {
    'package.json': manifest('my-gate', version, scripts),
    'policy.json': policy(jwks, ['http://127.0.0.1:*', 'http://localhost:*']),
    'server.mjs': SERVER,
    'token.mjs': TOKEN,
    'signing-key.jwk': json(signingKey),
    '.gitignore': 'node_modules\nsigning-key.jwk\n',
    'README.md': README,
  };
}
