import { randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { bindFunctions } from '../issuer/functions.js';
import type { IssuerGlue } from '../wasm/glue.js';
import { load, ownVersion } from './core.js';
import { Misuse } from './input.js';
import type { Call } from './main.js';
import type { Files } from './templates/common.js';
import { gateProject } from './templates/gate.js';
import { issuerProject } from './templates/issuer.js';
import { workerProject } from './templates/worker.js';

const KINDS = ['issuer', 'worker', 'gate'] as const;

/** Files that hold a secret: nobody else on the machine reads them. */
const SECRETS = ['secrets.json', 'signing-key.jwk'];

/** `portcullis init` */
export async function init({ operands: [kind, given], terminal }: Call): Promise<boolean> {
  const known = KINDS.find((name) => name === kind);
  if (known === undefined) {
    const found = kind === undefined ? 'nothing' : JSON.stringify(kind);
    throw new Misuse(`init requires what to make: ${KINDS.join(', ')}; found ${found}`);
  }
  const folder = given ?? `my-${known}`;
  const files = await project(known);
  await write(folder, files);
  const names = Object.keys(files);
  if (terminal.json) terminal.answer({ ok: true, folder, files: names });
  else {
    terminal.good(`${folder} holds ${names.join(', ')}`);
    terminal.print(`  cd ${folder} && npm install, and go on with README.md`);
  }
  return true;
}

async function project(kind: (typeof KINDS)[number]): Promise<Files> {
  const { generateSigningKey } = bindFunctions(await load<IssuerGlue>('portcullis_issuer'));
  const key = generateSigningKey('ES256');
  const filling = { version: await ownVersion(), signingKey: key.privateJwk(), jwks: key.jwks() };
  if (kind === 'gate') return gateProject(filling);
  if (kind === 'worker') return workerProject(filling);
  const random = () => randomBytes(32).toString('base64url');
  return issuerProject({
    ...filling,
    feedKey: generateSigningKey('EdDSA').privateJwk(),
    rootKey: { base64url: random() },
    clientSecret: random(),
  });
}

/** A new folder, or an empty one: what is in another is somebody's. */
async function write(folder: string, files: Files): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length > 0)
      throw new Misuse(`${folder} is not empty; write the name of a new folder`);
    for (const [name, text] of Object.entries(files)) {
      const mode = SECRETS.includes(name) ? 0o600 : 0o644;
      await writeFile(join(folder, name), text, { mode, flag: 'wx' });
    }
  } catch (error) {
    if (error instanceof Misuse) throw error;
    throw new Misuse(
      `${folder} cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
    );
  }
}
