// The documentation: www/docs/**.md and what is generated, as pages of the site below docs/. Every
// link and every anchor is checked on the way; a mistake ends the build with one sentence.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

import { Plain, ROOT } from '../steps.mjs';
import { API, apiPages } from './api.mjs';
import { codePages } from './codes.mjs';
import { generated } from './generated.mjs';
import { layout, relative } from './layout.mjs';
import { escaped, render, resolve } from './markdown.mjs';
import { DOCS, isThere, navigation, pageOfSource, readPages, titleOf } from './tree.mjs';

const FILES = ['docs.css', 'search.js', 'flow.svg'];
/** The page of all codes, whose sections are pages of their own in the site. */
const CODES = 'reference/codes.md';

/** Addresses of examples, which Markdown would make links of. */
const NOWHERE = /^https?:\/\/(?:localhost|127\.|[^/]*\.example)(?![\w-])/;
const GENERATED = /<!-- generated: ([\w-]+)(?: ([\w-]+))? -->/g;

/** Writes the documentation into a folder, and says which pages there are. */
export async function writeDocs(folder) {
  const pages = await allPages();
  const sections = titled(navigation(pages.written), pages.written);
  const order = sections.flatMap(({ index, pages: own }) => [index, ...own.map(({ path }) => path)]);
  const repository = repositoryOf(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')));
  const rendered = new Map();
  const anchors = new Map();
  const links = [];
  for (const page of [...pages.written.values(), ...pages.codes, ...pages.api]) {
    const address = page.path.replace(/\.md$/, '.html');
    const result = render(page, (target) => {
      const found = whereTo(page, target, repository);
      if (found?.page) links.push({ from: page.source, target, ...found });
      return found && (found.href ?? relative(address, found.address) + found.hash);
    });
    rendered.set(page.path, { page, address, ...result });
    anchors.set(address, new Set(result.headings.map(({ anchor }) => anchor)));
  }
  checkLinks(links, anchors);
  const index = [];
  for (const { page, address, html, headings, texts } of rendered.values()) {
    const title = titleOf(page);
    const at = order.indexOf(page.path);
    const neighbour = (path) => path && { path, title: titleOf(pages.written.get(path)) };
    const around = at < 0 ? {} : { before: neighbour(order[at - 1]), after: neighbour(order[at + 1]) };
    const description = texts[0].text.slice(0, 160) || title;
    write(folder, address, layout({ path: address, title, description, html, headings, sections, around }));
    // The codes are found on their own pages.
    for (const { anchor, heading, text } of page.path === CODES ? texts.slice(0, 1) : texts)
      if (heading || text) index.push([address + (anchor && `#${anchor}`), title, heading, text]);
  }
  for (const name of FILES) copyFileSync(join(DOCS, name), join(folder, name));
  write(
    folder,
    'search-index.js',
    `// Made by src/build/docs/docs.mjs.\nexport const sections = ${JSON.stringify(index)};\n`,
  );
  write(folder, 'search.html', searchPage(sections, rendered));
  return { pages: [...rendered.keys()], links: links.length };
}

/** The pages as they stand, with what is generated in its place, and a page for each code. */
export async function allPages() {
  const written = readPages();
  for (const page of written.values()) {
    for (const [comment, name, word] of page.markdown.matchAll(GENERATED)) {
      if (generated[name] === undefined)
        throw new Plain(`${page.source} asks for ${name}, which nobody makes`);
      page.markdown = page.markdown.replace(comment, () => generated[name](word));
    }
  }
  return { written, codes: codePages(written.get(CODES)), api: apiPages() };
}

/**
 * Where a link leads: `{ href }` outside, `{ page, address, hash }` inside, or undefined where the
 * site has no such file.
 */
function whereTo(page, target, repository) {
  if (/^(?:https?|mailto):/.test(target)) return NOWHERE.test(target) ? undefined : { href: target };
  const [path, fragment] = target.split('#');
  const hash = fragment ? `#${fragment}` : '';
  const source = path === '' ? page.source : resolve(page.source, path);
  // What is generated is no file; whether it is a page, the check of links says.
  const isMade = source.startsWith(`${API}/`);
  if (!isMade && !isThere(source))
    throw new Plain(`${page.source} links to ${target}: there is no ${source}`);
  const inside = pageOfSource(source);
  if (inside === CODES && hash && path !== '')
    return { page: inside, address: `reference/codes/${fragment}.html`, hash: '' };
  if (inside?.endsWith('.md')) return { page: inside, address: inside.replace(/\.md$/, '.html'), hash };
  if (inside !== undefined) return { page: undefined, address: inside, hash };
  if (source.startsWith('www/')) return { address: `../${source.slice('www/'.length)}`, hash };
  return repository && { href: `${repository}/blob/main/${source}${hash}` };
}

function checkLinks(links, anchors) {
  for (const { from, target, address, hash } of links) {
    const there = anchors.get(address);
    if (there === undefined) throw new Plain(`${from} links to ${target}: there is no page ${address}`);
    if (hash && !there.has(hash.slice(1)))
      throw new Plain(`${from} links to ${target}: ${address} has no ${hash}`);
  }
}

/**
 * The one setting by which the site names files of the repository: `repository` of package.json.
 */
function repositoryOf({ repository }) {
  const url = typeof repository === 'string' ? repository : repository?.url;
  return url?.replace(/^git\+/, '').replace(/\.git$/, '');
}

const titled = (sections, pages) =>
  sections.map((section) => ({
    ...section,
    pages: section.pages.map((path) => ({ path, title: titleOf(pages.get(path)) })),
  }));

/** The search, and without a script the list of all pages. */
function searchPage(sections, rendered) {
  const entry = (path, title) => `<li><a href="${path.replace(/\.md$/, '.html')}">${escaped(title)}</a></li>`;
  const made = (folder) => [...rendered.keys()].filter((path) => posix.dirname(path) === folder);
  const named = (folder) => made(folder).map((path) => entry(path, titleOf(rendered.get(path).page)));
  const lists = [
    ...sections.map(({ index, title, pages }) => [
      title,
      [entry(index, title), ...pages.map((each) => entry(each.path, each.title))],
    ]),
    ['TypeScript API', named('reference/api')],
    ['Codes', named('reference/codes')],
  ].map(([title, items]) => `<h3>${escaped(title)}</h3>\n<ul>${items.join('')}</ul>`);
  const html = `<h1>Search</h1>
<p id="told" role="status">The search needs a script. Without one, here are all pages.</p>
<ol id="results" class="results"></ol>
<section aria-labelledby="all"><h2 id="all">All pages</h2>
${lists.join('\n')}</section>
`;
  const description = 'Searches the documentation of Portcullis, in the browser.';
  return layout({ path: 'search.html', title: 'Search', description, html, sections, script: 'search.js' });
}

function write(folder, path, text) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
