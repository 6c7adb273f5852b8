// The worker under load: one app by Hono, gated by what its binding says. Everything else about it
// is the same.
import { env } from 'cloudflare:workers';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { jwk } from 'hono/jwk';
import { importJWK, jwtVerify } from 'jose';
import { createGate } from 'portcullis/gate';
import { guard } from 'portcullis/hono';

const { ISSUER, AUDIENCE, ALG, JWK } = env.POLICY;

const GATES = {
  portcullis: () =>
    guard(
      createGate({
        issuers: [{ issuer: ISSUER, audience: AUDIENCE, types: ['JWT'], jwks: { keys: [JWK] } }],
        gate: { origins: ['http://127.0.0.1:*'] },
      }),
    ),
  'hono/jwk': () => jwk({ keys: [JWK], alg: [ALG], verification: { iss: ISSUER, aud: AUDIENCE } }),
  jose: () => {
    const options = {
      issuer: ISSUER,
      audience: AUDIENCE,
      algorithms: [ALG],
      typ: 'JWT',
      requiredClaims: ['exp'],
    };
    let key;
    return async (c, next) => {
      const [scheme, token, more] = (c.req.header('authorization') ?? '').split(' ');
      try {
        if (!/^bearer$/i.test(scheme) || more !== undefined) throw new Error('no bearer token');
        key ??= await importJWK(JWK, ALG);
        const { payload } = await jwtVerify(token, key, options);
        c.set('jwtPayload', payload);
      } catch {
        throw new HTTPException(401, { message: 'Unauthorized' });
      }
      await next();
    };
  },
};

GATES['no gate'] = () => async (c, next) => {
  c.set('jwtPayload', { sub: 'anybody' });
  await next();
};

const app = new Hono();
app.use('*', GATES[env.GATE]());
app.get('/', (c) => c.text(c.get('jwtPayload').sub));

export default app;
