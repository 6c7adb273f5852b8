// Markdown to HTML, by the library `marked`: headings with anchors, links that lead to pages,
// tables and code that scroll by themselves.
import { posix } from 'node:path';

import { Marked } from 'marked';

import { Plain } from '../steps.mjs';

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escaped = (text) => text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character]);

/** The anchor of a heading, as forges make it. */
export function anchorOf(text) {
  const kept = text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim();
  return kept.replaceAll(/\s/g, '-');
}

/** The plain text of inline tokens. */
const plain = (tokens) =>
  tokens.map((token) => (token.tokens ? plain(token.tokens) : (token.text ?? ''))).join('');

/**
 * The page as `{ html, headings, texts }`: `headings` are those below the title, as `{ depth,
 * text, anchor }`, and `texts` what stands below each heading, for the search. `link(target)` says
 * where a link leads: an address, or undefined for text without a link.
 */
export function render({ path, markdown }, link) {
  const headings = [];
  const anchors = new Map();
  const texts = [{ anchor: '', heading: '', text: [] }];
  const renderer = {
    heading({ tokens, depth }) {
      const text = plain(tokens);
      const inner = this.parser.parseInline(tokens);
      if (depth === 1) return `<h1>${inner}</h1>\n`;
      const base = anchorOf(text);
      const count = anchors.get(base) ?? 0;
      anchors.set(base, count + 1);
      const anchor = count === 0 ? base : `${base}-${count}`;
      headings.push({ depth, text, anchor });
      const own = `<a class="anchor" href="#${anchor}" aria-label="Link to this section">#</a>`;
      return `<h${depth} id="${anchor}">${inner} ${own}</h${depth}>\n`;
    },
    link({ href, title, tokens }) {
      const inner = this.parser.parseInline(tokens);
      const address = link(href);
      if (address === undefined) return inner;
      return `<a href="${escaped(address)}"${title ? ` title="${escaped(title)}"` : ''}>${inner}</a>`;
    },
    image({ href, text }) {
      const address = link(href);
      if (address === undefined) throw new Plain(`${path}: the picture ${href} is not part of the site`);
      return `<img src="${escaped(address)}" alt="${escaped(text)}">`;
    },
    code({ text, lang }) {
      const language = (lang ?? '').split(/[\s,]/)[0];
      const label = language ? `Code: ${language}` : 'Code';
      return `<pre tabindex="0" role="region" aria-label="${escaped(label)}"><code>${escaped(text)}</code></pre>\n`;
    },
    // Comments are for those who edit the page. Nothing else is HTML.
    html({ text }) {
      if (/^\s*(?:<!--[\s\S]*?-->\s*)*$/.test(text)) return '';
      throw new Plain(`${path} has HTML: ${text.trim().slice(0, 60)}`);
    },
    table(token) {
      const cell = (each, name) => `<${name}>${this.parser.parseInline(each.tokens)}</${name}>`;
      const row = (cells, name) => `<tr>${cells.map((each) => cell(each, name)).join('')}</tr>`;
      const head = token.header.some(({ text }) => text !== '')
        ? `<thead>${row(token.header, 'th').replaceAll('<th></th>', '<td></td>')}</thead>`
        : '';
      const body = token.rows.map((cells) => row(cells, 'td')).join('\n');
      const frame = '<div class="table" tabindex="0" role="region" aria-label="Table">';
      return `${frame}<table>${head}<tbody>${body}</tbody></table></div>\n`;
    },
  };
  const marked = new Marked({ gfm: true, renderer });
  const tokens = marked.lexer(markdown);
  const html = marked.parser(tokens);
  let next = 0;
  for (const token of tokens) {
    if (token.type === 'heading' && token.depth > 1) {
      const { anchor, text } = headings[next++];
      texts.push({ anchor, heading: text, text: [] });
    } else if (!UNREAD.includes(token.type) && !(token.type === 'code' && token.lang === 'text')) {
      texts.at(-1).text.push(wordsOf(token));
    }
  }
  return { html, headings, texts: texts.map((each) => ({ ...each, text: each.text.join(' ') })) };
}

/** Titles are kept apart; comments and tokens are not for reading. */
const UNREAD = ['heading', 'html', 'space'];

/** What a reader reads of a block, without the addresses of its links and without its markup. */
function wordsOf(token) {
  return (token.raw ?? '')
    .replaceAll(/\]\([^)]*\)/g, '')
    .replaceAll(/^[|\s:-]+$/gm, ' ')
    .replaceAll(/[`*[\]|]|^```\w*|\\/gm, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** Where a link of a page leads, as a path below the repository; `source` is the page's own. */
export const resolve = (source, target) => posix.normalize(posix.join(posix.dirname(source), target));
