import { randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { bindFunctions } from '../issuer/functions.js';
import type { IssuerGlue } from '../wasm/glue.js';
import { load, ownVersion } from './core.js';
import { Misuse } from './input.js';
import type { Call } from './main.js';
import { axumProject } from './templates/axum.js';
import type { Files } from './templates/common.js';
import { expressProject } from './templates/express.js';
import { gateProject } from './templates/gate.js';
import { honoProject } from './templates/hono.js';
import { issuerProject } from './templates/issuer.js';
import { issuerDurableObjectsProject } from './templates/issuer-durable-objects.js';
import { issuerPostgresProject } from './templates/issuer-postgres.js';
import { nextProject } from './templates/next.js';
import { workerProject } from './templates/worker.js';

/** What there is to make. An issuer is filled with more than an API. */
const APIS = {
  worker: workerProject,
  'worker-hono': honoProject,
  gate: gateProject,
  express: expressProject,
  next: nextProject,
  axum: axumProject,
};
const ISSUERS = {
  issuer: issuerProject,
  'issuer-postgres': issuerPostgresProject,
  'issuer-durable-objects': issuerDurableObjectsProject,
};
const KINDS = [...Object.keys(ISSUERS), ...Object.keys(APIS)];

/** Files that hold a secret: nobody else on the machine reads them. */
const SECRETS = ['secrets.json', 'signing-key.jwk', '.dev.vars'];

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
    const install = 'package.json' in files ? ' && npm install' : '';
    terminal.print(`  cd ${folder}${install}, and go on with README.md`);
  }
  return true;
}

async function project(kind: string): Promise<Files> {
  const { generateSigningKey } = bindFunctions(await load<IssuerGlue>('portcullis_issuer'));
  const key = generateSigningKey('ES256');
  const filling = { version: await ownVersion(), signingKey: key.privateJwk(), jwks: key.jwks() };
  if (Object.hasOwn(APIS, kind)) return APIS[kind as keyof typeof APIS](filling);
  const random = () => randomBytes(32).toString('base64url');
  return ISSUERS[kind as keyof typeof ISSUERS]({
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
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text, { mode, flag: 'wx' });
    }
  } catch (error) {
    if (error instanceof Misuse) throw error;
    throw new Misuse(
      `${folder} cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
    );
  }
}
