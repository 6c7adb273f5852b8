import { AUDIENCE, type Files, type Filling, json, manifest } from './common.js';

/** What an issuer needs besides. */
export interface IssuerFilling extends Filling {
  /** A private key for the feed of revocations, a JWK. */
  feedKey: object;
  /** 32 random bytes, their encoding spelled out. */
  rootKey: object;
  /** A confidential client's. */
  clientSecret: string;
}

const SERVER = `// An authorization server on this machine. Its clients are below, its secrets in secrets.json.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { createIssuer, hashClientSecret } from 'portcullis/issuer';
import { memoryStore } from 'portcullis/stores';

const secrets = JSON.parse(readFileSync(new URL('secrets.json', import.meta.url), 'utf8'));

const server = createServer(async (request, response) => {
  const answer = await issuer.fetch(toRequest(request), { clientAddress: request.socket.remoteAddress });
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(Buffer.from(await answer.arrayBuffer()));
});

server.listen(Number(process.env.PORT ?? 8788), '127.0.0.1');
await once(server, 'listening');
const url = \`http://127.0.0.1:\${server.address().port}\`;

const issuer = createIssuer({
  config: {
    issuer: url,
    audience: '${AUDIENCE}',
    clients: [
      {
        clientId: 'service',
        authentication: 'client_secret_basic',
        secretHash: hashClientSecret(secrets.clientSecret),
        grants: ['client_credentials'],
        scope: 'notes:read',
      },
      // For pages: issuer.startSession(user, { clientId: 'app' }), once you have checked who it is.
      { clientId: 'app', authentication: 'none', grants: ['refresh_token'], scope: 'notes:read' },
    ],
  },
  signingKeys: [{ jwk: secrets.signingKey }],
  rootKeys: [{ secret: secrets.rootKey }],
  feedKey: secrets.feedKey,
  // Its sessions end with this process: take another one of portcullis/stores for real ones.
  store: memoryStore(),
  onEvent: ({ kind, cause }) => console.error(kind, cause?.message ?? ''),
});
console.log(url);

function toRequest(request) {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(request.headersDistinct))
    for (const value of values) headers.append(name, value);
  const { method } = request;
  const body = method === 'GET' || method === 'HEAD' ? undefined : Readable.toWeb(request);
  return new Request(new URL(request.url, url), { method, headers, body, duplex: 'half' });
}
`;

const SECRET = `// Prints the client's secret: npm run --silent secret
import { readFileSync } from 'node:fs';

console.log(JSON.parse(readFileSync(new URL('secrets.json', import.meta.url), 'utf8')).clientSecret);
`;

const README = `# An authorization server

\`\`\`sh
npm install
npm start
curl -i http://127.0.0.1:8788/token -u service:wrong -d grant_type=client_credentials
curl -i http://127.0.0.1:8788/token -u "service:$(npm run --silent secret)" -d grant_type=client_credentials
\`\`\`

The first answer is 401 \`invalid_client\`, the second one has an access token. A gate trusts this issuer
by \`"remote": { "discovery": "oauth" }\` in its policy.

secrets.json was made for this project alone. Keep it out of version control.
`;

export function issuerProject(filling: IssuerFilling): Files {
  const { version, signingKey, feedKey, rootKey, clientSecret } = filling;
  return {
    'package.json': manifest('my-issuer', version, {
      start: 'node server.mjs',
      secret: 'node secret.mjs',
    }),
    'server.mjs': SERVER,
    'secret.mjs': SECRET,
    'secrets.json': json({ signingKey, feedKey, rootKey, clientSecret }),
    '.gitignore': 'node_modules\nsecrets.json\n',
    'README.md': README,
  };
}
