// A small app bundled as its user would, by Vite, esbuild and webpack without plugins, then run in
// Chromium under a strict Content-Security-Policy. It takes one token and refuses the same token
// with another signature.
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { inChromium } from '../../support/browsers.mjs';
import { serve } from '../../support/common.mjs';
import { canonical } from '../suite.mjs';

const APP = `import { createVerifier } from 'portcullis';
import { now, policy, spoiled, token } from './sample.mjs';
import { post } from './post.mjs';
const verifier = createVerifier(policy);
post(() => ({ verdicts: [token, spoiled].map((text) => verifier.verify(text, { now })) }));
`;

export function bundleDriver(name) {
  return async ({ stage, timeoutMs }) => {
    const sample = await writeSample(stage);
    await writeFile(join(stage.folder, 'app.mjs'), APP);
    const out = join(stage.folder, `bundle-${name}`);
    await BUNDLERS[name](stage.folder, out);
    const page = () =>
      '<!doctype html><meta charset="utf-8"><title>bundle</title><script type="module" src="/app.js"></script>';
    const { verdicts } = await inChromium(await serve(out, page), timeoutMs);
    return { version: versionOf(name), ...judge(sample, verdicts) };
  };
}

const BUNDLERS = {
  async vite(folder, out) {
    const { build } = await import('vite');
    await build({
      root: folder,
      configFile: false,
      logLevel: 'error',
      build: {
        outDir: out,
        rollupOptions: { input: join(folder, 'app.mjs'), output: { entryFileNames: 'app.js' } },
      },
    });
  },
  async esbuild(folder, out) {
    const { build } = await import('esbuild');
    await build({
      absWorkingDir: folder,
      entryPoints: ['app.mjs'],
      outfile: join(out, 'app.js'),
      bundle: true,
      minify: true,
      format: 'esm',
      logLevel: 'warning',
    });
  },
  async webpack(folder, out) {
    const { default: webpack } = await import('webpack');
    const compiler = webpack({
      mode: 'production',
      context: folder,
      entry: './app.mjs',
      output: { path: out, filename: 'app.js' },
      performance: { hints: false },
    });
    await new Promise((resolve, reject) => {
      compiler.run((error, stats) => {
        const fault =
          error ?? (stats.hasErrors() || stats.hasWarnings() ? new Error(stats.toString()) : undefined);
        compiler.close(() => (fault ? reject(fault) : resolve()));
      });
    });
  },
};

/** Writes the sample beside the suite as a module, and returns it. */
export async function writeSample({ folder, vectorFiles }) {
  const sample = sampleOf(vectorFiles);
  const text = JSON.stringify(JSON.stringify(sample));
  await writeFile(
    join(folder, 'sample.mjs'),
    `export const { now, policy, spoiled, token } = JSON.parse(${text});\n`,
  );
  return sample;
}

/**
 * The first accepted token whose algorithm is asymmetric, and the same with its signature's first
 * character changed.
 */
export function sampleOf(vectorFiles) {
  for (const file of vectorFiles) {
    for (const { kind, policy, token, now, expect } of file.vectors) {
      if (kind !== 'verify' || !expect.ok || typeof token !== 'string') continue;
      const { alg } = JSON.parse(Buffer.from(token.split('.')[0], 'base64url'));
      if (alg.startsWith('HS')) continue;
      const dot = token.lastIndexOf('.') + 1;
      const spoiled = token.slice(0, dot) + (token[dot] === 'A' ? 'B' : 'A') + token.slice(dot + 1);
      return { now, policy: typeof policy === 'string' ? file.policies[policy] : policy, spoiled, token };
    }
  }
  throw new Error('no vector holds an accepted token with an asymmetric algorithm');
}

/** Both verdicts as suite results. */
export function judge({ token, spoiled }, [accepted, refused]) {
  const failed = [];
  if (accepted.ok !== true)
    failed.push({ id: `accepts ${token.slice(0, 20)}…`, expected: 'ok', got: canonical(accepted) });
  if (refused.code !== 'signature-invalid') {
    failed.push({
      id: `refuses ${spoiled.slice(0, 20)}…`,
      expected: 'signature-invalid',
      got: canonical(refused),
    });
  }
  return { passed: 2 - failed.length, failed, total: 2 };
}

function versionOf(name) {
  return createRequire(import.meta.url)(`${name}/package.json`).version;
}
