import { writeFile } from 'node:fs/promises';

import { bindFunctions } from '../issuer/functions.js';
import type { IssuerGlue } from '../wasm/glue.js';
import { load } from './core.js';
import { Misuse } from './input.js';
import type { Call } from './main.js';

/** `portcullis keygen` */
export async function keygen({ options: { alg = 'ES256', output }, terminal }: Call): Promise<boolean> {
  if (alg !== 'ES256' && alg !== 'EdDSA') throw new Misuse('--alg must be ES256 or EdDSA');
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
