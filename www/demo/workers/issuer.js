// The issuer: sessions in a Durable Object. Where an application checks its user's credentials,
// this one takes anybody's word.
import { env } from 'cloudflare:workers';
import { createIssuer, hashClientSecret } from 'portcullis/issuer';
import { durableObjectStore } from 'portcullis/stores';

export { SessionStoreObject } from 'portcullis/stores';

const CLIENT_ID = 'demo';
const LONGEST_NAME = 64;
const MOST_SESSIONS = 100;
const MOST_EVENTS = 100;

/** What has happened, by session. It is a demonstration: this isolate's memory is good enough. */
const happened = new Map();

const issuer = createIssuer({
  config: {
    issuer: env.ISSUER,
    audience: env.AUDIENCE,
    // Short, so that one can watch; R is 0, so that a copy which comes late is theft at once. The
    // defaults are kinder to bad networks.
    sessions: {
      replayWindowSeconds: env.WINDOWS.replaySeconds,
      rotationIntervalSeconds: env.WINDOWS.rotationSeconds,
      worstDelaySeconds: 1,
      lateReplays: 0,
      accessTokenSeconds: 60,
    },
    clients: [
      {
        clientId: CLIENT_ID,
        authentication: 'none',
        grants: ['refresh_token'],
        scope: 'notes:read notes:write',
      },
      // The API's gate: whoever reads the feed could try who was signed out.
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
  store: durableObjectStore(env.SESSIONS),
  onEvent(event) {
    if (event.sid === undefined) return;
    const events = happened.get(event.sid) ?? [];
    if (happened.size >= MOST_SESSIONS && !happened.has(event.sid))
      happened.delete(happened.keys().next().value);
    happened.set(event.sid, [...events, event].slice(-MOST_EVENTS));
  },
});

export default {
  async fetch(request, _env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (!pathname.startsWith('/demo/')) return issuer.fetch(request, context);
    switch (`${request.method} ${pathname.slice('/demo'.length)}`) {
      case 'GET /config': {
        const { ISSUER, AUDIENCE, MAX_STALENESS_SECONDS, WINDOWS } = env;
        return json({
          issuer: ISSUER,
          audience: AUDIENCE,
          maxStalenessSeconds: MAX_STALENESS_SECONDS,
          windows: WINDOWS,
        });
      }
      case 'GET /events':
        return json(happened.get(searchParams.get('sid')) ?? []);
      case 'POST /sign-in': {
        const { user } = await body(request);
        if (typeof user !== 'string' || user === '' || user.length > LONGEST_NAME)
          return json({ error: 'invalid_request' }, 400);
        return json(await issuer.startSession(user, { clientId: CLIENT_ID }));
      }
      case 'POST /end-session': {
        const { sid } = await body(request);
        if (!happened.has(sid) && !/^[\w-]{22}$/.test(String(sid)))
          return json({ error: 'invalid_request' }, 400);
        await issuer.endSession(sid);
        return json({ ended: sid });
      }
      default:
        return json({ error: 'not_found' }, 404);
    }
  },
};

async function body(request) {
  // A form of another site could be sent without asking; JSON cannot.
  if (request.headers.get('content-type') !== 'application/json') return {};
  return (await request.json().catch(() => undefined)) ?? {};
}

function json(value, status = 200) {
  return Response.json(value, { status, headers: { 'cache-control': 'no-store' } });
}
