// The demonstration: a session to be watched. Each button is one thing that happens to sessions in
// the world.

import { $, announce, element } from '../dom.js';
import { duration, nowSeconds } from '../times.js';
import {
  adopt,
  callApi,
  config,
  endSession,
  events,
  forget,
  listen,
  refresh,
  session,
  signIn,
} from './client.js';
import { showMessage } from './diagram.js';

const POLL_MS = 250;
const EVENTS_MS = 1000;
const REFRESH_BEFORE_SECONDS = 10;
const LOG_LENGTH = 60;
const LOST = 'the answer is lost';

// Tabs tell each other of sessions and of what to do together.
const channel = new BroadcastChannel('portcullis-demonstration');
let settings = {};
let busy = false;

listen((request) => {
  const answered = showMessage(request);
  return (status, note) => {
    answered(status, note === LOST);
    log($('requests'), `${request.method} ${request.path}`, `${status}${note && `, ${note}`}`, status < 400);
  };
});

function log(list, what, came, good) {
  const time = new Date().toLocaleTimeString();
  const item = element(
    'li',
    {},
    element('time', { textContent: time }),
    ` ${what}: `,
    element('span', { textContent: came }),
  );
  item.lastElementChild.dataset.state = good ? 'accepted' : 'refused';
  list.prepend(item);
  while (list.children.length > LOG_LENGTH) list.lastElementChild.remove();
}

/** One thing at a time; a failure of the network is said where it happened. */
function doing(id, work, place) {
  $(id).addEventListener('click', async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    show();
    try {
      if (place) tellResult(place, '…', 'working');
      const said = await work();
      const isHeld = typeof said === 'string';
      const sentence = isHeld ? said : said.failed;
      if (place) tellResult(place, sentence, isHeld ? 'held' : 'failed');
      else if (sentence) announce(sentence);
    } catch (error) {
      if (place) tellResult(place, error.message, 'failed');
      $('missing').hidden = !(error instanceof TypeError);
      announce(error.message);
    } finally {
      busy = false;
      show();
      tell();
    }
  });
}

/** What came of it, for an eye that looks for nothing else. */
function tellResult(place, sentence, state) {
  $(place).textContent = sentence;
  $(place).dataset.result = state;
}

/** That something is not as it should be. */
const failed = (sentence) => ({ failed: sentence });

const tell = () => session.sid && channel.postMessage({ kind: 'session', session: { ...session } });

doing('sign-in', async () => {
  await signIn($('user').value.trim() || 'ada');
  $('events').replaceChildren();
  await edge();
  return `Signed in as ${session.claims.sub}.`;
});
doing('end', async () => {
  await endSession();
  forget();
  channel.postMessage({ kind: 'ended' });
  return 'Signed out.';
});
doing('call', async () => {
  const { ok, code } = await edge();
  return ok ? 'The API answers.' : `The API refuses: ${code}.`;
});
doing('refresh', async () => {
  const { status, body } = await refresh();
  await edge();
  return status === 200 ? 'Refreshed: both tokens are new.' : `Refused: ${body?.error ?? status}.`;
});

doing(
  'both',
  async () => {
    const token = session.refresh;
    const others = answersOfOthers();
    channel.postMessage({ kind: 'refresh', token });
    const mine = await refresh({ token, note: 'with the token of both tabs' });
    const [theirs] = await others;
    if (!theirs) return failed('No other tab has answered. Open a second tab first.');
    const good = [mine.status, theirs].filter((status) => status === 200).length;
    await edge();
    return good === 2
      ? 'Both got a token from one refresh token, in the same instant: no false alarm.'
      : failed(`${good} of 2 got a token.`);
  },
  'both-result',
);

/** What other tabs report within a while: the statuses of their refreshes. */
function answersOfOthers() {
  return new Promise((resolve) => {
    const heard = ({ data }) => data?.kind === 'refreshed' && done([data.status]);
    const late = setTimeout(() => done([]), 3000);
    function done(statuses) {
      clearTimeout(late);
      channel.removeEventListener('message', heard);
      resolve(statuses);
    }
    channel.addEventListener('message', heard);
  });
}

doing(
  'lose',
  async () => {
    const token = session.refresh;
    await refresh({ token, keep: false, note: LOST });
    const again = await refresh({ token, note: 'the same token again' });
    if (again.status !== 200) return failed(`The second time it was refused: ${again.body?.error}.`);
    await edge();
    return 'The same token was good a second time: nobody had to sign in again.';
  },
  'lose-result',
);

doing(
  'steal',
  async () => {
    const stolen = session.refresh;
    const windows = Object.values(settings.windows ?? {}).filter(Number.isFinite);
    const wait = Math.min(60, Math.max(5, ...windows) + 1);
    for (let turn = 0; turn < 2; turn += 1) {
      const mine = await refresh({ note: 'you' });
      if (mine.status !== 200) return failed(`Your own refresh was refused: ${mine.body?.error}.`);
    }
    await passing(wait);
    const thief = await refresh({ token: stolen, keep: false, note: 'the thief' });
    const mine = await refresh({ note: 'you, afterwards' });
    const took = await untilRefused();
    if (thief.status === 200) return failed('The thief got a token: this must not be.');
    if (!took.code) return failed(sentenceOf(took));
    const ended =
      mine.status === 200 ? 'your own token still works' : 'your own session is over as well: sign in again';
    return `The thief was refused (${thief.body?.error}) and noticed; ${ended}. ${sentenceOf(took)}`;
  },
  'theft-result',
);

