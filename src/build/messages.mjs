// Collects what a user can be told: every text with words in it that the sources can print, into
// tests/messages.txt, to be read by people.
//   node src/build/messages.mjs            writes it
//   node src/build/messages.mjs --check    says whether it is what would be written
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isMain, main, Plain, ROOT } from './steps.mjs';

const FILE = join(ROOT, 'tests', 'messages.txt');
const HEAD = `Every text that a user can meet: mistakes in policies and options, rejections, OAuth error descriptions, and lines of the commands.
What stands in braces is filled in. Written by \`node src/build/messages.mjs\`, and compared by \`npm test\`.
`;

/** Statements for a database are not for people. */
const NOT_FOR_PEOPLE =
  /^\s*(?:SELECT|INSERT|CREATE|UPDATE|DELETE|PRAGMA|BEGIN|WITH|ALTER|DO \$\$)|redis\.call|^\[object |^portcullis [a-z ]+$/;
/** What tells the developers of the engines which limb went wrong; nobody else sees it. */
const ENGINES = /^src\/engine\/(?:.*\/)?(?:montgomery|inverse|convolution|limbs|field)\.rs$/;

/** The files of the projects that \`portcullis init\` writes. */
const PROJECTS = 'src/js/cli/templates/';

export async function messages() {
  const texts = new Map();
  for (const path of sources('src').filter((path) => path.endsWith('.rs') && !ENGINES.test(path)))
    texts.set(path, ofRust(read(path)));
  const { default: typescript } = await import('typescript');
  const typescripts = sources(join('src', 'js')).filter((path) => path.endsWith('.ts'));
  for (const path of typescripts.filter((path) => !path.startsWith(PROJECTS)))
    texts.set(path, ofTypeScript(read(path), typescript));
  const parts = [...texts].map(([path, found]) => [path, [...new Set(found.filter(isForPeople))]]);
  const told = parts.filter(([, found]) => found.length > 0);
  return `${HEAD}\n${told.map(([path, found]) => `${path}\n${found.map((text) => `  ${text}\n`).join('')}`).join('\n')}`;
}

const read = (path) => readFileSync(join(ROOT, path), 'utf8');
const sources = (folder) =>
  readdirSync(join(ROOT, folder), { recursive: true })
    .map((name) => join(folder, String(name)).replaceAll('\\', '/'))
    .sort();

/** Two words at least, on one line when shown. */
function isForPeople(text) {
  return (
    /[a-z]{2,},? [a-z{“"$]/i.test(text) && !NOT_FOR_PEOPLE.test(text) && !/^[a-z-]+\/[a-z-]+;/.test(text)
  );
}

const shown = (text) =>
  text
    .replaceAll(/\\\n\s*/g, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ⏎ ')
    .replaceAll('\\"', '"');

/** The string literals of Rust, but for those of comments, attributes and test modules. */
function ofRust(source) {
  const code = source.replace(/^#\[cfg\(test\)\]\n(?:pub(?:\([^)]*\))? )?mod \w+ \{\n[\s\S]*?^\}\n/gm, '');
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|#!?\[(?:[^\]"]|"[^"]*")*\]|b?r(#*)"([\s\S]*?)"\1|b?"((?:[^"\\]|\\[\s\S])*)"|'(?:[^'\\]|\\[^']+)'/g;
  const found = [];
  for (const [, , raw, quoted] of code.matchAll(token)) if (raw ?? quoted) found.push(shown(raw ?? quoted));
  return found;
}

/** The string literals and templates of TypeScript, with the expressions of templates in braces. */
function ofTypeScript(source, typescript) {
  const file = typescript.createSourceFile('x.ts', source, typescript.ScriptTarget.Latest, true);
  const found = [];
  const visit = (node) => {
    if (typescript.isStringLiteral(node) || typescript.isNoSubstitutionTemplateLiteral(node))
      found.push(shown(node.text));
    else if (typescript.isTemplateExpression(node)) {
      const pieces = node.templateSpans.map(
        ({ expression, literal }) => `{${expression.getText()}}${literal.text}`,
      );
      found.push(shown(node.head.text + pieces.join('')));
    }
    typescript.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const text = await messages();
    if (!process.argv.includes('--check')) writeFileSync(FILE, text);
    else if (readFileSync(FILE, 'utf8') !== text)
      throw new Plain(
        'tests/messages.txt is not what the sources say: run node src/build/messages.mjs, and read what has changed',
      );
  });
}
