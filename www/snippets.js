// A policy as what it goes into: a file, a Worker, Hono, Express.

const FILE = 'policy.json';
const IMPORT = `import policy from './${FILE}' with { type: 'json' };`;

export const SNIPPETS = {
  file: {
    label: 'A file',
    about: `Save it as ${FILE}; the schema gives every editor completion.`,
    code: (policy) => withSchema(policy),
  },
  worker: {
    label: 'Worker',
    about: 'A Worker in front of your origin; also for Deno, Bun and Vercel.',
    code: () => `import { createGate } from 'portcullis/gate';
${IMPORT}

const gate = createGate(policy);

export default {
  fetch: gate.protect((request, { claims }) => new Response(\`Hello, \${claims.sub}\`)),
};
`,
  },
  hono: {
    label: 'Hono',
    about: 'Middleware; the claims are in c.var.jwtPayload.',
    code: () => `import { Hono } from 'hono';
import { createGate } from 'portcullis/gate';
import { guard } from 'portcullis/hono';
${IMPORT}

const app = new Hono();
app.use('/notes', guard(createGate(policy)));
app.get('/notes', (c) => c.text(\`Hello, \${c.var.jwtPayload.sub}\`));

export default app;
`,
  },
  express: {
    label: 'Express',
    about: 'Middleware; the claims are in req.auth.',
    code: () => `import express from 'express';
import { guard } from 'portcullis/express';
import { createGate } from 'portcullis/gate';
${IMPORT}

const app = express();
app.use('/notes', guard(createGate(policy)));
app.get('/notes', (req, res) => res.send(\`Hello, \${req.auth.claims.sub}\`));

app.listen(3000);
`,
  },
};

function withSchema(text) {
  try {
    const policy = JSON.parse(text);
    const $schema = './node_modules/portcullis/dist/policy.schema.json';
    return `${JSON.stringify({ $schema, ...policy }, null, 2)}\n`;
  } catch {
    return text;
  }
}