async function passing(seconds) {
  const bar = $('theft-progress');
  bar.hidden = false;
  const started = performance.now();
  for (let past = 0; past < seconds; past = (performance.now() - started) / 1000) {
    bar.value = past / seconds;
    $('theft-result').textContent = `The copy is used in ${duration(Math.ceil(seconds - past))} …`;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  bar.hidden = true;
}

doing(
  'revoke',
  async () => {
    await endSession();
    const took = await untilRefused();
    return took.code ? sentenceOf(took) : failed(sentenceOf(took));
  },
  'revoke-result',
);

/**
 * Asks the edge until it refuses: the seconds that took, or `undefined` when it goes on past all
 * patience.
 */
async function untilRefused() {
  const started = performance.now();
  const patience = (settings.maxStalenessSeconds ?? 30) + 10;
  for (;;) {
    const seconds = (performance.now() - started) / 1000;
    const { ok, code } = await edge();
    if (!ok) return { seconds, code };
    if (seconds > patience) return { seconds };
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function sentenceOf({ seconds, code }) {
  const stated = settings.maxStalenessSeconds;
  if (!code) return `After ${seconds.toFixed(1)} s the edge still lets it pass: this must not be.`;
  return `The edge refused it after ${seconds.toFixed(1)} s (${code})${stated ? `; stated are at most ${stated} s` : ''}.`;
}

async function edge() {
  const answer = await callApi();
  $('edge').textContent = answer.ok ? 'yes' : 'no';
  $('edge').dataset.state = answer.ok ? 'accepted' : 'refused';
  $('edge-why').textContent = answer.ok ? `${answer.status}` : `${answer.status}, ${answer.code}`;
  return answer;
}

channel.addEventListener('message', async ({ data }) => {
  if (typeof data?.kind !== 'string') return;
  if (data.kind === 'who') tell();
  if (data.kind === 'ended') forget();
  if (data.kind === 'session') adopt(data.session);
  if (data.kind === 'refresh') {
    const { status } = await refresh({ token: data.token, note: 'together with the other tab' });
    channel.postMessage({ kind: 'refreshed', status });
  }
  show();
});

function show() {
  const { sid, access, refresh: token, claims } = session;
  const out = sid === '';
  for (const id of ['call', 'refresh', 'end', 'both', 'lose', 'steal', 'revoke']) $(id).disabled = out;
  document.body.setAttribute('aria-busy', String(busy));
  $('sid').textContent = sid || 'none';
  const left = claims ? claims.exp - nowSeconds() : 0;
  $('access').textContent = !access
    ? 'none'
    : left > 0
      ? `for ${claims.sub}, expires in ${duration(left)}`
      : 'expired';
  // Its end tells one from another, and nobody can use it.
  $('refresh-token').textContent = token ? `… ${token.slice(-6)}` : 'none';
  $('inspect').hidden = !access;
  if (access) $('inspect').href = `../inspect/#inspect?token=${access}`;
}

const LONGEST_WAIT_MS = 300_000;
let tries = 0;
let nextTry = 0;
setInterval(() => {
  show();
  const soon = session.claims && session.claims.exp - nowSeconds() < REFRESH_BEFORE_SECONDS;
  if (!soon) tries = 0;
  if ($('auto').checked && soon && !busy && Date.now() >= nextTry) {
    // A server that fails is asked less and less often, and not by all tabs at once.
    nextTry = Date.now() + Math.min(5000 * 2 ** tries, LONGEST_WAIT_MS) * (1 + Math.random() / 10);
    tries += 1;
    $('refresh').click();
  }
}, 1000);

/** The issuer’s own account, newest first. */
setInterval(async () => {
  if (session.sid === '' || document.hidden) return;
  const known = await events().catch(() => []);
  if (known.length === $('events').children.length) return;
  $('events').replaceChildren(...known.toReversed().slice(0, LOG_LENGTH).map(eventItem));
}, EVENTS_MS);

function eventItem(event) {
  const { event: name, kind, type, at, time, ...rest } = event;
  const when = at ?? time;
  const details = Object.entries(rest)
    .filter(([, value]) => typeof value !== 'object')
    .map(([key, value]) => `${key} ${value}`);
  return element(
    'li',
    {},
    element('time', { textContent: Number.isFinite(when) ? new Date(when * 1000).toLocaleTimeString() : '' }),
    ' ',
    element('b', { textContent: String(name ?? kind ?? type ?? 'event') }),
    details.length > 0 ? ` ${details.join(', ')}` : '',
  );
}

channel.postMessage({ kind: 'who' });
show();
try {
  settings = (await config()) ?? {};
  if (settings.maxStalenessSeconds) $('staleness').textContent = `${settings.maxStalenessSeconds} seconds`;
} catch {
  $('missing').hidden = false;
}
document.documentElement.dataset.ready = 'true';
