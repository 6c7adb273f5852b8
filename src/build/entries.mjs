// Writes the entries of the package that load wasm, one for each module and condition, as
// wasm-pack.toml says. Node's own modules only.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How each condition of package.json gets at a module: what is imported for it, and the expression
 * that is the module.
 */
const CONDITIONS = {
  // Compiled from the script itself, wherever nothing is known of the bundler.
  default: (name) => [
    `import { decodeBase64 } from '${DIST}/instance/boot.js';\nimport { base64 } from '${DIST}/wasm/${name}_inline.js';`,
    'new WebAssembly.Module(decodeBase64(base64))',
  ],
  workerd: (name) => [`import module from '${DIST}/wasm/${name}.wasm';`, 'module'],
  'edge-light': (name) => [`import module from '${DIST}/wasm/${name}.wasm?module';`, 'module'],
};

/** From an entry to the rest of dist/. */
const DIST = '..';

const PURE = '/* @__PURE__ */';

/** Puts them into `dist/entry`. */
export function writeEntries({ module: modules }, dist) {
  const folder = join(dist, 'entry');
  mkdirSync(folder, { recursive: true });
  const write = (name, text) => writeFileSync(join(folder, `${name}.js`), text);
  for (const { name, entry, slim } of modules) {
    for (const [condition, way] of Object.entries(CONDITIONS)) {
      const [imports, module] = way(name);
      const core = `${PURE} lazily(glue, '${name}', () => ${module})`;
      const more = `import { lazily } from '${DIST}/verifier/functions.js';\n${imports}`;
      write(`${entry.name}-${condition}`, textOf(name, entry, core, more));
    }
    if (slim) write(slim.name, textOf(name, slim, `glue, '${name}'`));
  }
}

function textOf(name, { folder, functions }, given, imports = '') {
  return [
    '// Made by src/build/entries.mjs of wasm-pack.toml.',
    ...(imports ? [imports] : []),
    `import { bindFunctions } from '${DIST}/${folder}/functions.js';`,
    `import * as glue from '${DIST}/wasm/${name}_bg.js';`,
    '',
    `export * from '${DIST}/${folder}/exports.js';`,
    `export const { ${functions.join(', ')} } = ${PURE} bindFunctions(${given});`,
    '',
  ].join('\n');
}
