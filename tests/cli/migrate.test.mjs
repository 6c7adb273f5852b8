// `migrate`: what calls of other libraries come to. Golden files are beside the sources in
// migrate/; MIGRATE_GOLDEN=write writes them anew, to be read before they are committed.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import ts from 'typescript';

import { ROOT } from '../../src/build/steps.mjs';
import { file, folder, json, portcullis } from './run.mjs';

const FIXTURES = join(ROOT, 'tests', 'cli', 'migrate');
const SOURCES = readdirSync(FIXTURES).filter((name) => name.endsWith('.txt'));
const project = join(folder, 'project');
const COMMAND = join(ROOT, 'dist', 'cli', 'main.js');

/** Every name of a secret in the fixtures. */
const SECRETS = ['hunter2', 'fall-back that is secret', 'aHVudGVyMg', 'nobody-sees'];

const nameOf = (source) => source.slice(0, -'.txt'.length);

before(() => {
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  for (const name of ['typescript', 'hono', 'express', '@types', 'jose'])
    symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name), 'junction');
  symlinkSync(ROOT, join(project, 'node_modules', 'portcullis'), 'junction');
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  for (const name of SOURCES) cpSync(join(FIXTURES, name), join(project, nameOf(name)));
});

/** Its exit code and output, run in the project. */
async function migrate(...args) {
  const child = spawn(process.execPath, [COMMAND, 'migrate', ...args], { cwd: project });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}

for (const source of SOURCES) {
  const name = nameOf(source);
  test(`migrate says of ${name} what the golden file says`, async () => {
    const { code, out, err } = await migrate(name);
    assert.equal(err, '');
    const golden = join(FIXTURES, `${name}.golden`);
    const said = `${out}exit code ${code}\n`;
    if (process.env.MIGRATE_GOLDEN === 'write') writeFileSync(golden, said);
    assert.equal(said, readFileSync(golden, 'utf8'));
    // Nothing is written.
    assert.equal(readFileSync(join(project, name), 'utf8'), readFileSync(join(FIXTURES, source), 'utf8'));
  });
}

/** Fills in what a policy was left without, as its reader would. */
function filled(policy, fillIn) {
  const whole = structuredClone(policy);
  for (const { pointer } of fillIn) {
    const path = pointer.split('/').slice(1);
    const last = path.pop();
    const holder = path.reduce((value, key) => value[key], whole);
    holder[last] = valueFor(last, holder[last]);
  }
  return whole;
}

function valueFor(member, instead) {
  if (member === 'utf8') return 'a secret of thirty-two bytes or more';
  if (member.startsWith('base64')) return Buffer.alloc(32, 7).toString(member);
  if (member === 'pem') return PEM;
  return instead;
}

