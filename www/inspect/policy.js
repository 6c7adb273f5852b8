// The policy playground: an editor that knows the schema, the verdict about the token as the
// policy changes, and snippets to take along.

import { $, announce, copy, element, isOpen, saveAs, settled, takesDrops } from '../dom.js';
import { providerOf } from './claims.js';
import { createVerifier, PolicyError, schema } from './core.js';
import { lineAndColumn, read } from './json.js';
import { check, completionsAt } from './schema.js';
import { refusal, showStages } from './stages.js';
import { keyAddress, policyOf, verifyJwks } from './verify.js';

const MOST_ERRORS = 8;

let token = '';
let taken;
let choices;
let chosen = 0;

export function startPolicy() {
  const editor = $('policy');
  const again = settled(refresh, 150);
  editor.addEventListener('input', () => {
    again();
    showCompletions();
  });
  editor.addEventListener('keydown', onKey);
  editor.addEventListener('click', closeCompletions);
  editor.addEventListener('blur', () => setTimeout(closeCompletions, 150));
  takesDrops(editor, refresh);
  $('policy-from-verify').addEventListener('click', () => setPolicy(beginning()));
  $('policy-from-issuer').addEventListener('click', () => setPolicy(suggested()));
  $('policy-save').addEventListener('click', () => saveAs('policy.json', SNIPPETS.file.code(editor.value)));
  $('snippet').append(
    ...Object.entries(SNIPPETS).map(([value, { label }]) => element('option', { value, textContent: label })),
  );
  $('snippet').addEventListener('input', showSnippet);
  $('snippet-copy').addEventListener('click', () =>
    copy($('snippet-code').textContent, $('snippet-copy'), 'The snippet is copied'),
  );
}

export function openPolicy() {
  if ($('policy').value === '') setPolicy(beginning());
  else refresh();
}

export function policyToken(newToken, newTaken) {
  token = newToken;
  taken = newTaken;
  $('policy-from-issuer').hidden = !providerOf(taken.claims?.value, taken.header?.value);
  if (isOpen('policy')) refresh();
}

export const policyText = () => $('policy').value;

export function setPolicy(policy) {
  $('policy').value = typeof policy === 'string' ? policy : JSON.stringify(policy, null, 2);
  refresh();
}

/** What Verify comes to; without a key there, keys are where the issuer publishes them. */
function beginning() {
  const policy = policyOf();
  const [issuer] = policy.issuers;
  return issuer.jwks || issuer.keys ? policy : { ...policy, issuers: [{ ...issuer, remote: remote() }] };
}

/** Where the keys are published: at the address that was pasted, or as the metadata says. */
function remote() {
  const jwksUri = keyAddress();
  if (!jwksUri || jwksUri.includes('/.well-known/openid-configuration')) return { discovery: 'oidc' };
  return jwksUri.includes('/.well-known/oauth-authorization-server') ? { discovery: 'oauth' } : { jwksUri };
}

/** The preset of the provider that issued the token. */
function suggested() {
  const { fields } = providerOf(taken.claims.value, taken.header?.value);
  const { aud } = taken.claims.value;
  const audience = fields.audience ?? (Array.isArray(aud) ? aud[0] : aud) ?? 'YOUR-API';
  return { issuers: [{ ...fields, audience }] };
}

function refresh() {
  $('policy-keys').hidden = true;
  const text = $('policy').value;
  const { value, places, duplicates, error } = read(text);
  let problems = [];
  let verdict;
  if (error) problems = [{ at: error.at, message: error.message }];
  else {
    const at = (pointer) => placeOf(places, pointer);
    problems = duplicates.map((pointer) => ({ pointer, at: at(pointer), message: 'is there twice' }));
    problems.push(...check(value, schema).map((found) => ({ ...found, at: at(found.pointer) })));
    verdict = decide(value, (problem) => problems.push({ ...problem, at: at(problem.pointer) }), problems);
  }
  showProblems(text, problems);
  showPolicyVerdict(verdict, problems);
  showSnippet();
}

