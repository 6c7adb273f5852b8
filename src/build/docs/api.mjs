// The reference of the TypeScript API: a page an entry, of the declarations in dist/ and their
// comments. An entry that hands on another one's functions names it, and shows its own.
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

import ts from 'typescript';

import { Plain, ROOT } from '../steps.mjs';

/** Where the pages would be, were they written by hand: links are relative to it. */
export const API = ['www', 'docs', 'reference', 'api'].join('/');

const sources = new Map();

function sourceOf(path) {
  if (!sources.has(path)) {
    const text = readFileSync(join(ROOT, path), 'utf8');
    sources.set(path, ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  }
  return sources.get(path);
}

/** The entries that have declarations: `{ name, types }`, `types` below the root. */
export function entries() {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return Object.entries(exports)
    .filter(([, conditions]) => conditions.types !== undefined)
    .map(([entry, { types }]) => ({ name: name + entry.slice(1), types: posix.normalize(types) }));
}

const moduleOf = (path, specifier) =>
  posix.join(posix.dirname(path), specifier.text.replace(/\.js$/, '.d.ts'));
const isRelative = (specifier) => specifier?.text.startsWith('.');
const isExported = (node) =>
  ts.canHaveModifiers(node) &&
  ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);

/** The names that a declaration gives. */
function namesOf(node) {
  if (ts.isVariableStatement(node))
    return node.declarationList.declarations.map(({ name }) => name.getText());
  return node.name ? [node.name.getText()] : [];
}

/**
 * What a module exports: `own` by name, as lists of declarations, and `others`, the entries that it
 * hands on as they are.
 */
function exportsOf(path, known) {
  const own = new Map();
  const others = [];
  const take = (name, nodes) => nodes && !own.has(name) && own.set(name, nodes);
  for (const statement of sourceOf(path).statements) {
    if (ts.isExportDeclaration(statement) && isRelative(statement.moduleSpecifier)) {
      const target = moduleOf(path, statement.moduleSpecifier);
      const clause = statement.exportClause;
      if (clause === undefined && known.has(target)) others.push(known.get(target));
      else if (clause === undefined)
        for (const [name, nodes] of exportsOf(target, known).own) take(name, nodes);
      else
        for (const { name, propertyName } of clause.elements)
          take(name.text, declaredIn(target, (propertyName ?? name).text));
    } else if (isExported(statement)) {
      for (const name of namesOf(statement)) own.set(name, [...(own.get(name) ?? []), statement]);
    }
  }
  return { own, others };
}

/** The declarations of a name in a module, or in what it hands on. */
function declaredIn(path, name) {
  return exportsOf(path, new Map()).own.get(name);
}

/** The comment above a declaration, as Markdown: its text, what it throws, its examples. */
function commentOf(node) {
  const [comment] = (node.jsDoc ?? []).slice(-1);
  if (comment === undefined) return '';
  const text = (value) =>
    (ts.getTextOfJSDocComment(value) ?? '').replaceAll(/\{@link ([^}|]+)[^}]*\}/g, '`$1`').trim();
  const tags = (comment.tags ?? []).map((tag) => {
    const own = text(tag.comment);
    if (tag.tagName.text === 'example') return own.includes('```') ? own : `\`\`\`ts\n${own}\n\`\`\``;
    return `**@${tag.tagName.text}** ${own}`;
  });
  // What looks like HTML outside of code is a type.
  return [text(comment.comment), ...tags]
    .filter(Boolean)
    .join('\n\n')
    .replaceAll(/(```[\s\S]*?```|`[^`]*`)|</g, (_, code) => code ?? '&lt;');
}

/** A page for each entry, as `{ path, source, markdown }`. */
export function apiPages() {
  const all = entries();
  const known = new Map(all.map((entry) => [entry.types, entry]));
  return all.map(({ name, types }) => {
    const { own, others } = exportsOf(types, new Map([...known].filter(([path]) => path !== types)));
    if (own.size === 0 && others.length === 0) throw new Plain(`${types} exports nothing: is dist/ current?`);
    // Functions and classes first, then what they take and return.
    const isType = ([, [node]]) => ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
    const sorted = [...own].sort((a, b) => Number(isType(a)) - Number(isType(b)));
    const parts = sorted.map(([export_, nodes]) => {
      const code = nodes.map((node) => node.getText().replace(/^export (?:declare )?/, '')).join('\n');
      return [`## \`${export_}\``, ...nodes.map(commentOf), `\`\`\`ts\n${code}\n\`\`\``]
        .filter(Boolean)
        .join('\n\n');
    });
    const more = others.map(
      (other) => `It has everything of [\`${other.name}\`](${fileOf(other.name)}) as well.`,
    );
    return {
      path: `reference/api/${fileOf(name)}`,
      source: `${API}/${fileOf(name)}`,
      markdown: [`# API of \`${name}\``, ...more, ...parts, ''].join('\n\n'),
    };
  });
}

const fileOf = (name) => `${name.replaceAll('/', '-')}.md`;

/** The list of these pages. */
export const apiList = () =>
  entries()
    .map(({ name }) => `- [\`${name}\`](api/${fileOf(name)})`)
    .join('\n');
