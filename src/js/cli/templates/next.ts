import { apiPolicy, type Files, type Filling, json, manifest, TOKEN } from './common.js';

/** Apart, since it is a file of the project and none of ours. */
const POLICY = './policy.json';

const PROXY = `// Every request of /api passes a gate first. policy.json says whose tokens count.
import { NextResponse } from 'next/server';
import { createGate } from 'portcullis/gate';
import { guard } from 'portcullis/next';
import policy from '${POLICY}';

// \`explain\` prints why a request was refused. Leave it out in production.
const gate = createGate(policy, { explain: true });

export const proxy = guard(gate, NextResponse, { scopes: ['notes:read'] });

export const config = { matcher: ['/api/notes'] };
`;

const ROUTE = `// The gate writes x-user, and removes what a client writes there.
export const GET = (request) => new Response(\`Hello, \${request.headers.get('x-user')}\\n\`);
`;

const CONFIG = `import { rscRedirect } from 'portcullis/next';

// Next's .rsc addresses would pass the gate.
export default { redirects: async () => [rscRedirect] };
`;

const PAGE = `export default function Page() {
  return <h1>The API is at /api/notes</h1>;
}
`;

const LAYOUT = `export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
`;

const README = `# Next

\`\`\`sh
npm install
npm run dev
curl -i http://localhost:3000/api/notes
curl -i http://localhost:3000/api/notes -H "Authorization: Bearer $(npm run --silent token)"
\`\`\`

The first answer is 401, the second one \`Hello, alice\`. Before you deploy, add the origin that clients
use to \`gate.origins\` in policy.json.
`;

export function nextProject({ version, signingKey, jwks }: Filling): Files {
  const scripts = {
    dev: 'next dev',
    build: 'next build',
    start: 'next start',
    token: 'node token.mjs',
    check: 'portcullis check policy.json',
  };
  const needed = { next: '^16.0.0', react: '^19.0.0', 'react-dom': '^19.0.0' };
  return {
    'package.json': manifest('my-next', version, scripts, undefined, needed),
    'next.config.mjs': CONFIG,
    'proxy.js': PROXY,
    'policy.json': apiPolicy(jwks, { forward: { claims: { sub: 'x-user' } } }),
    'app/layout.jsx': LAYOUT,
    'app/page.jsx': PAGE,
    'app/api/notes/route.js': ROUTE,
    'token.mjs': TOKEN,
    'signing-key.jwk': json(signingKey),
    '.gitignore': 'node_modules\n.next\nsigning-key.jwk\n',
    'README.md': README,
  };
}
