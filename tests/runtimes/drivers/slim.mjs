// The entry `portcullis/slim` in Chromium, unbundled: the wasm is a file of its own, fetched from
// the place the exports map names.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { inChromium } from '../../support/browsers.mjs';
import { serve, unbundledPage } from '../../support/common.mjs';
import { judge, writeSample } from './bundles.mjs';

const APP = `import { createVerifier, init } from 'portcullis/slim';
import { post } from './post.mjs';
import { now, policy, spoiled, token } from './sample.mjs';
post(async () => {
  await init(import.meta.resolve('portcullis/portcullis.wasm'));
  const verifier = createVerifier(policy);
  return { verdicts: [token, spoiled].map((text) => verifier.verify(text, { now })) };
});
`;

export async function slim({ stage, timeoutMs }) {
  const sample = await writeSample(stage);
  await writeFile(join(stage.folder, 'slim.mjs'), APP);
  const server = await serve(stage.folder, await unbundledPage(stage, 'slim.mjs'));
  const { version, verdicts } = await inChromium(server, timeoutMs);
  return { version, ...judge(sample, verdicts) };
}
