import type { Verifier } from '../verifier/index.js';
import { inspect, verifierOf } from './core.js';
import { Misuse, orMisuse, readNow, readOrFetch, readText, readToken } from './input.js';
import { showToken } from './inspect.js';
import type { Call } from './main.js';

/** `portcullis verify` */
export async function verify({ operands: [operand], options, terminal }: Call): Promise<boolean> {
  if (options.policy === undefined) throw new Misuse('verify needs --policy');
  if (options.policy === '-' && (operand ?? '-') === '-')
    throw new Misuse('standard input can be the policy or the token, not both');
  const now = readNow(options.now);
  const policy = await readText(options.policy, 'a policy');
  const verifier = orMisuse(() => verifierOf(policy), options.policy);
  const token = await readToken(operand);
  if (options.keys !== undefined) await takeKeys(verifier, token, options.keys);
  const verdict = verifier.verify(token, { now });
  if (terminal.json) terminal.answer(verdict);
  else if (verdict.ok) {
    terminal.good('accepted');
    showToken(terminal, verdict, now);
  } else {
    const { ok, code, stage, message, ...fields } = verdict;
    terminal.bad(`refused: ${code} (stage ${stage})`);
    terminal.print(`  ${message}`);
    terminal.table(Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)]));
  }
  return verdict.ok;
}

/** The set belongs to the issuer that the token names; whether it may speak for it, the signature decides. */
async function takeKeys(verifier: Verifier, token: string, source: string): Promise<void> {
  const seen = inspect(token);
  const issuer = seen.ok ? seen.claims.iss : undefined;
  if (typeof issuer !== 'string') return;
  const jwks = await readOrFetch(source, 'a JWK Set');
  orMisuse(() => verifier.setRemoteKeys(issuer, jwks), source);
}
