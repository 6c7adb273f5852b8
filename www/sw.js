// Offline after the first visit: every file of the site is kept under the version they make up
// together, and answered from there. It is the one script here that fetches, and only these files,
// from where it came from itself.
importScripts('./precache.js');

const { version, files, documents } = self.precache;
const CACHE = `portcullis-${version}`;
const scope = new URL('./', self.location.href);
const known = new Set([...files, ...documents].map((file) => new URL(file, scope).href));

self.addEventListener('install', (event) => {
  event.waitUntil(keep(files).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(forget().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET') return;
  const url = new URL(request.url);
  url.hash = '';
  url.search = '';
  if (url.pathname.endsWith('/')) url.pathname += 'index.html';
  if (known.has(url.href)) event.respondWith(answer(url.href, request));
});

// The search asks for all pages, so that what it finds can be read offline as well.
self.addEventListener('message', (event) => {
  if (event.data === 'keep the documentation') event.waitUntil(keep(documents));
});

async function keep(names) {
  const cache = await caches.open(CACHE);
  await cache.addAll(names.map((file) => new Request(new URL(file, scope), { cache: 'reload' })));
}

/** Versions of before. */
async function forget() {
  const names = await caches.keys();
  await Promise.all(
    names
      .filter((name) => name.startsWith('portcullis-') && name !== CACHE)
      .map((name) => caches.delete(name)),
  );
}

async function answer(href, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(href)) ?? fetch(request);
}
