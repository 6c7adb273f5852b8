// Class 47 (tokens in logs): whatever a rejection or a policy error says, it must be safe to log.
// Looked for are pieces of the token as sent, every text inside its decoded header and payload,
// and every text of a key. What the caller's own policy says may be repeated.

const SEGMENT_SAMPLE = 12;
const SHORTEST_TEXT = 8;

// Once the signature held, these three say what was found (cut at 200 characters): that is their
// whole use. A policy may name another claim for the audience.
const MAY_QUOTE = {
  'issuer-mismatch': ['iss'],
  'audience-mismatch': ['aud', 'client_id', 'azp'],
  'type-mismatch': ['typ'],
};

// A claim that is missing or malformed is named, from a closed list or by the policy or its
// preset; these are long enough to be taken for text of the token. `authenticated` is what the
// preset supabase compares with.
const REGISTERED = [
  'client_id',
  'token_use',
  'auth_time',
  'repository_owner',
  'namespace_id',
  'kubernetes.io',
  'authenticated',
];

/** Names what leaked, or undefined. */
export function leakedText(
  { token, policy, jwk, canary, requirement, evidence, now },
  { verdict, policyError },
) {
  if (verdict?.ok || (!verdict && !policyError)) return undefined;
  const said = JSON.stringify(verdict ?? policyError);
  if (canary !== undefined && said.includes(canary)) return 'the canary';
  const key = keyTexts({ policy, jwk }).find((secret) => said.includes(secret));
  if (key) return 'key material';
  if (typeof token !== 'string') return undefined;
  const { scopes = [], anyScope = [] } = requirement ?? {};
  const asked = [...scopes, ...anyScope].join(' ');
  const own = JSON.stringify([policy ?? null, requirement, asked, evidence?.check, String(now)]);
  const texts = decodedTexts(token);
  const quotable = MAY_QUOTE[verdict?.code] ?? [];
  // What may be quoted can hold another text of the token, as an issuer does the tenant.
  const quoted = texts.filter(({ name }) => quotable.includes(name)).map(({ value }) => value.slice(0, 200));
  const rest = [...quoted, ...REGISTERED].reduce((text, value) => text.replaceAll(value, ''), said);
  for (const piece of segmentPieces(token)) {
    if (said.includes(piece) && !own.includes(piece)) return `token text "${piece}"`;
  }
  for (const { name, value } of texts) {
    if (!quotable.includes(name) && rest.includes(value) && !own.includes(value))
      return `decoded text "${value}"`;
  }
  return undefined;
}

function segmentPieces(token) {
  return token.split('.', 8).flatMap((segment) => {
    if (segment.length < SEGMENT_SAMPLE) return [];
    return [segment.slice(0, SEGMENT_SAMPLE), segment.slice(-SEGMENT_SAMPLE)];
  });
}

function decodedTexts(token) {
  return token.split('.', 2).flatMap((segment) => {
    if (segment.length > 20_000) return [];
    try {
      const bytes = Uint8Array.from(atob(segment.replaceAll('-', '+').replaceAll('_', '/')), (c) =>
        c.charCodeAt(0),
      );
      return texts(JSON.parse(new TextDecoder().decode(bytes)));
    } catch {
      return [];
    }
  });
}

/**
 * Every long text of a JSON value with the name of the top-level member it stands under; member
 * names count as text.
 */
function texts(value, name, depth = 0) {
  if (depth > 40) return [];
  if (typeof value === 'string') return value.length >= SHORTEST_TEXT ? [{ name, value }] : [];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([member, inner]) => {
    const top = name ?? (Array.isArray(value) ? undefined : member);
    return [...texts(member, top, depth + 1), ...texts(inner, top, depth + 1)];
  });
}

function keyTexts({ policy, jwk }) {
  const keys = [
    jwk,
    ...asArray(policy?.issuers).flatMap((i) => [...asArray(i?.keys), ...asArray(i?.jwks?.keys)]),
  ];
  return keys.flatMap((key) => {
    if (key === null || typeof key !== 'object') return [];
    return ['k', 'secret', 'pem', 'spki', 'n', 'x', 'y', 'd', 'p', 'q']
      .map((member) => key[member])
      .filter((value) => typeof value === 'string' && value.length >= SEGMENT_SAMPLE)
      .map((value) => value.replaceAll('\n', '\\n').slice(0, 40));
  });
}

function asArray(value) {
  return Array.isArray(value) ? value : [];
}