function decide(policy, say, problems) {
  try {
    const verifier = createVerifier(policy);
    handOver(verifier, policy);
    return token === '' ? undefined : verifier.verify(token);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    // The schema has often said the same already, at the same place.
    if (!problems.some(({ pointer }) => pointer === error.pointer))
      say({ pointer: error.pointer, message: error.reason, core: true });
    return undefined;
  }
}

/**
 * A gate fetches the keys that a policy does not have; this page fetches nothing, and takes those
 * of Verify.
 */
function handOver(verifier, policy) {
  const isFetched = policy.issuers.some((one) => !one.jwks && !one.keys && !one.introspection);
  $('policy-keys').hidden = !isFetched;
  if (!isFetched) return;
  const jwks = verifyJwks();
  const issuer = taken?.claims?.value?.iss;
  let say = 'Paste the issuer’s JWK Set under Verify to see the verdict here.';
  if (jwks && typeof issuer === 'string') {
    try {
      verifier.setRemoteKeys(issuer, jwks);
      say = 'Here they are the JWK Set from Verify.';
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      say = `The JWK Set from Verify is refused: ${error.reason}.`;
    }
  }
  $('policy-keys').textContent = `The keys are not in the policy: they are fetched at run time. ${say}`;
}

/** Where a pointer points, or the nearest thing around it. */
function placeOf(places, pointer) {
  let nearest = pointer;
  while (!places.has(nearest) && nearest !== '') nearest = nearest.slice(0, nearest.lastIndexOf('/'));
  const place = places.get(nearest);
  return place?.name ?? place?.start ?? 0;
}

function showProblems(text, problems) {
  const shown = [
    ...new Map(problems.map((problem) => [`${problem.at} ${problem.message}`, problem])).values(),
  ].slice(0, MOST_ERRORS);
  $('policy').setAttribute('aria-invalid', String(shown.length > 0));
  $('policy-problems').replaceChildren(
    ...shown.map(({ at, pointer, message }) => {
      const { line, column } = lineAndColumn(text, at);
      const button = element('button', {
        type: 'button',
        className: 'where',
        textContent: `Line ${line}, column ${column}`,
      });
      button.addEventListener('click', () => {
        $('policy').focus();
        $('policy').setSelectionRange(at, at);
      });
      return element(
        'li',
        {},
        button,
        ' ',
        pointer ? element('code', { textContent: pointer }) : '',
        ' ',
        `${message}.`,
      );
    }),
  );
  const state =
    shown.length === 0
      ? 'This is a policy.'
      : `${shown.length} ${shown.length === 1 ? 'thing is' : 'things are'} wrong with it.`;
  if ($('policy-state').textContent !== state) $('policy-state').textContent = state;
  $('policy-state').dataset.level = shown.length === 0 ? 'good' : 'bad';
}

function showPolicyVerdict(verdict, problems) {
  const place = $('policy-verdict');
  const state = !verdict ? 'idle' : verdict.ok ? 'accepted' : 'refused';
  place.dataset.state = state;
  showStages($('policy-stages'), verdict);
  const title = {
    idle: problems.length > 0 ? 'No verdict' : 'No token yet',
    accepted: 'Accepted',
    refused: 'Refused',
  }[state];
  if ($('policy-outcome').textContent !== title) {
    $('policy-outcome').textContent = title;
    if (isOpen('policy') && state !== 'idle') announce(`By this policy the token is ${title.toLowerCase()}.`);
  }
  $('policy-why').replaceChildren(verdict && !verdict.ok ? refusal(verdict) : sentenceFor(state, problems));
}

function sentenceFor(state, problems) {
  if (state === 'accepted') return 'Every stage passed by this policy.';
  return problems.length > 0
    ? 'A policy with a mistake decides nothing: createVerifier throws, naming the field.'
    : 'Paste a token above: this policy will judge it.';
}

function showSnippet() {
  const { code, about } = SNIPPETS[$('snippet').value];
  $('snippet-code').textContent = code($('policy').value);
  $('snippet-about').textContent = about;
}

