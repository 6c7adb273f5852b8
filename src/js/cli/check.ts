import type { GatePolicy } from '../gate/policy.js';
import { PolicyError } from '../shared/errors.js';
import type { VerifierStats } from '../verifier/index.js';
import { checkGate, verifierOf } from './core.js';
import { forwardRows, routeRows, type ShownGate, shownGate } from './gate-section.js';
import { readText } from './input.js';
import type { Call } from './main.js';
import { lineOf, type Mistake, mistakeOf } from './policy-mistake.js';

/** What is shown of an issuer; the core has checked what it says. */
interface Issuer {
  issuer?: string;
  preset?: string;
  audience?: string | string[];
  remote?: { jwksUri?: string; discovery?: string };
  introspection?: { endpoint: string };
}

type Checked = {
  ok: true;
  issuers: Issuer[];
  keys: VerifierStats['keys'];
  gate: Gate;
} & ShownGate;
type Gate = 'absent' | 'checked' | 'not-checked';

/** `portcullis check` */
export async function check({ operands: [path], terminal }: Call): Promise<boolean> {
  const text = await readText(path, 'a policy');
  const result = await read(text);
  if (terminal.json) terminal.answer(result);
  else if (result.ok) show(result);
  else terminal.bad(`${path} is no policy\n  ${lineOf(result)}`);
  return result.ok;

  function show({ issuers, keys, gate, ...section }: Checked): void {
    terminal.good(`${path} is a policy`);
    for (const { issuer, preset, audience, remote, introspection } of issuers) {
      terminal.print(`  ${issuer ?? `preset ${preset}`}${issuer && preset ? ` (preset ${preset})` : ''}`);
      const own = keys.filter((key) => key.issuer === issuer);
      terminal.table([
        ...(audience === undefined ? [] : [['  audience', [audience].flat().join(', ')]]),
        ...own.map(({ kid, alg }) => [
          '  key',
          `${alg} ${kid === null ? 'without a kid' : JSON.stringify(kid)}`,
        ]),
        ...(remote || preset ? [['  keys', source(remote, preset)]] : []),
        ...(introspection ? [['  introspection', introspection.endpoint]] : []),
      ]);
    }
    if (gate !== 'absent') {
      terminal.print('  routes, the first that matches');
      terminal.table(routeRows(section).map(([first, ...rest]) => [`  ${first}`, ...rest]));
      terminal.print('  the origin gets');
      terminal.table(forwardRows(section).map(([first, ...rest]) => [`  ${first}`, ...rest]));
    }
    if (gate === 'not-checked')
      terminal.faint('  the section "gate" was not checked: this build has no gate');
  }
}

function source(remote: Issuer['remote'], preset: string | undefined): string {
  if (remote?.jwksUri) return `published at ${remote.jwksUri}`;
  return remote?.discovery ? `found by ${remote.discovery} discovery` : `located by preset ${preset}`;
}

async function read(text: string): Promise<Checked | ({ ok: false } & Mistake)> {
  try {
    const { keys } = verifierOf(text).stats();
    // A policy by now.
    const { issuers, gate } = JSON.parse(text) as { issuers: Issuer[]; gate?: GatePolicy };
    const checked: Checked = { ok: true, issuers: issuers.map(shown), keys, gate: 'absent' };
    if (gate === undefined) return checked;
    return { ...checked, gate: (await checkGate(text)) ? 'checked' : 'not-checked', ...shownGate(gate) };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return { ok: false, ...mistakeOf(error, text) };
  }
}

/** Without keys: a policy may hold a secret for HMAC. */
function shown({ issuer, preset, audience, remote, introspection }: Issuer): Issuer {
  const members = { issuer, preset, audience, remote, introspection };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Issuer;
}
