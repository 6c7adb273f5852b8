// A fuzz campaign: every target in turn, under libFuzzer, on the stable toolchain. A crash, and a
// target that has not run, fail it.
//   npm run fuzz -- --seconds 60          a minute of each target
//   npm run fuzz -- --hours 8             so long for all of them together
//   npm run fuzz -- --only token --only url
//   npm run fuzz -- --jobs 1              one at a time; two is the default
//   npm run fuzz -- --only wasm           what no libFuzzer runs: native and wasm against each other (wasm.mjs)
//   npm run fuzz -- --throwaway           what is found new is not kept in tests/fuzz/corpus
// An input that crashes a target is in target/fuzz/crashes/TARGET-…; the program of the same name
// in target/fuzz takes it as an argument.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';

import { build as buildPackage } from '../../src/build/build.mjs';
import { cargoFuzz } from '../../src/build/setup.mjs';
import { ask, isMain, main, Plain, ROOT, run, step, TARGET, TOOLS } from '../../src/build/steps.mjs';
import { seedsOf } from './seeds.mjs';

const FUZZ = join(ROOT, 'tests', 'fuzz');
const WORK = join(TARGET, 'fuzz');
const KEPT = join(FUZZ, 'corpus');

/**
 * What is kept of one target's corpus at most, in bytes of its file: the shortest inputs come
 * first.
 */
const MOST_KEPT = 96 * 1024;

/** The name of the target that compares native and wasm. */
const WASM_TARGET = 'wasm';

/** The names of the targets: one file each, and one that is a script. */
export const TARGETS = [
  ...readdirSync(join(FUZZ, 'fuzz_targets')).map((name) => name.replace(/\.rs$/, '')),
  WASM_TARGET,
].sort();

/**
 * Runs the targets. The result tells of each how often it was executed, and what is wrong with it.
 */
export async function campaign({ only = TARGETS, seconds = 60, jobs = 2, keep = true } = {}) {
  const unknown = only.find((name) => !TARGETS.includes(name));
  if (unknown) throw new Plain(`no fuzz target is named ${unknown}; there are ${TARGETS.join(', ')}`);
  const programs = await prepare(only);
  const left = [...only];
  const results = [];
  const worker = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const result =
        name === WASM_TARGET ? await differential(seconds) : await fuzz(name, programs, seconds, keep);
      console.log(line(result));
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results;
}

const line = ({ name, executions, seconds, cover, fault }) =>
  `${fault ? '✗' : '✓'} ${name.padEnd(10)} ${String(executions).padStart(13)} executions in ${seconds.toFixed(0)} s, ${cover} edges${fault ? `: ${fault}` : ''}`;

/** Builds what these targets run, and gives the folder of the programs. */
async function prepare(targets) {
  if (targets.includes(WASM_TARGET)) await buildPackage();
  if (targets.every((name) => name === WASM_TARGET)) return undefined;
  await cargoFuzz();
  return build();
}

async function build() {
  const args = ['fuzz', 'build', '--fuzz-dir', FUZZ, '--target-dir', WORK, '--sanitizer', 'none'];
  const env = { RUSTC_BOOTSTRAP: '1', PATH: [join(TOOLS, 'bin'), process.env.PATH].join(delimiter) };
  await step('fuzz targets', () => run('cargo', args, { env, log: 'fuzz' }));
  const host = /host: (\S+)/.exec((await ask('rustc', ['-vV'])) ?? '')?.[1];
  return join(WORK, host ?? '', 'release');
}

/** Asks native and wasm the same. The first difference ends it. */
async function differential(seconds) {
  const started = Date.now();
  const { code, output } = await program(process.execPath, [
    join(FUZZ, 'wasm.mjs'),
    '--seconds',
    String(seconds),
  ]);
  const told = (name) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
  const [executions, seeds] = [told('executions'), told('vectors')];
  const result = { name: WASM_TARGET, executions, cover: 0, seconds: (Date.now() - started) / 1000 };
  console.log(output.slice(-10_000));
  if (code !== 0) return { ...result, fault: `it ended with ${code}` };
  return executions > seeds && seeds > 0 ? result : { ...result, fault: 'it did not get beyond the vectors' };
}