function showCompletions(force = false) {
  const editor = $('policy');
  const before = editor.value[editor.selectionStart - 1] ?? '';
  choices =
    force || /["\w]/.test(before) ? completionsAt(editor.value, editor.selectionStart, schema) : undefined;
  chosen = 0;
  const list = $('completions');
  list.replaceChildren(
    ...(choices?.items ?? []).map(({ label, about }, index) => option(label, about, index)),
  );
  list.hidden = !choices;
  mark();
}

function option(label, about, index) {
  const item = element(
    'div',
    { id: `completion-${index}`, role: 'option' },
    element('b', { textContent: label }),
    element('span', { textContent: about }),
  );
  item.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    take(index);
  });
  return item;
}

function mark() {
  for (const [index, item] of [...$('completions').children].entries())
    item.setAttribute('aria-selected', String(index === chosen));
  const active = choices && $(`completion-${chosen}`);
  if (active) $('policy').setAttribute('aria-activedescendant', active.id);
  else $('policy').removeAttribute('aria-activedescendant');
  active?.scrollIntoView({ block: 'nearest' });
}

function closeCompletions() {
  choices = undefined;
  $('completions').hidden = true;
  mark();
}

function onKey(event) {
  if (event.key === ' ' && event.ctrlKey) {
    event.preventDefault();
    showCompletions(true);
    announce(choices ? `${choices.items.length} suggestions.` : 'No suggestions here.');
    return;
  }
  if (!choices) return;
  const moves = { ArrowDown: 1, ArrowUp: -1 };
  if (moves[event.key]) {
    chosen = (chosen + moves[event.key] + choices.items.length) % choices.items.length;
    mark();
  } else if (event.key === 'Enter') take(chosen);
  else if (event.key === 'Escape') closeCompletions();
  else return;
  event.preventDefault();
}

function take(index) {
  const { from, to, items } = choices;
  const { text, caret } = items[index];
  const editor = $('policy');
  editor.setRangeText(text, from, to, 'end');
  editor.setSelectionRange(editor.selectionStart - caret, editor.selectionStart - caret);
  closeCompletions();
  refresh();
}

const FILE = 'policy.json';
const IMPORT = `import policy from './${FILE}' with { type: 'json' };`;

const SNIPPETS = {
  file: {
    label: 'A file',
    about: `Save it as ${FILE}; the schema gives every editor completion.`,
    code: (policy) => withSchema(policy),
  },
  worker: {
    label: 'Worker',
    about: 'A Worker in front of your origin; also for Deno, Bun and Vercel.',
    code: () => `import { createGate } from 'portcullis/gate';
${IMPORT}

const gate = createGate(policy);

export default {
  fetch: gate.protect((request, { claims }) => new Response(\`Hello, \${claims.sub}\`)),
};
`,
  },
  hono: {
    label: 'Hono',
    about: 'Middleware; the claims are in c.var.jwtPayload.',
    code: () => `import { Hono } from 'hono';
import { createGate } from 'portcullis/gate';
import { guard } from 'portcullis/hono';
${IMPORT}

const app = new Hono();
app.use('/notes', guard(createGate(policy)));
app.get('/notes', (c) => c.text(\`Hello, \${c.var.jwtPayload.sub}\`));

export default app;
`,
  },
  express: {
    label: 'Express',
    about: 'Middleware; the claims are in req.auth.',
    code: () => `import express from 'express';
import { guard } from 'portcullis/express';
import { createGate } from 'portcullis/gate';
${IMPORT}

const app = express();
app.use('/notes', guard(createGate(policy)));
app.get('/notes', (req, res) => res.send(\`Hello, \${req.auth.claims.sub}\`));

app.listen(3000);
`,
  },
};

function withSchema(text) {
  try {
    const policy = JSON.parse(text);
    const $schema = './node_modules/portcullis/dist/policy.schema.json';
    return `${JSON.stringify({ $schema, ...policy }, null, 2)}\n`;
  } catch {
    return text;
  }
}
