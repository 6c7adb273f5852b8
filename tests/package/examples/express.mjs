import express from 'express';
import { guard } from 'portcullis/express';
import { createGate } from 'portcullis/gate';
import policy from './policy.json' with { type: 'json' };

const app = express();
app.use('/notes', guard(createGate(policy), { scopes: ['notes:read'] }));
app.get('/notes', (req, res) => res.send(`Hello, ${req.auth.claims.sub}`));

app.listen(process.env.PORT ?? 3000);