async function fuzz(name, programs, seconds, keep) {
  const file = join(programs, name);
  if (!existsSync(file)) return { name, executions: 0, seconds: 0, cover: 0, fault: 'it was not built' };
  const corpus = join(WORK, 'corpus', name);
  fill(corpus, name);
  const crashes = join(WORK, 'crashes');
  mkdirSync(crashes, { recursive: true });
  const limits = ['-rss_limit_mb=2048', '-timeout=25', '-max_len=4096'];
  const started = Date.now();
  const { code, output } = await program(file, [
    corpus,
    `-max_total_time=${seconds}`,
    '-print_final_stats=1',
    '-reload=0',
    `-artifact_prefix=${join(crashes, `${name}-`)}`,
    ...limits,
  ]);
  const executions = Number(/number_of_executed_units:\s+(\d+)/.exec(output)?.[1] ?? 0);
  const cover = Number([...output.matchAll(/cov: (\d+)/g)].at(-1)?.[1] ?? 0);
  const result = { name, executions, cover, seconds: (Date.now() - started) / 1000 };
  if (code !== 0) {
    console.log(output.split('\n').slice(-40).join('\n'));
    return { ...result, fault: `it ended with ${code}` };
  }
  // libFuzzer runs the corpus before it invents anything.
  if (executions <= seedsOf(name).length) return { ...result, fault: 'it did not get beyond its seeds' };
  if (keep) await minimise(file, name, corpus, limits);
  return result;
}

/** The corpus as it was kept, and the seeds of the vectors. */
function fill(corpus, name) {
  mkdirSync(corpus, { recursive: true });
  const file = join(KEPT, `${name}.txt`);
  const kept = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  for (const input of [...kept.map((text) => Buffer.from(text, 'base64')), ...seedsOf(name)])
    writeFileSync(join(corpus, createHash('sha1').update(input).digest('hex')), input);
}

/**
 * Leaves as few inputs as reach what all of them reach, and keeps the shortest of these in one
 * file, one a line in base64.
 */
async function minimise(file, name, corpus, limits) {
  const least = `${corpus}.least`;
  rmSync(least, { recursive: true, force: true });
  mkdirSync(least);
  const { code } = await program(file, ['-merge=1', ...limits, least, corpus]);
  if (code !== 0 || readdirSync(least).length === 0) return;
  rmSync(corpus, { recursive: true });
  renameSync(least, corpus);
  const inputs = readdirSync(corpus).map((input) => readFileSync(join(corpus, input), 'base64'));
  inputs.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  let bytes = 0;
  const kept = inputs.filter((input) => {
    bytes += input.length + 1;
    return bytes <= MOST_KEPT;
  });
  mkdirSync(KEPT, { recursive: true });
  writeFileSync(join(KEPT, `${name}.txt`), kept.map((input) => `${input}\n`).join(''));
}

function program(file, args) {
  mkdirSync(WORK, { recursive: true });
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: WORK, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const add = (chunk) => {
      // The end is what tells.
      output = (output + chunk).slice(-200_000);
    };
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    child.on('error', (error) => resolve({ code: error.message, output }));
    child.on('close', (status, signal) => resolve({ code: status ?? signal, output }));
  });
}

function positive(text, name) {
  const value = Number(text);
  if (!(value > 0)) throw new Plain(`--${name} must be a number above 0; found ${text}`);
  return value;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const { values } = parseArgs({
      options: {
        hours: { type: 'string' },
        seconds: { type: 'string' },
        jobs: { type: 'string', default: '2' },
        only: { type: 'string', multiple: true },
        throwaway: { type: 'boolean', default: false },
      },
    });
    const only = values.only ?? TARGETS;
    const jobs = Math.ceil(positive(values.jobs, 'jobs'));
    const all = values.hours === undefined ? undefined : positive(values.hours, 'hours') * 3600;
    const seconds =
      all === undefined ? positive(values.seconds ?? '60', 'seconds') : (all * jobs) / only.length;
    const results = await campaign({ only, jobs, seconds: Math.ceil(seconds), keep: !values.throwaway });
    const faults = results.filter(({ fault }) => fault);
    const sum = results.reduce((total, { executions }) => total + executions, 0);
    console.log(`${results.length} targets, ${sum} executions, ${faults.length} failed`);
    if (faults.length > 0 || results.length < only.length) throw new Plain('the campaign failed');
  });
}
