// The attack gallery: a button an attack, and what the gate said of it.

import { $, announce, element } from '../dom.js';
import { ATTACKS } from './attacks.js';
import { attempt, makeTargets } from './forge.js';
import { refusal, showStages } from './stages.js';

const LONGEST_SHOWN = 1200;

let targets;
let openInInspector;
let onChosen;
let forged = '';

export function startGallery(open, chosen) {
  openInInspector = open;
  onChosen = chosen;
  $('attacks').append(...ATTACKS.map(card));
  $('forge-all').addEventListener('click', forgeAll);
  $('forged-open').addEventListener('click', () => openInInspector(forged));
  showStages($('forged-stages'), undefined);
}

function card({ id, label, note, kind }) {
  const button = element('button', { type: 'button', id: `attack-${id}`, className: 'attack' });
  button.append(
    element('b', { textContent: label }),
    element('span', { className: 'note', textContent: note }),
    element('span', { className: 'class', textContent: kind ? `Class ${kind}` : 'For comparison' }),
    element('span', { className: 'result' }),
  );
  button.addEventListener('click', () => forge(id));
  return element('li', {}, button);
}

/** Forges one, shows what came of it, and says so. */
export async function forge(id) {
  const attack = ATTACKS.find((one) => one.id === id);
  if (!attack) return;
  try {
    targets ??= makeTargets();
    const { verdict, token } = await attempt(attack, await targets);
    mark(attack, verdict);
    show(attack, verdict, token);
    onChosen(id);
  } catch (error) {
    targets = undefined;
    $('forged-title').textContent = 'It could not be forged';
    $('forged-why').textContent = error.message;
    announce(error.message);
  }
}

async function forgeAll() {
  targets ??= makeTargets();
  let refused = 0;
  for (const attack of ATTACKS) {
    const { verdict } = await attempt(attack, await targets);
    mark(attack, verdict);
    if (attack.code !== 'accepted' && !verdict.ok && verdict.code === attack.code) refused += 1;
  }
  const sentence = `${refused} of ${ATTACKS.length - 1} attacks were refused, each for its own reason; the genuine token was accepted.`;
  $('all-result').textContent = sentence;
  announce(sentence);
}

/** The outcome on the card, for an eye that runs over all of them. */
function mark({ id, code }, verdict) {
  const button = $(`attack-${id}`);
  const outcome = verdict.ok ? 'accepted' : verdict.code;
  const isExpected = outcome === code;
  button.querySelector('.result').textContent = isExpected ? outcome : `${outcome}, not ${code}`;
  button.dataset.state = isExpected ? (verdict.ok ? 'accepted' : 'refused') : 'surprise';
}

function show({ id, label, kind, advisory }, verdict, token) {
  for (const button of document.querySelectorAll('.attack')) {
    if (button.id === `attack-${id}`) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
  const state = verdict.ok ? 'accepted' : 'refused';
  forged = token;
  $('forged').dataset.state = state;
  $('forged-title').textContent = `${label}: ${state}`;
  $('forged-class').textContent = kind ? `Class ${kind}${advisory && `, as in ${advisory}`}` : '';
  $('forged-why').replaceChildren(
    verdict.ok ? 'Every stage passed: signed by a trusted key, for this API, in time.' : refusal(verdict),
  );
  showStages($('forged-stages'), verdict);
  $('forged-token').textContent =
    token.length > LONGEST_SHOWN ? `${token.slice(0, LONGEST_SHOWN)}… (${token.length} characters)` : token;
  $('forged-open').hidden = token.length > LONGEST_SHOWN * 10;
  const panel = $('forged');
  // Where the page is one column the answer may be out of sight.
  if (panel.getBoundingClientRect().top > window.innerHeight * 0.7) panel.scrollIntoView({ block: 'start' });
  announce(`${label}: ${state}${verdict.ok ? '' : ` at the stage ${verdict.stage}, ${verdict.code}`}.`);
}
