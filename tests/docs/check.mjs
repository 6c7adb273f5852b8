// Checks the code blocks of documents. `node tests/docs/check.mjs [FILE…]` prints what is wrong
// with them; without a file, with all.
//
// ts, typescript compiled under the strictest settings js, javascript, mjs the same, and
// parameters may be without a type `ts workers` without the DOM library and with
// @cloudflare/workers-types; the same after `js` `ts service-worker` with the library of workers
// of a page, and the events of a service worker `ts alone` apart from the others, which what it
// declares for all of a program would change json parsed; what names issuers is read as a policy,
// and what stands under `gate` as its part sh, bash the commands exist, and so do their
// subcommands, scripts and files
//
// Names that a block does not declare are those of given.d.ts. A block may end in `return`, as the
// body of a handler does.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';

import { isMain, ROOT } from '../../src/build/steps.mjs';
import { blocksOf, examplesOf } from './blocks.mjs';
import { commandProblems } from './commands.mjs';
import { jsonProblems } from './json.mjs';
import { compile, project } from './project.mjs';

const TYPESCRIPT = new Set(['ts', 'typescript', 'tsx', 'mts']);
const JAVASCRIPT = new Set(['js', 'javascript', 'mjs', 'jsx']);
const SHELL = new Set(['sh', 'bash', 'shell']);
/** What is shown and not checked. Rust is, by its doctests. */
const SHOWN = new Set([
  ...['text', 'rust', 'toml', 'yaml', 'yml', 'html', 'css', 'svelte', 'vue', 'sql', 'http', 'nginx', 'caddy'],
  ...['dockerfile', 'diff', 'ini', 'env', 'mermaid', 'console', 'dot', 'markdown', 'md', 'kotlin', 'abnf'],
]);

/** What stands behind the language where a block is compiled for another platform. */
const FLAGS = ['workers', 'service-worker', 'alone'];

const given = (name) => readFileSync(new URL(`${name}.d.ts`, import.meta.url), 'utf8');

/**
 * Every document: the README, the pages of the documentation, and the sources with their examples.
 */
export function documents() {
  const under = (folder, ending) =>
    readdirSync(join(ROOT, folder), { recursive: true })
      .filter((name) => name.endsWith(ending))
      .map((name) => join(folder, name));
  const pages = readdirSync(join(ROOT, 'www')).includes('docs') ? under('www/docs', '.md') : [];
  return ['README.md', ...pages, ...under('src/js', '.ts')];
}

/** The code blocks of documents, by their paths in the work tree. */
export const blocksIn = (files) =>
  files.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    return file.endsWith('.md') ? blocksOf(file, text) : examplesOf(file, text);
  });

/** What is wrong with the blocks: `file:line: …` each. */
export async function problemsOf(blocks) {
  const problems = [];
  const tell = ({ file, line }, message, offset = 0) => problems.push(`${file}:${line + offset}: ${message}`);
  for (const block of blocks) {
    const { language, code } = block;
    if (language === 'json') for (const problem of await jsonProblems(code)) tell(block, problem);
    else if (SHELL.has(language)) for (const problem of commandProblems(code)) tell(block, problem);
    else if (!TYPESCRIPT.has(language) && !JAVASCRIPT.has(language) && !SHOWN.has(language))
      tell(block, `expected a block with a language that is checked or known; found "${language}"`);
  }
  const chosen = (languages, flag) =>
    blocks.filter(
      ({ language, flags }) => languages.has(language) && FLAGS.find((one) => flags.includes(one)) === flag,
    );
  const browser = { lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'], types: ['node'] };
  const workers = { lib: ['lib.es2022.d.ts'], types: ['@cloudflare/workers-types'] };
  const serviceWorker = { lib: ['lib.es2022.d.ts', 'lib.webworker.d.ts'], types: [] };
  const untyped = { noImplicitAny: false };
  const { folder, remove } = project();
  try {
    const runs = [
      ['ts', chosen(TYPESCRIPT), browser],
      ['js', chosen(JAVASCRIPT), { ...browser, ...untyped }],
      ['ts-alone', chosen(TYPESCRIPT, 'alone'), browser],
      ['ts-workers', chosen(TYPESCRIPT, 'workers'), workers],
      ['js-workers', chosen(JAVASCRIPT, 'workers'), { ...workers, ...untyped }],
      ['ts-sw', chosen(TYPESCRIPT, 'service-worker'), serviceWorker],
      ['js-sw', chosen(JAVASCRIPT, 'service-worker'), { ...serviceWorker, ...untyped }],
    ];
    for (const [name, blocks, options] of runs) {
      if (blocks.length === 0) continue;
      const files = { ...beside(), 'given.d.ts': given('given') };
      if (name.endsWith('-sw')) files['given-sw.d.ts'] = given('given-service-worker');
      const byFile = new Map();
      for (const [index, block] of blocks.entries()) {
        const file = `${name}-${index}.${/[jt]sx$/.test(block.language) ? 'tsx' : 'ts'}`;
        files[file] = asModule(block.code);
        byFile.set(file, block);
      }
      for (const { file, line, message } of compile(folder, files, {
        jsx: ts.JsxEmit.Preserve,
        ...options,
      })) {
        const block = byFile.get(file);
        if (block !== undefined) tell(block, message, line - 1);
        else problems.push(`${file ?? 'the compiler'}:${line}: ${message}`);
      }
    }
  } finally {
    remove();
  }
  return problems;
}

/** What the examples import from beside them. */
function beside() {
  const policy = {
    $schema: './node_modules/portcullis/policy.schema.json',
    issuers: [{ issuer: 'https://issuer.example', audience: ['a', 'b'], remote: { discovery: 'oidc' } }],
    gate: {
      routes: [
        { path: '/health', requirement: 'public' },
        { path: '/*', requirement: { scopes: ['a'] } },
      ],
    },
  };
  return {
    'policy.json': JSON.stringify(policy),
    'sign-in.mjs': '',
    'sign-in.d.mts':
      'import type { TokenResponse } from "portcullis/session";\nexport function tokens(acr?: string): Promise<TokenResponse>;\n',
  };
}

/**
 * A block as a module of its own. One that returns something is the body of a function; lines stay
 * where they are.
 */
function asModule(code) {
  const source = ts.createSourceFile('block.tsx', code, ts.ScriptTarget.Latest, true);
  const imports = source.statements.filter(ts.isImportDeclaration);
  const rest = source.statements.find((statement) => !ts.isImportDeclaration(statement));
  const returns = (node) =>
    ts.isReturnStatement(node) || (!ts.isFunctionLike(node) && (ts.forEachChild(node, returns) ?? false));
  if (rest !== undefined && returns(source)) {
    const from = rest.getStart();
    return `${code.slice(0, from)}export const handler = async () => { ${code.slice(from)}\n};\n`;
  }
  return imports.length > 0 ? code : `${code}\nexport {};\n`;
}

if (isMain(import.meta.url)) {
  const files = process.argv.slice(2).map((file) => relative(ROOT, join(process.cwd(), file)));
  const blocks = blocksIn(files.length > 0 ? files : documents());
  const problems = await problemsOf(blocks);
  console.log(problems.join('\n'));
  console.log(`${blocks.length} blocks, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
