#!/usr/bin/env node
import { parseArgs } from 'node:util';

import { PolicyError } from '../shared/errors.js';
import { check } from './check.js';
import { ownVersion } from './core.js';
import { GENERAL, HELP } from './help.js';
import { init } from './init.js';
import { Misuse } from './input.js';
import { inspectToken } from './inspect.js';
import { keygen } from './keygen.js';
import { keys } from './keys.js';
import { migrate } from './migrate.js';
import { sealPolicy } from './seal.js';
import { Terminal } from './terminal.js';
import { verify } from './verify.js';

/** What every command gets: its operands, its options, and where to write. */
export interface Call {
  operands: string[];
  options: {
    policy?: string;
    keys?: string;
    offline?: boolean;
    now?: string;
    tenant?: string[];
    alg?: string;
    root?: boolean;
    output?: string;
  };
  terminal: Terminal;
}

/**
 * A command says whether the answer is good; what is wrong with the call itself it throws as
 * `Misuse`.
 */
type Command = (call: Call) => Promise<boolean>;

const COMMANDS: Record<string, { run: Command; options: (keyof Call['options'])[]; operands: number }> = {
  check: { run: check, options: [], operands: 1 },
  verify: { run: verify, options: ['policy', 'keys', 'offline', 'tenant', 'now'], operands: 1 },
  inspect: { run: inspectToken, options: ['now'], operands: 1 },
  keys: { run: keys, options: ['alg'], operands: 1 },
  seal: { run: sealPolicy, options: ['output'], operands: 1 },
  migrate: { run: migrate, options: [], operands: Number.POSITIVE_INFINITY },
  init: { run: init, options: [], operands: 2 },
  keygen: { run: keygen, options: ['alg', 'root', 'output'], operands: 0 },
};

const OPTIONS = {
  policy: { type: 'string', short: 'p' },
  keys: { type: 'string', short: 'k' },
  now: { type: 'string' },
  offline: { type: 'boolean' },
  tenant: { type: 'string', multiple: true },
  alg: { type: 'string' },
  root: { type: 'boolean' },
  output: { type: 'string', short: 'o' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', short: 'V', default: false },
} as const;

const GOOD = 0;
const REFUSED = 1;
const MISUSE = 2;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parse(args);
  const { json, help, version, ...options } = values;
  const [name, ...operands] = positionals;
  const terminal = new Terminal(process.stdout, json);
  if (version) {
    terminal.print(await ownVersion());
    return GOOD;
  }
  if (help || name === undefined || name === 'help') {
    const about = help ? name : operands[0];
    terminal.print((about !== undefined && HELP[about]) || GENERAL);
    return help || name === 'help' ? GOOD : MISUSE;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command)
    throw new Misuse(
      `there is no command ${JSON.stringify(name)}; expected one of ${Object.keys(COMMANDS).join(', ')}`,
    );
  const foreign = Object.keys(options).find((option) => !(command.options as string[]).includes(option));
  if (foreign)
    throw new Misuse(`${name} has no option --${foreign}; run portcullis ${name} --help for those it has`);
  if (operands.length > command.operands)
    throw new Misuse(`${name} takes ${command.operands} argument(s); found ${operands.length}`);
  return (await command.run({ operands, options, terminal })) ? GOOD : REFUSED;
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new Misuse((error as Error).message);
  }
}

// A reader that has seen enough goes away: `portcullis keys URL | head -1`. The exit code stays the
// command's.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Misuse || error instanceof PolicyError)) throw error;
  new Terminal(process.stderr, false).problem(
    `portcullis: ${error.message}`,
    'run portcullis --help for usage',
  );
  process.exitCode = MISUSE;
}
