// What a careful reader would remark about a token. Nothing here decides: the core does, and says
// so under Verify.
import { duration, isTime, TIME_CLAIMS } from '../times.js';

const LONG_LIFE_SECONDS = 24 * 3600;
const SENSITIVE = /^(?:password|passwd|secret|ssn|credit_?card|card_number|iban|api_?key|private_?key)$/i;

/**
 * A list of `{ level, title, why }`; `level` is `bad` (it will or should be refused), `warn` or
 * `note`.
 */
export function warningsOf({ kind, parts, header, claims, signature }, token, now) {
  const found = [];
  const say = (level, title, why) => found.push({ level, title, why });
  if (kind === 'jwe') {
    say(
      'bad',
      'An encrypted token',
      'Five segments are JWE: only whoever has the key can read it. Portcullis accepts none (RFC 7516).',
    );
    return found;
  }
  if (kind === 'other') {
    const count = `${parts.length} segment${parts.length === 1 ? '' : 's'}`;
    say(
      'bad',
      `Not a JWT: ${count}`,
      'A signed token has exactly three segments with two dots between them (RFC 7515 §7.1).',
    );
    return found;
  }
  for (const { name, problem, duplicates } of [header, claims, signature]) {
    if (problem) say('bad', `The ${name} cannot be read`, problem);
    for (const pointer of duplicates ?? [])
      say(
        'bad',
        `${pointer} is there twice in the ${name}`,
        'Two readers may take different ones: duplicate members are refused (RFC 7519 §4).',
      );
  }
  if (token.length > 8192)
    say('bad', 'Longer than 8 KiB', 'Servers limit headers to about that, and so does Portcullis.');
  if (header.value) ofHeader(header.value, signature, say);
  if (claims.value) ofClaims(claims.value, now, say);
  return found;
}

function ofHeader(header, signature, say) {
  const { alg } = header;
  if (alg === undefined) say('bad', 'No alg', 'Without one no key fits (RFC 7515 §4.1.1).');
  else if (/^none$/i.test(alg))
    say(
      'bad',
      'alg is none',
      'It is not signed at all: anyone can have written it. Some libraries used to accept that (CVE-2015-2951).',
    );
  else if (/^HS/.test(alg))
    say(
      'note',
      `${alg} is a shared secret`,
      'Whoever can verify such a token can also make one. Its secret must have as many bytes as the hash (RFC 7518 §3.2).',
    );
  else if (/^RS/.test(alg))
    say(
      'note',
      `${alg} is old`,
      'RSASSA-PKCS1-v1_5 still holds; ES256, EdDSA or PS256 are the better choice for something new (RFC 8725 §3.2).',
    );
  if (signature.text === '' && alg && !/^none$/i.test(alg))
    say('bad', 'The signature is empty', 'The token says it is signed and is not.');
  if (header.kid === undefined)
    say(
      'warn',
      'No kid',
      'When the issuer changes its keys, a verifier has to try each of them (RFC 7515 §4.1.4).',
    );
  else if (typeof header.kid !== 'string')
    say('bad', 'kid is not a text', 'It has to be one (RFC 7515 §4.1.4).');
  else if (/[/\\'";\s]|\.\./.test(header.kid))
    say('warn', 'A suspicious kid', 'It looks like a path or a query, for verifiers that put it into one.');
  if (header.typ === undefined)
    say(
      'note',
      'No typ',
      'Without it, an ID token can pass for an access token; access tokens say “at+jwt” (RFC 9068 §2.1).',
    );
  for (const member of ['jwk', 'jku', 'x5c', 'x5u'])
    if (member in header)
      say(
        'warn',
        `${member} in the header`,
        'A key that comes with the token proves nothing. Portcullis never reads it (CVE-2018-0114).',
      );
  for (const member of ['crit', 'b64', 'zip', 'enc'])
    if (member in header)
      say(
        'bad',
        `${member} in the header`,
        'It asks for an extension; none is understood, so the token is refused.',
      );
  if (/^(?:application\/)?jwt$/i.test(header.cty ?? ''))
    say(
      'warn',
      'A token within the token',
      'cty says that the payload is a token itself, which has to be verified for itself (RFC 7519 §5.2).',
    );
}

function ofClaims(claims, now, say) {
  const missing = (name, level, why) => claims[name] === undefined && say(level, `No ${name}`, why);
  missing('exp', 'bad', 'It would be valid for ever; Portcullis requires one.');
  missing(
    'iss',
    'bad',
    'Nobody says who issued it; Portcullis requires it, unless the policy has the deviation missing-iss.',
  );
  missing(
    'aud',
    'bad',
    'It could be used with any API that trusts the issuer; Portcullis requires it (RFC 8725 §3.9), unless the policy has the deviation missing-aud.',
  );
  missing('jti', 'note', 'It can be revoked by its session or user, not by itself.');
  missing('iat', 'note', 'A revocation by time of issue cannot tell whether it is meant.');
  for (const name of TIME_CLAIMS) ofTime(name, claims[name], say);
  const { exp, iat, nbf } = claims;
  const known = [exp, iat, nbf].map((value) => (isTime(value) ? value : undefined));
  if (known[0] !== undefined && known[0] <= now) say('bad', 'Expired', `${duration(now - known[0])} ago.`);
  if (known[2] !== undefined && known[2] > now)
    say('bad', 'Not valid yet', `In ${duration(known[2] - now)}.`);
  if (known[1] !== undefined && known[1] > now + 5)
    say('bad', 'Issued in the future', 'Clocks are apart, or somebody has made it up.');
  const life = known[0] - (known[1] ?? known[2]);
  if (life > LONG_LIFE_SECONDS)
    say(
      'warn',
      `Valid for ${duration(life)}`,
      'A stolen token is good for as long. Access tokens should live for minutes (RFC 8725 §3.10, RFC 9700 §2.2).',
    );
  if (Array.isArray(claims.aud) && claims.aud.length > 1)
    say('note', 'Several audiences', 'Each of them can use the token with the others.');
  for (const name of Object.keys(claims))
    if (SENSITIVE.test(name))
      say('warn', `A claim called ${name}`, 'A signed token is readable by everyone who sees it.');
  if (Object.hasOwn(claims, '__proto__'))
    say(
      'warn',
      'A claim called __proto__',
      'It is meant for programs that copy members carelessly (CVE-2024-34273).',
    );
  if (claims.cnf)
    say(
      'note',
      'Bound to a key',
      'Whoever sends it has to prove that they have the key (RFC 7800, RFC 9449, RFC 8705).',
    );
  if (claims._sd || claims._sd_alg)
    say(
      'note',
      'Selective disclosure',
      'Claims are behind hashes; their texts follow the token after “~” (SD-JWT).',
    );
}

function ofTime(name, value, say) {
  if (value === undefined) return;
  if (typeof value === 'number' && value > 1e11 && isTime(value / 1000))
    say('bad', `${name} is in milliseconds`, 'NumericDate counts seconds (RFC 7519 §2).');
  else if (!isTime(value))
    say('bad', `${name} is not a time`, 'It has to be a number of seconds since 1970 (RFC 7519 §2).');
  else if (!Number.isInteger(value))
    say(
      'note',
      `${name} has a fraction`,
      'RFC 7519 §2 allows it, and it is compared exactly here. Some libraries round it or refuse it.',
    );
}
