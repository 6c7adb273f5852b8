// A page of the documentation around its text: head, navigation, contents. No page but the search
// has a script.
import { posix } from 'node:path';

import { DOCUMENT, SEARCH } from '../../../www/csp.js';
import { escaped } from './markdown.mjs';

const SEARCH_PAGE = 'search.html';

/** The address of one page as another one writes it. */
export function relative(from, to) {
  const path = posix.relative(posix.dirname(from), to);
  return path === '' ? posix.basename(to) : path;
}

const addressOf = (path) => path.replace(/\.md$/, '.html');

/**
 * The whole HTML of a page. `path` is its address below docs/; `sections` is the navigation, with
 * titles; `headings` its contents; `around` the pages before and after it.
 */
export function layout({ path, title, description, html, headings = [], sections, around = {}, script }) {
  const to = (target) => escaped(relative(path, addressOf(target)));
  const up = relative(path, '../');
  const root = up.endsWith('/') ? up : `${up}/`;
  const head = [
    `<meta http-equiv="Content-Security-Policy" content="${script ? SEARCH : DOCUMENT}">`,
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    `<meta name="description" content="${escaped(description)}">`,
    `<title>${escaped(title)} · Portcullis</title>`,
    `<link rel="preload" href="${root}fonts/bitter-600.woff2" as="font" type="font/woff2" crossorigin>`,
    `<link rel="stylesheet" href="${root}style.css">`,
    `<link rel="stylesheet" href="${root}parts.css">`,
    `<link rel="stylesheet" href="${to('docs.css')}">`,
    `<link rel="icon" href="${root}mark.svg">`,
    `<link rel="manifest" href="${root}site.webmanifest">`,
    ...(script ? [`<script type="module" src="${to(script)}"></script>`] : []),
  ];
  const current = (target) => (addressOf(target) === path ? ' aria-current="page"' : '');
  const menu = sections.map(({ folder, index, title: name, pages }) => {
    const isOpen = path.startsWith(`${folder}/`);
    const own = isOpen
      ? `<ul>${pages.map((each) => `<li><a href="${to(each.path)}"${current(each.path)}>${escaped(each.title)}</a></li>`).join('')}</ul>`
      : '';
    return `<li><a href="${to(index)}"${current(index)}>${escaped(name)}</a>${own}</li>`;
  });
  const contents = headings
    .filter(({ depth }) => depth <= 3)
    .map(
      ({ depth, text, anchor }) =>
        `<li class="depth-${depth}"><a href="#${anchor}">${escaped(text)}</a></li>`,
    );
  const steps = [
    around.before && `<a rel="prev" href="${to(around.before.path)}">← ${escaped(around.before.title)}</a>`,
    around.after && `<a rel="next" href="${to(around.after.path)}">${escaped(around.after.title)} →</a>`,
  ].filter(Boolean);
  return `<!doctype html>
<html lang="en" data-view="docs">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    ${head.join('\n    ')}
  </head>
  <body class="docs">
    <a class="skip" href="#content">Skip to the content</a>
    <header class="top">
      <div class="name">
        <img src="${root}mark.svg" alt="" width="36" height="36">
        <p class="lead"><a href="${root}index.html">Portcullis</a></p>
      </div>
      <nav aria-label="Site">
        <a href="${to('index.md')}"${current('index.md')}>Documentation</a>
        <a href="${root}inspect/index.html">Inspector</a>
      </nav>
      <form class="tools" role="search" action="${to(SEARCH_PAGE)}" method="get">
        <label class="hidden" for="find">Search the documentation</label>
        <input id="find" name="q" type="search" placeholder="Search" autocomplete="off" spellcheck="false">
        <button type="submit">Search</button>
      </form>
    </header>
    <div class="columns">
      <main class="prose" id="content">
${html}${steps.length > 0 ? `<nav class="steps" aria-label="Next and previous page">${steps.join('')}</nav>\n` : ''}      </main>
      ${contents.length > 1 ? `<nav class="contents" aria-labelledby="on-this-page"><h2 id="on-this-page">On this page</h2><ul>${contents.join('')}</ul></nav>` : ''}
      <nav class="menu" aria-label="Documentation">
        <ul>${menu.join('\n        ')}</ul>
      </nav>
    </div>
  </body>
</html>
`;
}
