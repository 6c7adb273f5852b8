import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';

import { bindFunctions } from '../issuer/functions.js';
import type { IssuerGlue } from '../wasm/glue.js';
import { load } from './core.js';
import { Misuse } from './input.js';
import type { Call } from './main.js';
import type { Terminal } from './terminal.js';

/** As long as `rootKeys` requires. */
const ROOT_BYTES = 32;

/** `portcullis keygen` */
export async function keygen({ options, terminal }: Call): Promise<boolean> {
  const { alg = 'ES256', output, root } = options;
  if (root && options.alg !== undefined)
    throw new Misuse('--root and --alg exclude each other: a root secret has no algorithm. Leave one out');
  if (root) return rootSecret(output, terminal);
  if (alg !== 'ES256' && alg !== 'EdDSA')
    throw new Misuse(`--alg must be ES256 or EdDSA; found ${JSON.stringify(alg)}`);
  const { generateSigningKey } = bindFunctions(await load<IssuerGlue>('portcullis_issuer'));
  const key = generateSigningKey(alg);
  const privateJwk = key.privateJwk();
  const jwks = key.jwks();
  if (output !== undefined) await write(output, `${JSON.stringify(privateJwk, null, 2)}\n`);
  if (terminal.json) {
    terminal.answer({
      ok: true,
      kid: key.kid,
      alg,
      jwks,
      ...(output === undefined ? { privateJwk } : { output }),
    });
    return true;
  }
  if (output === undefined) {
    terminal.faint('the private key, to be kept as the secret it is');
    terminal.print(JSON.stringify(privateJwk, null, 2));
  } else terminal.good(`${output} holds the private key`);
  terminal.faint('the JWK Set, to be published');
  terminal.print(JSON.stringify(jwks, null, 2));
  return true;
}

/**
 * A root secret, which an issuer derives refresh tokens from, in the form that `rootKeys` takes.
 */
async function rootSecret(output: string | undefined, terminal: Terminal): Promise<boolean> {
  const secret = { base64url: randomBytes(ROOT_BYTES).toString('base64url') };
  if (output !== undefined) await write(output, `${JSON.stringify(secret)}\n`);
  if (terminal.json) terminal.answer({ ok: true, ...(output === undefined ? { secret } : { output }) });
  else if (output === undefined) {
    terminal.faint('the root secret, to be kept as the secret it is: rootKeys: [{ secret: … }]');
    terminal.print(JSON.stringify(secret));
  } else terminal.good(`${output} holds the root secret`);
  return true;
}

/** A new file that nobody else can read; an existing one is a key that somebody may need. */
async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new Misuse(
      `${path} cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
    );
  }
}