const PEM = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----`;

test('a printed policy is accepted by check, once what it names is filled in', async () => {
  const { files } = JSON.parse((await migrate('--json', ...SOURCES.map(nameOf))).out);
  const calls = files.flatMap((one) => one.calls).filter((call) => call.policy !== undefined);
  assert.ok(calls.length >= 12, `${calls.length}`);
  for (const { policy, fillIn, library, line } of calls) {
    const whole = filled(policy, fillIn);
    for (const key of whole.issuers.flatMap((issuer) => issuer.keys ?? []))
      if (key.pem === PEM) key.alg = 'EdDSA';
    const { answer } = await json(['check', '-'], { input: JSON.stringify(whole) });
    assert.equal(answer.ok, true, `${library} at line ${line}: ${JSON.stringify(answer)}`);
    // What is left out of a policy that holds a key is refused: nobody deploys it by accident.
    if (fillIn.some(({ pointer }) => /\/(pem|utf8|base64url)$/.test(pointer)))
      assert.equal((await json(['check', '-'], { input: JSON.stringify(policy) })).answer.ok, false);
  }
});

test('the diffs apply, and what they make is type-checked', async () => {
  const names = SOURCES.map(nameOf);
  const { files } = JSON.parse((await migrate('--json', ...names)).out);
  const patched = files.filter(({ diff }) => diff !== '');
  assert.ok(patched.length >= 7, `${patched.length}`);
  const result = join(folder, 'result');
  mkdirSync(result);
  cpSync(join(project, 'package.json'), join(result, 'package.json'));
  symlinkSync(join(project, 'node_modules'), join(result, 'node_modules'), 'junction');
  for (const { file: name, diff } of patched) {
    cpSync(join(project, name), join(result, name));
    execFileSync('git', ['apply', '--whitespace=nowarn', '-'], {
      cwd: result,
      input: diff,
      env: { ...process.env, GIT_CEILING_DIRECTORIES: folder },
    });
    assert.notEqual(
      readFileSync(join(result, name), 'utf8'),
      readFileSync(join(project, name), 'utf8'),
      name,
    );
  }
  const program = ts.createProgram(
    patched.map(({ file: name }) => join(result, name)),
    {
      strict: true,
      noEmit: true,
      noUnusedLocals: true,
      allowJs: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      jsx: ts.JsxEmit.Preserve,
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules', '@types')],
    },
  );
  const wrong = ts.getPreEmitDiagnostics(program);
  assert.equal(
    ts.formatDiagnostics(wrong, {
      getCurrentDirectory: () => result,
      getCanonicalFileName: (name) => name,
      getNewLine: () => '\n',
    }),
    '',
  );
});

test('no secret of a source is shown, in either form', async () => {
  for (const args of [[], ['--json']]) {
    const { out, err } = await migrate(...args, ...SOURCES.map(nameOf));
    assert.match(out, /process\.env\.S \?\? '…'/);
    for (const secret of SECRETS) assert.ok(!`${out}${err}`.includes(secret), secret);
  }
});

test('line ends, tabs and a missing last line end stay as they are', async () => {
  const text = "import jwt from 'jsonwebtoken';\r\n\r\n\texport const f = (t) =>\r\n\t\tjwt.decode(t);";
  const path = join(project, 'crlf.mjs');
  writeFileSync(path, text);
  const { out } = await migrate('crlf.mjs');
  assert.match(out, /\+import \{ inspect \} from 'portcullis';\r\n/);
  assert.match(out, /\+\t\tunverifiedClaims\(t\);\n\\ No newline at end of file\n/);
  execFileSync('git', ['apply', '--whitespace=nowarn', '-'], {
    cwd: project,
    input: out.slice(out.indexOf('---')),
  });
  assert.match(readFileSync(path, 'utf8'), /\r\n\t\tunverifiedClaims\(t\);$/);
});

/** Numbers that are the same in each run. */
function* numbers(seed) {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

test('no file crashes it: sources cut, spliced and broken at 300 places', async () => {
  const random = numbers(7);
  const next = (below) => Math.floor(random.next().value * below);
  const texts = SOURCES.map((name) => readFileSync(join(FIXTURES, name), 'utf8'));
  const names = [];
  for (let at = 0; at < 300; at += 1) {
    const [one, other] = [texts[next(texts.length)], texts[next(texts.length)]];
    const from = next(one.length);
    const odd = ['', '\u0000', '`${', '/*', '"', '({[', '<', '\ud800', '...', 'class{', '\u202e'][next(11)];
    const extension = ['js', 'ts', 'tsx', 'cjs', 'mts'][next(5)];
    const name = `fuzz-${at}.${extension}`;
    writeFileSync(join(project, name), one.slice(0, from) + odd + other.slice(next(other.length)));
    names.push(name);
  }
  const { code, out, err } = await migrate('--json', ...names);
  assert.equal(err, '');
  assert.ok(code === 0 || code === 1, `${code}`);
  assert.equal(JSON.parse(out).files.length, names.length);
  const { err: deep, code: refused } = await migrate(nest());
  assert.ok(refused <= 2 && !deep.includes('    at '), deep);
});

function nest() {
  const name = 'deep.js';
  writeFileSync(join(project, name), `${'('.repeat(20_000)}1${')'.repeat(20_000)}`);
  return name;
}

test('migrate: what is wrong with the call', async () => {
  for (const [args, expected] of [
    [[], /migrate requires a file/],
    [['missing.ts'], /missing\.ts cannot be read: ENOENT/],
    [['policy.json'], /must be JavaScript or TypeScript/],
    [['--offline', 'jose.ts'], /migrate has no option --offline/],
  ]) {
    const { code, err } = await migrate(...args);
    assert.equal(code, 2);
    assert.match(err, expected);
  }
});

test('without a TypeScript it says what to install', async () => {
  const alone = join(folder, 'alone');
  mkdirSync(join(alone, 'node_modules'), { recursive: true });
  cpSync(join(ROOT, 'dist'), join(alone, 'node_modules', 'portcullis', 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(alone, 'node_modules', 'portcullis', 'package.json'));
  writeFileSync(join(alone, 'a.js'), '');
  const main = join(alone, 'node_modules', 'portcullis', 'dist', 'cli', 'main.js');
  const child = spawn(process.execPath, [main, 'migrate', 'a.js'], { cwd: alone });
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 2, err);
  assert.match(err, /run npm install --save-dev typescript@5/);
});

test('a reader that goes away ends it quietly', async () => {
  const child = spawn(process.execPath, [COMMAND, 'migrate', ...SOURCES.map(nameOf)], { cwd: project });
  child.stdout.once('data', () => child.stdout.destroy());
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const [code] = await once(child, 'close');
  assert.deepEqual([code, err], [1, '']);
});

test('a file without such calls is good', async () => {
  const path = file('none.mjs', 'export const verify = (token) => token;\n');
  const { code, out } = await portcullis(['migrate', path]);
  assert.equal(code, 0);
  assert.match(out, /has no call that comes to a policy/);
});
