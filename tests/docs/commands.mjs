// Shell blocks: each command that is named exists, with its subcommand, script, file and options
// where those are ours.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../../src/build/steps.mjs';

const { scripts, bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const HELP = readFileSync(join(ROOT, 'src', 'js', 'cli', 'help.ts'), 'utf8');

/** Programs that a reader has or is told to install, and what a shell brings. */
const PROGRAMS = new Set([
  ...[
    'npm',
    'npx',
    'node',
    'cargo',
    'rustup',
    'git',
    'curl',
    'openssl',
    'deno',
    'bun',
    'bunx',
    'pnpm',
    'yarn',
  ],
  ...[
    'wrangler',
    'docker',
    'kubectl',
    'psql',
    'redis-cli',
    'jq',
    'echo',
    'cat',
    'cd',
    'mkdir',
    'export',
    'cp',
  ],
  ...['printf', 'test', 'head', 'base64', 'sleep', 'rm', 'mv', 'wc', 'gzip', 'tr', 'ls', 'touch', 'issues'],
]);
/** What npm does besides running scripts. */
const NPM = new Set([
  'install',
  'i',
  'ci',
  'run',
  'test',
  'start',
  'pack',
  'publish',
  'init',
  'create',
  'exec',
]);

/** What is wrong with the commands of a block. */
export function commandProblems(code) {
  const problems = [];
  for (const line of code.replaceAll('\\\n', ' ').split('\n')) {
    const text = line.replace(/^\s*[$>]\s+/, '').replace(/(^|\s)#.*$/, '');
    for (const part of withoutQuotes(text).split(/\|\||&&|[|;&](?!\d)/)) {
      const problem = problemOf(part.trim().split(/\s+/).filter(Boolean));
      if (problem !== undefined) problems.push(`${problem} (${line.trim()})`);
    }
  }
  return problems;
}

/** Quoted texts hold no command. */
const withoutQuotes = (text) => text.replace(/'[^']*'|"[^"]*"/g, 'QUOTED');

function problemOf(words) {
  let [program, ...rest] = words.filter((word, at) => at > 0 || !/^[A-Z_]+=\S*$/.test(word));
  if (program === undefined || /^[<>]/.test(program)) return undefined;
  while (/^[A-Z_]+=/.test(program)) [program, ...rest] = rest;
  if (program === undefined) return undefined;
  if (program === 'npx' || program === 'bunx') {
    const [name, ...more] = rest.filter((word) => !/^--?(?:yes|y|package)/.test(word));
    return name in bin ? ourCommand(more) : undefined;
  }
  if (program === 'portcullis') return ourCommand(rest);
  if (!PROGRAMS.has(program)) return `"${program}" is no command that a reader has`;
  if (program === 'npm') return npmCommand(rest);
  const file = program === 'node' ? rest.find((word) => !word.startsWith('-')) : undefined;
  if (file?.match(/^(?:src|tests|dist|www)\//) && !existsSync(join(ROOT, file.replace(/^dist\/.*/, 'dist'))))
    return `${file} is not there`;
  return undefined;
}

function npmCommand([command, name]) {
  if (command === 'run' && !(name in scripts)) return `package.json has no script "${name}"`;
  const [script] = command.split(':');
  return NPM.has(script) ? undefined : `npm has no command "${command}"`;
}

/** A command of `portcullis`, its name and its options by what `--help` says. */
function ourCommand([command, ...rest]) {
  if (command === undefined || command.startsWith('-')) return unknownOption(HELP, [command ?? '--help']);
  if (!HELP.includes(`  portcullis ${command} `)) return `portcullis has no command "${command}"`;
  return unknownOption(HELP, rest);
}

function unknownOption(help, words) {
  const unknown = words.find((word) => /^--?[a-z]/.test(word) && !hasOption(help, word.split('=')[0]));
  return unknown && `portcullis has no option "${unknown}"`;
}

const hasOption = (help, option) => new RegExp(`[\\s,[]${option}[\\s,\\]]`).test(help);
