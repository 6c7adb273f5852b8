// The package as a stranger gets it: packed, installed in a folder of its own, and resolved under
// the conditions that runtimes set.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'portcullis-packed-')));
after(() => rmSync(folder, { recursive: true, force: true }));

const npm = (cwd, ...args) =>
  execFileSync('npm', [...args, '--ignore-scripts', '--no-audit', '--no-fund'], { cwd, encoding: 'utf8' });
const node = (...args) => execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });

writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
const tarball = npm(ROOT, 'pack', '--silent', '--pack-destination', folder).trim().split('\n').at(-1);
npm(folder, 'install', '--offline', `./${tarball}`);

const ENTRIES = [
  'portcullis',
  'portcullis/slim',
  'portcullis/issuer',
  'portcullis/ml-dsa',
  'portcullis/session',
  'portcullis/session/dpop',
  'portcullis/session/sign-in',
  'portcullis/react',
  'portcullis/vue',
  'portcullis/svelte',
  'portcullis/bff',
  'portcullis/stores',
  'portcullis/portcullis.wasm',
  'portcullis/policy.schema.json',
];
// What is the same file under every condition.
const WITHOUT_CONDITIONS = [
  'session/index.js',
  'session/dpop.js',
  'session/sign-in.js',
  'session/react.js',
  'session/vue.js',
  'session/svelte.js',
  'bff/index.js',
  'stores/index.js',
  'wasm/portcullis.wasm',
  'policy.schema.json',
];
const EXPECTED = {
  default: [
    'entry/verifier-default.js',
    'entry/slim.js',
    'entry/issuer-default.js',
    'entry/ml-dsa-default.js',
    ...WITHOUT_CONDITIONS,
  ],
  workerd: [
    'entry/verifier-workerd.js',
    'entry/slim.js',
    'entry/issuer-workerd.js',
    'entry/ml-dsa-workerd.js',
    ...WITHOUT_CONDITIONS,
  ],
  'edge-light': [
    'entry/verifier-edge-light.js',
    'entry/slim.js',
    'entry/issuer-edge-light.js',
    'entry/ml-dsa-edge-light.js',
    ...WITHOUT_CONDITIONS,
  ],
  // What a runtime or bundler sets and the package does not name.
  browser: [
    'entry/verifier-default.js',
    'entry/slim.js',
    'entry/issuer-default.js',
    'entry/ml-dsa-default.js',
    ...WITHOUT_CONDITIONS,
  ],
  types: [
    'verifier/index.d.ts',
    'slim/index.d.ts',
    'issuer/index.d.ts',
    'ml-dsa/index.d.ts',
    'session/index.d.ts',
    'session/dpop.d.ts',
    'session/sign-in.d.ts',
    'session/react.d.ts',
    'session/vue.d.ts',
    'session/svelte.d.ts',
    'bff/index.d.ts',
    'stores/index.d.ts',
    'wasm/portcullis.wasm',
    'policy.schema.json',
  ],
};

for (const [condition, expected] of Object.entries(EXPECTED)) {
  test(`each entry resolves under the condition ${condition}`, () => {
    const script = `console.log(JSON.stringify(${JSON.stringify(ENTRIES)}.map((name) => import.meta.resolve(name))))`;
    const printed = node(`--conditions=${condition}`, '--input-type=module', '-e', script);
    const files = JSON.parse(printed).map(fileURLToPath);
    for (const file of files) assert.ok(existsSync(file), `${file} is not in the package`);
    const dist = join(folder, 'node_modules', 'portcullis', 'dist');
    assert.deepEqual(
      files.map((file) => relative(dist, file)),
      expected,
    );
  });
}

test('nothing else of the package can be imported', () => {
  const script = `await import('portcullis/dist/verifier/functions.js').catch((error) => console.log(error.code))`;
  assert.equal(node('--input-type=module', '-e', script), 'ERR_PACKAGE_PATH_NOT_EXPORTED\n');
});

test('every entry offers what its types declare', () => {
  const script = `
    for (const name of ['', '/slim', '/issuer', '/ml-dsa', '/stores', '/session', '/session/dpop', '/session/sign-in', '/svelte', '/bff'].map((entry) => 'portcullis' + entry))
      console.log(Object.keys(await import(name)).sort().join());`;
  assert.deepEqual(node('--input-type=module', '-e', script).trim().split('\n'), [
    'PolicyError,createVerifier,definePolicy,inspect,verifyJws',
    'PolicyError,createVerifier,definePolicy,init,inspect,verifyJws',
    'IssuerUnavailableError,PolicyError,createIssuer,createVerifier,definePolicy,generateSigningKey,hashClientSecret,importSigningKey,inspect,memoryCounter,verifyJws',
    'PolicyError,createVerifier,definePolicy,inspect,verifyJws',
    'SessionStoreObject,StoreSchemaError,d1Store,denoKvStore,durableObjectStore,memoryStore,postgresStore,redisStore,sqliteStore',
    'SessionError,backend,createClock,createSession,expiresIn,inspect,isExpired,refreshDue,revocationEndpoint,sharedStorage,tokenEndpoint',
    'createDpop',
    'createSignIn',
    'sessionStore,signInStore',
    'createBff',
  ]);
});

test('the command of the package runs where it is installed', () => {
  const command = join(folder, 'node_modules', '.bin', 'portcullis');
  writeFileSync(join(folder, 'policy.json'), '{"issuers":[{"preset":"google","audience":"a"}]}');
  const checked = execFileSync(command, ['check', 'policy.json', '--json'], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(JSON.parse(checked).ok, true);
  const schema = JSON.parse(
    node('-e', "process.stdout.write(JSON.stringify(require('portcullis/policy.schema.json')))"),
  );
  assert.equal(schema.title, 'Portcullis policy');
});
