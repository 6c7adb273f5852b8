import { createIssuer } from 'portcullis/issuer';

export const issuerOn = (store, env) =>
  createIssuer({
    config: {
      issuer: 'https://login.example',
      audience: 'https://api.example',
      clients: [{ clientId: 'app', authentication: 'none', grants: ['refresh_token'], scope: 'notes:read' }],
      cors: { origins: ['https://app.example'] },
    },
    signingKeys: [{ jwk: JSON.parse(env.SIGNING_KEY) }],
    rootKeys: [{ secret: { base64url: env.ROOT_SECRET } }],
    feedKey: JSON.parse(env.FEED_KEY),
    store,
    onEvent: ({ kind, sid }) => console.log(kind, sid),
  });

// Once you have checked your user's passkey or password: { access_token, refresh_token,
// expires_in, sid, … }
export const signIn = (issuer, user) => issuer.startSession(user, { clientId: 'app' });
