// The example that the guide to the issuer shows runs as it stands there, and stands there as it
// runs.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { generateSigningKey } from 'portcullis/issuer';
import { memoryStore } from 'portcullis/stores';

import { issuerOn, signIn } from './example.mjs';

const read = (path) => readFile(new URL(path, import.meta.url), 'utf8');

test('the guide shows the example as it is, and it runs', async () => {
  const shown = `\`\`\`js\n${await read('./example.mjs')}\`\`\``;
  assert.ok((await read('../../www/docs/guides/issuer.md')).includes(shown));
  const issuer = issuerOn(memoryStore(), {
    SIGNING_KEY: JSON.stringify(generateSigningKey('ES256').privateJwk()),
    FEED_KEY: JSON.stringify(generateSigningKey('EdDSA').privateJwk()),
    ROOT_SECRET: Buffer.alloc(32, 7).toString('base64url'),
  });
  const { refresh_token } = await signIn(issuer, 'alice');
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'app', refresh_token });
  const answered = await issuer.fetch(new Request('https://login.example/token', { method: 'POST', body }));
  assert.equal(answered.status, 200);
});
