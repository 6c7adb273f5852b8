import { type Files, json, manifest } from './common.js';
import type { IssuerFilling } from './issuer.js';
import { createIssuerCall, PASSWORD, SIGN_IN, trial } from './issuer-parts.js';

const SERVER = `// An authorization server on Node that keeps its sessions in Postgres. Start it as often as you like:
// the processes share the sessions.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import pg from 'pg';
import { createIssuer } from 'portcullis/issuer';
import { postgresStore } from 'portcullis/stores';

const secrets = JSON.parse(readFileSync(new URL('secrets.json', import.meta.url), 'utf8'));
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
// A connection that breaks while nobody uses it would end the process.
pool.on('error', (error) => console.error('postgres', error.message));

const server = createServer(async (incoming, outgoing) => {
  const request = toRequest(incoming);
  const answer =
    request.method === 'POST' && new URL(request.url).pathname === '/sign-in'
      ? await signIn(request).catch(() => new Response('try again\\n', { status: 503 }))
      : await issuer.fetch(request, { clientAddress: incoming.socket.remoteAddress });
  outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
  outgoing.end(Buffer.from(await answer.arrayBuffer()));
});

server.listen(Number(process.env.PORT ?? 8788), '127.0.0.1');
await once(server, 'listening');
// Behind a proxy that ends TLS this is your public https URL.
const url = process.env.ISSUER ?? \`http://127.0.0.1:\${server.address().port}\`;

const issuer = ${createIssuerCall('postgresStore(pool)', '')}
console.log(url);

${SIGN_IN}
function toRequest(incoming) {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(incoming.headersDistinct))
    for (const value of values) headers.append(name, value);
  const { method } = incoming;
  const body = method === 'GET' || method === 'HEAD' ? undefined : Readable.toWeb(incoming);
  return new Request(new URL(incoming.url, url), { method, headers, body, duplex: 'half' });
}
`;

const README = `# An authorization server on Node and Postgres

\`\`\`sh
npm install
export DATABASE_URL=postgres://user:password@127.0.0.1:5432/issuer
npm start
\`\`\`

It makes its two tables by itself. Then, in another terminal:

${trial('http://127.0.0.1:8788')}

A gate trusts this issuer by \`"remote": { "discovery": "oauth" }\` in its policy. secrets.json was made
for this project alone. Keep it out of version control.
`;

export function issuerPostgresProject(filling: IssuerFilling): Files {
  const { version, signingKey, feedKey, rootKey, clientSecret } = filling;
  const scripts = { start: 'node server.mjs', password: 'node password.mjs' };
  return {
    'package.json': manifest('my-issuer', version, scripts, undefined, { pg: '^8.0.0' }),
    'server.mjs': SERVER,
    'password.mjs': PASSWORD,
    'secrets.json': json({ signingKey, feedKey, rootKey, password: clientSecret }),
    '.gitignore': 'node_modules\nsecrets.json\n',
    'README.md': README,
  };
}
