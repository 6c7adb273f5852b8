// What the page shows. Text goes in as text, never as HTML: a token is written by strangers.
import { decodeJson } from '/attempts.js';

const STAGES = ['bearer', 'jws', 'keys', 'signature', 'claims', 'policy'];
const TIMES = ['now', 'expires', 'notBefore', 'issuedAt'];
const LOG_LENGTH = 20;
const LONGEST_SHOWN = 120;

const $ = (id) => document.getElementById(id);

export function buildAttempts(attempts, run) {
  for (const attempt of attempts) {
    const { id, label, note, expected } = attempt;
    const button = element('button', { type: 'button', id: `try-${id}` });
    button.dataset.kind = expected === 'accepted' ? 'genuine' : 'bad';
    button.setAttribute('aria-labelledby', `label-${id}`);
    button.setAttribute('aria-describedby', `note-${id}`);
    button.append(
      element('span', { id: `label-${id}`, className: 'label', textContent: label }),
      element('span', { id: `note-${id}`, className: 'note', textContent: note }),
    );
    button.addEventListener('click', () => run(attempt));
    const item = element('li');
    item.append(button);
    $('attempts').append(item);
  }
  showStages(undefined);
}

export function showBusy(id) {
  $('verdict').setAttribute('aria-busy', 'true');
  // Emptied, so that the same sentence is said a second time.
  announce('');
  for (const button of document.querySelectorAll('#attempts button')) {
    if (button.id === `try-${id}`) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
}

export function showVerdict({ label, lines, verdict, status, challenge, roundTripMs, here, hereMs }) {
  const { ok, code, stage, message, header, claims, ...compared } = verdict;
  const sentence = ok ? `The token of ${claims.sub} passed every stage.` : message;
  setState(ok ? 'accepted' : 'refused', ok ? 'Accepted' : 'Refused', ok ? '' : code, sentence);
  showStages(ok ? 'none' : stage);
  const agrees = here.ok === ok && here.code === code;
  const rows = [
    ['Round trip', `${milliseconds(roundTripMs)}, status ${status}`],
    [
      'Verified in browser',
      `${milliseconds(hereMs)}, ${agrees ? 'the same verdict' : `but ${here.code ?? 'accepted'}`}`,
    ],
  ];
  if (lines > 1) rows.push(['Headers sent', `${lines}, which fetch joins with a comma`]);
  for (const [name, value] of Object.entries(compared)) rows.push([worded(name), shown(name, value)]);
  if (challenge) rows.push(['WWW-Authenticate', challenge]);
  $('facts').replaceChildren(...rows.map(row));
  announce(`${label}: ${ok ? 'accepted' : `refused at stage ${stage}, ${code}`}. ${sentence}`);
}

export function showFailure(error) {
  setState('failed', 'No answer', '', error.message);
  showStages(undefined);
  $('facts').replaceChildren();
  announce(`No answer. ${error.message}`);
}

/** Shows a token in its three colours, and decoded. `keepField` while a person types in the field. */
export function showToken(token, { keepField = false } = {}) {
  if (!keepField) $('token').value = token;
  const [header = '', payload = '', ...rest] = token.split('.');
  const signature = rest.join('.');
  const dots = token.split('.').length - 1;
  $('coloured').replaceChildren(
    coloured('header', header),
    dots > 0 ? '.' : '',
    coloured('payload', payload),
    dots > 1 ? '.' : '',
    coloured('signature', signature),
  );
  $('header').textContent = decoded(header);
  $('payload').textContent = decoded(payload);
  $('signature').textContent = signature ? `${Math.floor((signature.length * 3) / 4)} bytes` : 'none';
}

export function addToLog({ label, verdict, roundTripMs, hereMs }) {
  $('log-empty').hidden = true;
  const item = element('li');
  item.dataset.state = verdict.ok ? 'accepted' : 'refused';
  item.append(
    element('span', { className: 'what', textContent: label }),
    element('code', { textContent: verdict.ok ? 'accepted' : verdict.code }),
    element('span', {
      className: 'times',
      textContent: `${milliseconds(roundTripMs)} round trip, ${milliseconds(hereMs)} here`,
    }),
  );
  $('log').prepend(item);
  while ($('log').children.length > LOG_LENGTH) $('log').lastElementChild.remove();
}

function setState(state, outcome, code, message) {
  const panel = $('verdict');
  panel.dataset.state = state;
  panel.setAttribute('aria-busy', 'false');
  $('outcome').textContent = outcome;
  $('code').textContent = code;
  $('message').textContent = message;
  // Where the page is one column the verdict may be out of sight.
  if (panel.getBoundingClientRect().top > window.innerHeight * 0.6) panel.scrollIntoView({ block: 'start' });
}

/** `refusing` is the stage that refused, 'none' when all have passed, and undefined before anything was sent. */
function showStages(refusing) {
  const at = STAGES.indexOf(refusing);
  const stateOf = (index) => {
    if (refusing === undefined) return ['idle', ''];
    if (at === -1 || index < at) return ['passed', 'passed'];
    return index === at ? ['refused', 'refused here'] : ['unreached', 'not reached'];
  };
  $('stages').replaceChildren(
    ...STAGES.map((name, index) => {
      const [state, words] = stateOf(index);
      const item = element('li');
      item.dataset.state = state;
      item.dataset.stage = name;
      item.append(
        element('span', { className: 'name', textContent: name }),
        element('span', { className: 'state', textContent: words }),
      );
      return item;
    }),
  );
}

function row([name, value]) {
  const pair = element('div');
  pair.append(element('dt', { textContent: name }), element('dd', { textContent: value }));
  return pair;
}

/** `notBefore` as a person would write it. */
function worded(name) {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words[0].toUpperCase() + words.slice(1);
}

function shown(name, value) {
  if (TIMES.includes(name)) return `${value} (${new Date(value * 1000).toLocaleTimeString()})`;
  if (name === 'leeway') return `${value} s`;
  return Array.isArray(value) ? value.join(', ') : String(value);
}

function decoded(segment) {
  if (!segment) return '';
  try {
    return JSON.stringify(decodeJson(segment), shortened, 2);
  } catch {
    return 'This is no JSON in base64url.';
  }
}

function shortened(_name, value) {
  if (typeof value !== 'string' || value.length <= LONGEST_SHOWN) return value;
  return `${value.slice(0, LONGEST_SHOWN)}… (${value.length} characters)`;
}

function coloured(className, textContent) {
  return element('span', { className, textContent });
}

function milliseconds(value) {
  return `${value.toFixed(value < 0.1 ? 3 : value < 10 ? 2 : 0)} ms`;
}

function announce(text) {
  $('announcement').textContent = text;
}

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}
