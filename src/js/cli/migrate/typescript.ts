// The parser is the caller's own TypeScript: this package has no dependencies at run time.
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type ts from 'typescript';

import { Misuse } from '../input.js';

export type TypeScript = typeof ts;

const INSTALL =
  'migrate reads sources with the TypeScript of your project, and found none; run npm install --save-dev typescript@5';

/** TypeScript as the file's own project has it, or the folder that the command runs in. */
export function loadTypeScript(file: string): TypeScript {
  for (const folder of [dirname(resolve(file)), process.cwd()]) {
    const found = loadFrom(folder);
    if (found !== undefined) return found;
  }
  throw new Misuse(INSTALL);
}

function loadFrom(folder: string): TypeScript | undefined {
  try {
    const found = createRequire(join(folder, 'portcullis.cjs'))('typescript') as Partial<TypeScript>;
    // A package of that name without the compiler's API cannot parse for others.
    return typeof found.createProgram === 'function' ? (found as TypeScript) : undefined;
  } catch {
    return undefined;
  }
}
