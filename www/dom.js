// The few things every part of the page needs. Text goes in as text, never as HTML: a token is
// written by strangers.

export const $ = (id) => document.getElementById(id);

/** Is that section of the page the one that is seen? */
export const isOpen = (view) => document.documentElement.dataset.view === view;

/**
 * An element with its properties (`dataset` and `aria` are objects of their own) and what is in
 * it.
 */
export function element(name, { dataset, aria, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  Object.assign(made.dataset, dataset);
  for (const [key, value] of Object.entries(aria ?? {})) made.setAttribute(`aria-${key}`, value);
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

/** A token in its colours, behind the field it is typed in. */
export function showColours(place, token) {
  const pieces = token
    .split('.')
    .flatMap((text, index) => [
      index > 0 ? '.' : '',
      element('span', { className: ['header', 'payload', 'signature'][index] ?? 'rest', textContent: text }),
    ]);
  // A last line break has no height of its own, and a field shows one more line than its text.
  place.replaceChildren(...pieces, '\n');
}

/**
 * Says a sentence to a screen reader. Emptied first, so that the same sentence is said a second
 * time.
 */
export function announce(text) {
  const region = $('announcement');
  region.textContent = '';
  setTimeout(() => {
    region.textContent = text;
  }, 30);
}

/**
 * Copies a text and says on the button that it has; where a browser denies it, the text is to be
 * copied by hand.
 */
export async function copy(text, button, what = 'Copied') {
  const label = button.dataset.label ?? button.textContent;
  button.dataset.label = label;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
    announce(`${what}.`);
  } catch {
    button.textContent = 'Not allowed';
    announce('The browser does not allow copying. Select the text and copy it by hand.');
  }
  setTimeout(() => {
    button.textContent = label;
  }, 1500);
}

/** Hands a text to the person as a file. */
export function saveAs(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  element('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Runs `work` once the last call is `milliseconds` old. */
export function settled(work, milliseconds = 120) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), milliseconds);
  };
}

/** Where text files may be dropped: a field takes their content. */
export function takesDrops(field, taken) {
  field.addEventListener('dragover', (event) => event.preventDefault());
  field.addEventListener('drop', async (event) => {
    const [file] = event.dataTransfer.files;
    if (!file) return;
    event.preventDefault();
    field.value = (await file.text()).slice(0, 262_144);
    taken();
  });
}
