// The pipeline, one panel a stage: what it checks, what it came to, both compared values; and how
// long it takes in this browser.
//
// The core has no clock, so a stage is measured by difference: the same verifier is given the same
// token spoilt so that it is refused at the end of one stage, then of the next, many times over
// and in turn. What lies between the quickest of two such refusals is the stage: whatever else a
// machine does only makes a sample longer. The first includes the way into WebAssembly and back;
// the last includes handing over the claims.
import { breath, callsFor, shortestBatch, timed } from '../clock.js';
import { element } from '../dom.js';
import { duration, isTime, local } from '../times.js';

export const STAGES = [
  {
    name: 'bearer',
    checks: 'One Authorization header, the scheme Bearer, one space, one token.',
    source: 'RFC 6750 §2.1',
  },
  {
    name: 'jws',
    checks:
      'Its length, three segments of canonical base64url, a header without duplicates, crit or unknown alg.',
    source: 'RFC 7515 §5.2',
  },
  {
    name: 'keys',
    checks: 'Which key of the policy is meant, by its kid, and that the key’s alg is the token’s.',
    source: 'RFC 7517 §4',
  },
  {
    name: 'signature',
    checks: 'The signature’s exact length, and that it holds under that key.',
    source: 'RFC 7515 §5.2',
  },
  {
    name: 'claims',
    checks: 'The payload as strict JSON; exp, iss and aud are there and every claim has its type.',
    source: 'RFC 7519 §4.1',
  },
  {
    name: 'policy',
    checks: 'typ, issuer, audience, and the time: what you trust, compared byte for byte.',
    source: 'RFC 8725 §3',
  },
];
const TIMES = ['now', 'expires', 'notBefore', 'issuedAt', 'authenticatedAt'];
const WORDS = {
  passed: 'passed',
  refused: 'refused here',
  unreached: 'not reached',
  waiting: 'waits for a key',
  idle: '',
};

/**
 * Fills a list. `verdict` is the core's; `undefined` for none yet. `waitingAt` is a stage that
 * cannot be judged, `facts` has a sentence a stage about what passed.
 */
export function showStages(list, verdict, { facts = {}, waitingAt } = {}) {
  const names = STAGES.map(({ name }) => name);
  const refusedAt = verdict && !verdict.ok ? names.indexOf(verdict.stage) : names.length;
  const stateOf = (index) => {
    if (!verdict) return 'idle';
    if (waitingAt)
      return index < names.indexOf(waitingAt)
        ? 'passed'
        : index === names.indexOf(waitingAt)
          ? 'waiting'
          : 'unreached';
    return index < refusedAt ? 'passed' : index === refusedAt ? 'refused' : 'unreached';
  };
  list.replaceChildren(
    ...STAGES.map((stage, index) => panel(stage, stateOf(index), verdict, facts[stage.name])),
  );
}

function panel({ name, checks, source }, state, verdict, fact) {
  const item = element('li', { className: 'stage', dataset: { stage: name, state } });
  item.append(
    element(
      'div',
      { className: 'stage-head' },
      element('b', { textContent: name }),
      element('span', { className: 'state', textContent: WORDS[state] }),
      element('span', { className: 'micros' }),
    ),
    element('p', { className: 'checks' }, checks, ' ', element('cite', { textContent: source })),
  );
  if (state === 'passed' && fact) item.append(element('p', { className: 'fact', textContent: fact }));
  if (state === 'refused') item.append(refusal(verdict));
  return item;
}

/** The page about a code, in the documentation beside this page. */
export const codePage = (code) => `../docs/reference/codes/${code}.html`;

/** Code, sentence and both compared values of a refusal. */
export function refusal({ code, message, ok: _, stage: __, ...compared }) {
  const block = element('div', { className: 'refusal' });
  const link = element('a', { className: 'code', href: codePage(code), textContent: code });
  block.append(element('p', {}, link, ' ', message));
  const rows = Object.entries(compared).map(([name, value]) =>
    element(
      'div',
      {},
      element('dt', { textContent: worded(name) }),
      element('dd', { textContent: shown(name, value) }),
    ),
  );
  if (rows.length > 0) block.append(element('dl', { className: 'compared' }, ...rows));
  return block;
}

