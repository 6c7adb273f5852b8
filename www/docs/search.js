// The search of the documentation. Its index is a script beside it, made when the site was:
// nothing is sent or fetched.
import { sections } from './search-index.js';

const MOST_RESULTS = 40;
const EXCERPT = 90;
/** What a word is worth by where it stands. */
const WORTH = { title: 12, heading: 8, text: 1 };

const entries = sections.map(([address, title, heading, text]) => ({
  address,
  title,
  heading,
  text,
  words: { title: wordsOf(title), heading: wordsOf(heading), text: wordsOf(text) },
}));

function wordsOf(text) {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Every word of the question has to begin a word of the section. */
function score(entry, wanted) {
  let total = 0;
  for (const word of wanted) {
    let best = 0;
    for (const [place, worth] of Object.entries(WORTH))
      for (const own of entry.words[place])
        if (own.startsWith(word)) best += own === word ? worth * 2 : worth;
    if (best === 0) return 0;
    // A word that is there often counts little more than one that is there once.
    total += Math.log2(1 + best);
  }
  return total;
}

function find(question) {
  const wanted = wordsOf(question);
  if (wanted.length === 0) return [];
  return entries
    .map((entry) => ({ entry, points: score(entry, wanted) }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points)
    .slice(0, MOST_RESULTS);
}

/** The text around the first word that was asked for. */
function excerpt(text, question) {
  const lower = text.toLowerCase();
  const places = wordsOf(question).map((word) => lower.indexOf(word));
  const at = Math.min(...places.filter((place) => place >= 0), text.length);
  const start = at === text.length ? 0 : Math.max(0, at - EXCERPT);
  const part = text.slice(start, start + 2 * EXCERPT);
  return `${start > 0 ? '…' : ''}${part}${start + part.length < text.length ? '…' : ''}`;
}

function show(question) {
  const found = find(question);
  const told = document.querySelector('#told');
  if (question.trim() === '') told.textContent = 'Write a word: a code, a field, a provider.';
  else told.textContent = found.length === 0 ? 'Nothing was found.' : `${found.length} sections were found.`;
  const items = found.map(({ entry }) => {
    const link = document.createElement('a');
    link.href = entry.address;
    link.textContent = entry.heading ? `${entry.title}: ${entry.heading}` : entry.title;
    const text = document.createElement('p');
    text.textContent = excerpt(entry.text, question);
    const item = document.createElement('li');
    item.append(link, text);
    return item;
  });
  document.querySelector('#results').replaceChildren(...items);
}

const input = document.querySelector('#find');
input.value = new URLSearchParams(location.search).get('q') ?? '';
input.addEventListener('input', () => show(input.value));
show(input.value);

if ('serviceWorker' in navigator) keepOffline();

/** What was found can then be read without a network as well. */
async function keepOffline() {
  const policy = self.trustedTypes?.createPolicy('service-worker', { createScriptURL: () => '../sw.js' });
  try {
    await navigator.serviceWorker.register(policy ? policy.createScriptURL('') : '../sw.js');
    const { active } = await navigator.serviceWorker.ready;
    active.postMessage('keep the documentation');
  } catch {
    // Not from a file, nor in every mode of a browser: the pages are there all the same.
  }
}
