// What pages ask for by `<!-- generated: name word -->`: tables that the sources already hold, so
// that no page can fall behind them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../steps.mjs';
import { apiList } from './api.mjs';
import { codesTable } from './codes.mjs';
import { policyReference } from './policy.mjs';
import { presetOf, presetTable, refusedOf, shortestOf, tokenOf } from './presets.mjs';

const read = (path) => readFileSync(join(ROOT, path), 'utf8');

/** The texts of the command line: `GENERAL` and a text a command, of src/js/cli/help.ts. */
export function helpTexts() {
  const source = read('src/js/cli/help.ts');
  const constants = new Map();
  const fill = (text) =>
    text.replaceAll(/\$\{(\w+)\}/g, (_, name) => constants.get(name) ?? '').replaceAll(/\\(.)/g, '$1');
  for (const [, name, text] of source.matchAll(/const (\w+) = `((?:[^`\\]|\\[\s\S])*)`;/g))
    constants.set(name, fill(text));
  const commands = source.matchAll(/^ {2}'?([\w-]+)'?: `((?:[^`\\]|\\[\s\S])*)`,/gm);
  return {
    general: constants.get('GENERAL'),
    commands: [...commands].map(([, name, text]) => [name, fill(text)]),
  };
}

function cli() {
  const { general, commands } = helpTexts();
  const block = (text) => `\`\`\`text\n${text}\n\`\`\``;
  return [block(general), ...commands.map(([name, text]) => `## ${name}\n\n${block(text)}`)].join('\n\n');
}

/** By name; some take the word behind it. */
export const generated = {
  policy: policyReference,
  codes: codesTable,
  cli,
  api: apiList,
  presets: presetTable,
  shortest: shortestOf,
  preset: presetOf,
  token: tokenOf,
  refused: refusedOf,
};