/** Writes what was measured into the panels; `micros` has a number a stage. */
export function showMicros(list, micros) {
  for (const item of list.children) {
    const value = micros[item.dataset.stage];
    item.querySelector('.micros').textContent = value === undefined ? '' : inMicros(value);
  }
}

export function inMicros(value) {
  if (value < 0.05) return '< 0.05 µs';
  return `${value < 10 ? value.toFixed(2) : value.toFixed(1)} µs`;
}

/** `notBefore` as a person would write it. */
function worded(name) {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words[0].toUpperCase() + words.slice(1);
}

function shown(name, value) {
  if (value === null) return 'none';
  if (TIMES.includes(name) && isTime(value)) return `${value} (${local(value)})`;
  if (name === 'leeway') return duration(value);
  return Array.isArray(value) ? value.join(', ') : String(value);
}

const ROUNDS = 9;
/** A browser compiles WebAssembly better once a function has run often enough. */
const WARM_UP_MS = 40;

/**
 * Microseconds by stage, as far as the token came. `verifier` keeps no answers (`cache: 0`);
 * `stopper` is one for the same keys that refuses every typ, which is the first thing the policy
 * looks at; `at` is the instant to judge by.
 */
export async function measure({ verifier, stopper, token, at, verdict }) {
  const probes = probesFor({ verifier, stopper, token, at, verdict });
  const shortest = shortestBatch();
  for (const probe of probes) {
    const warm = performance.now() + WARM_UP_MS;
    while (performance.now() < warm) timed(probe.run, 16);
    await breath();
  }
  for (const probe of probes) probe.calls = callsFor(probe.run, shortest);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const probe of probes) {
      probe.times.push((timed(probe.run, probe.calls) * 1000) / probe.calls);
      await breath();
    }
  }
  return differences(probes);
}

function probesFor({ verifier, stopper, token, at, verdict }) {
  const options = { now: at };
  const [header, payload, signature = ''] = token.split('.');
  const input = `${header}.${payload}`;
  const reached = verdict.ok ? 'policy' : verdict.stage;
  const order = STAGES.map(({ name }) => name);
  const before = (stage) => order.indexOf(stage) < order.indexOf(reached);
  const probe = (stage, run) => ({ stage, run, times: [] });
  // “+” is base64, but not base64url: refused when the last segment is decoded, the end of the
  // stage.
  const spoilt = `${input}.${signature.slice(0, -1)}+`;
  const probes = [];
  if (before('jws')) probes.push(probe('jws', () => verifier.verify(spoilt, options)));
  // Another length is the first thing the next stage sees.
  if (before('keys'))
    probes.push(probe('keys', () => verifier.verify(`${input}.${signature.slice(0, -4)}`, options)));
  if (before('signature'))
    probes.push(probe('signature', () => verifier.verify(flipped(input, signature), options)));
  if (before('claims')) probes.push(probe('claims', () => stopper.verify(token, options)));
  probes.push(probe(reached, () => verifier.verify(token, options)));
  const authorization = `Bearer ${before('jws') ? spoilt : token}`;
  probes.push(probe('bearer', () => verifier.verifyAuthorization(authorization, options)));
  return probes;
}

/** The same signature with one bit changed: refused after all the arithmetic. */
function flipped(input, signature) {
  const middle = Math.floor(signature.length / 2);
  const other = signature[middle] === 'A' ? 'B' : 'A';
  return `${input}.${signature.slice(0, middle)}${other}${signature.slice(middle + 1)}`;
}

function differences(probes) {
  const bearer = probes.at(-1);
  const rest = probes.slice(0, -1);
  const micros = { bearer: Math.max(0, Math.min(...bearer.times) - Math.min(...rest[0].times)) };
  let before = 0;
  for (const { stage, times } of rest) {
    const whole = Math.min(...times);
    micros[stage] = Math.max(0, whole - before);
    before = Math.max(before, whole);
  }
  return { micros, whole: Math.min(...rest.at(-1).times), calls: rest.at(-1).calls * ROUNDS };
}
