import { type Files, json, manifest } from './common.js';
import type { IssuerFilling } from './issuer.js';
import { createIssuerCall, PASSWORD, SIGN_IN, trial } from './issuer-parts.js';

const INDEX = `// An authorization server in a Worker that keeps its sessions in Durable Objects.
import { createIssuer } from 'portcullis/issuer';
import { durableObjectStore } from 'portcullis/stores';

export { SessionStoreObject } from 'portcullis/stores';

let secrets;
let issuer;

export default {
  async fetch(request, env, context) {
    // A Worker learns its secrets and bindings with its first request.
    secrets ??= JSON.parse(env.SECRETS);
    issuer ??= create(env);
    const isSignIn = request.method === 'POST' && new URL(request.url).pathname === '/sign-in';
    if (isSignIn) return signIn(request).catch(() => new Response('try again\\n', { status: 503 }));
    return issuer.fetch(request, context);
  },
};

function create(env) {
  const url = env.ISSUER;
  return ${createIssuerCall('durableObjectStore(env.SESSIONS)', '  ')}
}

${SIGN_IN}`;

const README = `# An authorization server on Workers and Durable Objects

\`\`\`sh
npm install
npm run dev
\`\`\`

Then, in another terminal:

${trial('http://localhost:8788')}

Before you deploy, write the Worker's own https URL into \`ISSUER\` of wrangler.json, and hand the
secrets over: \`npx wrangler secret put SECRETS < secrets.json\`. .dev.vars has them for \`npm run dev\`.
Both files were made for this project alone. Keep them out of version control.
`;

export function issuerDurableObjectsProject(filling: IssuerFilling): Files {
  const { version, signingKey, feedKey, rootKey, clientSecret } = filling;
  const secrets = { signingKey, feedKey, rootKey, password: clientSecret };
  const scripts = {
    dev: 'wrangler dev --port 8788',
    deploy: 'wrangler deploy',
    password: 'node password.mjs',
  };
  return {
    'package.json': manifest('my-issuer', version, scripts, { wrangler: '^4.0.0' }),
    'wrangler.json': json({
      name: 'my-issuer',
      main: 'index.mjs',
      compatibility_date: '2026-01-01',
      vars: { ISSUER: 'http://localhost:8788' },
      durable_objects: { bindings: [{ name: 'SESSIONS', class_name: 'SessionStoreObject' }] },
      migrations: [{ tag: 'v1', new_sqlite_classes: ['SessionStoreObject'] }],
    }),
    'index.mjs': INDEX,
    'password.mjs': PASSWORD,
    'secrets.json': json(secrets),
    '.dev.vars': `SECRETS='${JSON.stringify(secrets)}'\n`,
    '.gitignore': 'node_modules\n.wrangler\n.dev.vars\nsecrets.json\n',
    'README.md': README,
  };
}
