import type { Verdict, Verifier } from '../verifier/index.js';
import { pageOf } from './code-page.js';
import { inspect, verifierOf } from './core.js';
import { fetchKeys } from './fetch-keys.js';
import { Misuse, orMisuse, readNow, readOrFetch, readText, readToken } from './input.js';
import { showToken } from './inspect.js';
import type { Call } from './main.js';
import { asksForTenants, withTenant } from './tenant.js';

/** `portcullis verify` */
export async function verify({ operands: [operand], options, terminal }: Call): Promise<boolean> {
  if (options.policy === undefined)
    throw new Misuse("verify requires --policy; write the name of the policy's file");
  if (options.policy === '-' && (operand ?? '-') === '-')
    throw new Misuse('standard input can be the policy or the token, not both; write a file for one');
  const now = readNow(options.now);
  const { policy, verifier } = tenanted(await readText(options.policy, 'a policy'), options);
  const token = await readToken(operand);
  if (options.keys !== undefined) await takeKeys(verifier, token, options.keys);
  let verdict = verifier.verify(token, { now });
  if (mayLackKeys(verdict) && options.keys === undefined && !options.offline) {
    const issuer = issuerOf(token);
    const found = issuer === undefined ? undefined : await fetchKeys(policy, issuer);
    if (found !== undefined) {
      verifier.setRemoteKeys(found.issuer, found.jwks);
      verdict = verifier.verify(token, { now });
    }
  }
  if (!verdict.ok && verdict.code === 'issuer-unknown' && asksForTenants(policy))
    throw new Misuse(
      'the policy asks a function which tenants are yours ("tenants": "resolver"), which this command has not; name the tenant of the token: --tenant VALUE',
    );
  if (terminal.json) terminal.answer(verdict);
  else if (verdict.ok) {
    terminal.good('accepted');
    showToken(terminal, verdict, now);
  } else {
    const { ok, code, stage, message, ...fields } = verdict;
    terminal.bad(`refused: ${code} (stage ${stage})`);
    terminal.print(`  ${message}`);
    terminal.table(Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)]));
    terminal.print(`  about this code: ${pageOf(code, policy)}`);
  }
  return verdict.ok;
}

/** The policy, for the one tenant that is named where it asks a function for them. */
function tenanted(text: string, { policy: file = '-', tenant }: Call['options']) {
  const verifier = orMisuse(() => verifierOf(text), file, text);
  if (tenant === undefined) return { policy: text, verifier };
  const policy = withTenant(text, tenant);
  return { policy, verifier: orMisuse(() => verifierOf(policy), '--tenant', policy) };
}

/** Whether other keys could accept the token. */
function mayLackKeys(verdict: Verdict): boolean {
  return !verdict.ok && (verdict.stage === 'keys' || verdict.stage === 'signature');
}

/**
 * The set belongs to the issuer that the token names; whether it may speak for it, the signature
 * decides.
 */
async function takeKeys(verifier: Verifier, token: string, source: string): Promise<void> {
  const issuer = issuerOf(token);
  if (issuer === undefined) return;
  const jwks = await readOrFetch(source, 'a JWK Set');
  orMisuse(() => verifier.setRemoteKeys(issuer, jwks), source, jwks);
}

/** Whom the token names. Nobody has checked who wrote it. */
function issuerOf(token: string): string | undefined {
  const seen = inspect(token);
  const issuer = seen.ok ? seen.claims.iss : undefined;
  return typeof issuer === 'string' ? issuer : undefined;
}
