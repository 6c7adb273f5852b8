// Node, Deno and Bun: the suite on the console. Deno gets no permission at all: importing local
// modules needs none.
import { runtimeBinary } from '../../support/binaries.mjs';
import { answerIn, finish } from '../../support/common.mjs';

export function consoleDriver(name) {
  return async ({ stage, timeoutMs }) => {
    const { args, env } = COMMANDS[name] ?? COMMANDS.node;
    const output = await finish(runtimeBinary(name), args, {
      cwd: stage.folder,
      env: env?.(stage),
      timeoutMs,
    });
    return answerIn(output);
  };
}

const COMMANDS = {
  node: { args: ['console.mjs'] },
  deno: {
    args: ['run', '--no-prompt', '--no-remote', '--no-lock', '--node-modules-dir=manual', 'console.mjs'],
    env: ({ folder }) => ({ DENO_DIR: `${folder}/.deno`, DENO_NO_UPDATE_CHECK: '1' }),
  },
  bun: { args: ['--no-install', 'console.mjs'], env: () => ({ DO_NOT_TRACK: '1' }) },
};
