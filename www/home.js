// The front page: two tokens, judged while they are changed, and how long that takes here.
import { quickest } from './clock.js';
import { $, copy, settled, showColours } from './dom.js';
import { createVerifier, start } from './inspect/core.js';
import { inMicros } from './inspect/stages.js';
import { keepOffline } from './offline.js';

/** Whom the page trusts. The private half was thrown away once the token was signed. */
const POLICY = {
  issuers: [
    {
      issuer: 'https://issuer.example',
      audience: 'https://api.example',
      jwks: {
        keys: [
          {
            kty: 'EC',
            crv: 'P-256',
            x: 'ryazS3WuY2EnpHPd5pfUERy8m5kJwhOtCrDjiSsVhCI',
            y: 'e24I0PYdHOOYkLvtB-CtRdeo9IkgLZQpqXU2Kmi10QI',
            kid: 'front',
            alg: 'ES256',
          },
        ],
      },
    },
  ],
};

let verifier;

/** One of the two: its field, its verdict, and its buttons. */
function watch(id) {
  const panel = $(id);
  const part = (selector) => panel.querySelector(selector);
  const field = part('textarea');
  let turn = 0;
  const time = settled(async () => {
    turn += 1;
    const mine = turn;
    const token = field.value;
    const micros = await quickest(() => verifier.verify(token));
    if (mine === turn) part('.micros').textContent = `Decided in ${inMicros(micros)}, in this browser.`;
  }, 250);

  const judge = () => {
    const verdict = verifier.verify(field.value);
    showColours(part('.coloured'), field.value);
    panel.dataset.state = verdict.ok ? 'accepted' : 'refused';
    part('.outcome-line strong').textContent = verdict.ok ? 'Accepted' : 'Refused';
    part('.why').textContent = verdict.ok ? told(verdict.claims) : verdict.message;
    const link = part('.outcome-line .code');
    link.hidden = verdict.ok;
    if (!verdict.ok) {
      link.textContent = verdict.code;
      link.href = `./docs/reference/codes/${verdict.code}.html`;
    }
    part('.back').disabled = field.value === field.defaultValue;
    turn += 1;
    time();
  };
  field.addEventListener('input', judge);
  part('.back').addEventListener('click', () => {
    field.value = field.defaultValue;
    field.focus();
    judge();
  });
  const change = part('.change');
  if (change) {
    change.disabled = false;
    change.addEventListener('click', () => {
      field.value = withOther(field.value);
      judge();
    });
  }
  judge();
}

const told = ({ sub, scope }) => `${sub} may pass, with the scope ${scope}.`;

/** The text with one character changed, somewhere in its claims. */
function withOther(token) {
  const [header, payload = ''] = token.split('.');
  const at = header.length + 1 + Math.floor(Math.random() * payload.length);
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}

$('install-copy').addEventListener('click', () =>
  copy($('install').textContent, $('install-copy'), 'The command is copied'),
);
for (const id of ['good', 'bad'])
  showColours($(id).querySelector('.coloured'), $(id).querySelector('textarea').value);
await start();
verifier = createVerifier(POLICY);
for (const id of ['good', 'bad']) watch(id);
document.documentElement.dataset.ready = 'true';
keepOffline('./sw.js', $('offline'));
