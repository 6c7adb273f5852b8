// `require()` of the package from CommonJS: Node loads synchronous ES modules that way since 20.19.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { runtimeBinary } from '../../support/binaries.mjs';
import { answerIn, finish } from '../../support/common.mjs';
import { judge, sampleOf } from './bundles.mjs';

const SCRIPT = `const { createVerifier } = require('portcullis');
const { now, policy, spoiled, token } = require('./sample.json');
const verifier = createVerifier(policy);
const verdicts = [token, spoiled].map((text) => verifier.verify(text, { now }));
console.log('@@answer ' + JSON.stringify({ version: process.versions.node, verdicts }));
`;

export function requireDriver(name) {
  return async ({ stage, timeoutMs }) => {
    const sample = sampleOf(stage.vectorFiles);
    await writeFile(join(stage.folder, 'sample.json'), JSON.stringify(sample));
    await writeFile(join(stage.folder, 'script.cjs'), SCRIPT);
    const output = await finish(runtimeBinary(name), ['script.cjs'], { cwd: stage.folder, timeoutMs });
    const { version, verdicts } = answerIn(output);
    return { version, ...judge(sample, verdicts) };
  };
}
