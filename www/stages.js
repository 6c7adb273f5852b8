// The pipeline, one panel a stage: what it checks, what it came to, both compared values, and how long it took here.
import { element } from './dom.js';
import { duration, isTime, local } from './times.js';

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
 * Fills a list. `verdict` is the core's; `undefined` for none yet. `waitingAt` is a stage that cannot be judged, `facts` has a sentence a stage
 * about what passed.
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

/** Code, sentence and both compared values of a refusal. */
export function refusal({ code, message, ok: _, stage: __, ...compared }) {
  const block = element('div', { className: 'refusal' });
  block.append(element('p', {}, element('code', { className: 'code', textContent: code }), ' ', message));
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
