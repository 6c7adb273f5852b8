// What a verdict looks like from outside: every rejection code with its stage and its fields, and
// the members of a success. The codes are permanent and the result types are a discriminated
// union; a member too many or too few breaks somebody's `switch`.

const REJECTIONS = {
  transport: { 'transport-insecure': [] },
  request: {
    'verifier-unavailable': [],
    'request-malformed': ['member'],
    'path-ambiguous': [],
    'request-misdirected': [],
    'request-cross-site': ['expected', 'actual'],
  },
  bearer: {
    'token-in-query': [],
    'authorization-missing': ['expected'],
    'authorization-ambiguous': [],
    'authorization-scheme': [],
    'authorization-malformed': [],
  },
  jws: {
    'token-missing': [],
    'token-too-large': ['limit', 'actual'],
    'segment-count': ['expected', 'actual'],
    'segment-not-base64url': ['segment', 'found'],
    'header-too-large': ['limit', 'actual'],
    'json-malformed': ['part'],
    'json-too-deep': ['part', 'limit'],
    'json-too-many-members': ['part', 'limit'],
    'json-duplicate-member': ['part'],
    'header-member-malformed': ['member'],
    'header-member-unsupported': ['member'],
    'crit-unsupported': [],
    'alg-missing': [],
    'alg-unknown': [],
  },
  keys: {
    'kid-unknown': [],
    'keys-unavailable': ['reason'],
    'keys-not-set': ['issuer'],
    'issuer-unknown': ['expected'],
    'kid-required': ['limit', 'candidates'],
    'alg-mismatch': ['expected', 'actual'],
  },
  signature: { 'signature-length': ['expected', 'actual'], 'signature-invalid': [] },
  claims: {
    'json-malformed': ['part'],
    'json-too-deep': ['part', 'limit'],
    'json-too-many-members': ['part', 'limit'],
    'json-duplicate-member': ['part'],
    'claim-missing': ['claim'],
    'claim-malformed': ['claim', 'expected', 'found'],
  },
  policy: {
    expired: ['now', 'expires', 'leeway'],
    'not-yet-valid': ['now', 'notBefore', 'leeway'],
    'issued-in-future': ['now', 'issuedAt', 'leeway'],
    'type-mismatch': ['expected', 'actual'],
    'issuer-mismatch': ['expected', 'actual'],
    'audience-mismatch': ['expected', 'actual'],
    'claim-mismatch': ['claim', 'expected'],
  },
  revocation: {
    'token-revoked': ['claim'],
    'issued-before-cutoff': ['claim', 'cutoff', 'issuedAt'],
    'revocation-stale': ['now', 'staleSince'],
    'status-not-valid': ['index', 'statusValue'],
    'status-out-of-range': ['index', 'entries'],
  },
  introspection: {
    'introspection-unavailable': ['reason'],
    'token-inactive': [],
    'token-kind-refused': ['member'],
  },
  binding: {
    'binding-required': ['expected'],
    'binding-unsupported': [],
    'dpop-scheme-required': [],
    'dpop-proof-missing': [],
    'dpop-proof-ambiguous': [],
    'dpop-proof-invalid': ['reason'],
    'dpop-origin-unknown': [],
    'dpop-method-mismatch': [],
    'dpop-url-mismatch': ['expected', 'actual'],
    'dpop-token-mismatch': [],
    'dpop-time-mismatch': ['now', 'issuedAt', 'window'],
    'dpop-nonce-required': [],
    'dpop-key-mismatch': [],
    'dpop-replayed': [],
    'replay-unavailable': [],
    'certificate-missing': [],
    'certificate-mismatch': [],
  },
  requirement: {
    'scope-insufficient': ['scopes'],
    'claim-insufficient': ['path'],
    'acr-insufficient': ['expected'],
    'authentication-too-old': ['now', 'authenticatedAt', 'maxAge'],
    'network-denied': [],
    'address-unknown': [],
    'refused-by-check': ['reason'],
  },
};

/** What a refused request is told besides, and what only some are. */
const REFUSAL = ['status', 'explanation', 'challenges', 'problem', 'forward'];
const SOME = ['nonce', 'retryAfter', 'stale', 'alternative', 'cors'];
const ALLOWED = ['ok', 'step', 'forward', 'claims', 'header'];

const SUCCESSES = {
  verify: ['ok', 'header', 'claims'],
  authorization: ['ok', 'header', 'claims'],
  jws: ['ok', 'header', 'payload'],
  inspect: ['ok', 'verified', 'header', 'claims'],
};

/** What the verdict should have looked like, or undefined when it does. */
export function shapeFault(kind, verdict) {
  if (kind === 'policy') return undefined;
  if (verdict.ok && kind === 'gate') {
    if (verdict.answer !== undefined) return membersFault(verdict, ['ok', 'step', 'forward', 'answer']);
    const more = verdict.step === 'allowed' ? ['issuer', 'binding', 'source'] : [];
    return membersFault(verdict, [...ALLOWED, ...more, ...SOME.filter((name) => name in verdict)]);
  }
  if (verdict.ok) {
    const more = ['stale', 'alternative'].filter((name) => name in verdict);
    const fault = membersFault(verdict, [...SUCCESSES[kind], ...more]);
    if (fault) return fault;
    if (kind === 'inspect' && verdict.verified !== false) return 'verified: false';
    if (kind === 'jws' && !(verdict.payload instanceof Uint8Array)) return 'payload: a Uint8Array';
    return undefined;
  }
  const fields = REJECTIONS[verdict.stage]?.[verdict.code];
  if (!fields) return 'a code of the published table, with its stage';
  // Before the signature held, no part of the payload can be the reason; after it, the header
  // cannot.
  if (
    'part' in verdict &&
    verdict.part !== (verdict.stage === 'jws' ? 'header' : 'payload') &&
    kind !== 'inspect'
  ) {
    return `part to fit stage ${verdict.stage}`;
  }
  if (typeof verdict.message !== 'string' || verdict.message === '') return 'a message';
  const more = kind === 'gate' ? [...REFUSAL, ...SOME.filter((name) => name in verdict)] : [];
  return membersFault(verdict, ['ok', 'code', 'stage', 'message', ...fields, ...more]);
}

function membersFault(verdict, expected) {
  if (Object.getPrototypeOf(verdict) !== Object.prototype) return 'a plain object';
  const wanted = [...expected].sort().join();
  return Object.keys(verdict).sort().join() === wanted ? undefined : `members ${wanted}`;
}
