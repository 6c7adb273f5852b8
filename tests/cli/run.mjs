// Runs the real binary, as the package names it.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

export const NOW = 1_800_000_000;

export const folder = mkdtempSync(join(tmpdir(), 'portcullis-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a file and returns its path. */
export function file(name, content) {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** Its exit code and what it printed. `input` is standard input, which is a pipe in any case. */
export function portcullis(args, { input = '', env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(ROOT, bin.portcullis), ...args], {
      env: { ...process.env, ...env },
    });
    const printed = { out: '', err: '' };
    child.stdout.on('data', (chunk) => {
      printed.out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      printed.err += chunk;
    });
    child.on('close', (code) => resolve({ code, ...printed }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** The same for machines. */
export async function json(args, options) {
  const { code, out, err } = await portcullis([...args, '--json'], options);
  return { code, err, answer: out === '' ? undefined : JSON.parse(out) };
}
