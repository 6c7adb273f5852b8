import { hashClientSecret } from 'portcullis/issuer';

/** What both workers of the issuer go by. */
export const optionsOf = (env, store) => ({
  config: {
    issuer: env.ISSUER,
    audience: env.AUDIENCE,
    clients: [
      { clientId: 'page', authentication: 'none', grants: ['refresh_token'], scope: 'read' },
      {
        clientId: 'edge',
        authentication: 'client_secret_basic',
        secretHash: hashClientSecret(env.EDGE_SECRET),
        feed: true,
      },
    ],
  },
  signingKeys: [{ jwk: env.SIGNING_KEY }],
  rootKeys: [{ secret: { base64url: env.ROOT_SECRET } }],
  feedKey: env.FEED_KEY,
  store,
});
