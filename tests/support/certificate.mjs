// A certificate for servers of tests on loopback, made for each run.
import { generate } from 'selfsigned';

/** `{ key, cert }` for `node:https`, for `localhost` and 127.0.0.1. */
export async function newCertificate() {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2048,
    algorithm: 'sha256',
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { key, cert };
}
