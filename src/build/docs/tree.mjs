// The pages of www/docs: what there is, in which order, and under which address. A folder's
// index.md is its order: the links of its lists, from top to bottom. A page that its index does
// not name, and a link that leads to no page, are mistakes.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

import { Plain, ROOT } from '../steps.mjs';

export const DOCS = join(ROOT, 'www', 'docs');

/** Documents that stand elsewhere in the repository and are pages of the site as well. */
const ELSEWHERE = {
  'explanation/security.md': '.github/SECURITY.md',
  'explanation/engine-review.md': 'src/engine/REVIEW.md',
  'explanation/feed-log.md': 'src/issuer/feed/DESIGN.md',
  'explanation/threats.md': 'tests/vectors/README.md',
  'reference/changelog.md': 'CHANGELOG.md',
};

/** A page: `path` below www/docs, `source` below the repository, `markdown`. */
const page = (path, source) => ({ path, source, markdown: readFileSync(join(ROOT, source), 'utf8') });

/** Every page that is written by hand, by its path. */
export function readPages() {
  const own = readdirSync(DOCS, { recursive: true })
    .map((name) => String(name).replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => page(name, `www/docs/${name}`));
  const mounted = Object.entries(ELSEWHERE).map(([path, source]) => page(path, source));
  return new Map([...own, ...mounted].map((each) => [each.path, each]));
}

/** The path below www/docs of a file of the repository, where it is a page; otherwise undefined. */
export function pageOfSource(source) {
  if (source.startsWith('www/docs/')) return source.slice('www/docs/'.length);
  return Object.keys(ELSEWHERE).find((path) => ELSEWHERE[path] === source);
}

/** The title of a page: its first heading. */
export function titleOf({ path, markdown }) {
  const [, title] = /^# (.+)$/m.exec(markdown) ?? [];
  if (title === undefined) throw new Plain(`www/docs/${path} has no heading`);
  return title.replaceAll(/[`*]/g, '');
}

/** The folders in the order of www/docs/index.md, each with its pages in the order of its index. */
export function navigation(pages) {
  const folders = linksOf(pages.get('index.md')).filter((path) => path.endsWith('/index.md'));
  const sections = folders.map((path) => {
    const folder = posix.dirname(path);
    const index = pages.get(path);
    if (index === undefined) throw new Plain(`www/docs/index.md names ${path}, which is not there`);
    const named = [...new Set(linksOf(index).filter((each) => posix.dirname(each) === folder))];
    return { folder, index: path, title: titleOf(index), pages: named };
  });
  const named = new Set(['index.md', ...sections.flatMap(({ index, pages: own }) => [index, ...own])]);
  const forgotten = [...pages.keys()].filter((path) => !named.has(path));
  if (forgotten.length > 0)
    throw new Plain(`no index names ${forgotten.join(', ')}: add a line to the index.md of its folder`);
  return sections;
}

/** The pages that the list items of an index begin with. */
function linksOf({ source, markdown }) {
  const items = markdown.matchAll(/^- \[[^\]]*\]\(([^)#]+\.md)\)/gm);
  const sources = [...items].map(([, target]) => posix.join(posix.dirname(source), target));
  return sources.map((each) => pageOfSource(each) ?? each);
}

/** Whether a file of the repository is there. */
export const isThere = (source) => existsSync(join(ROOT, source));
