// A stranger's project: the packed package, what the README's examples import besides, and the
// compiler.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

import { ROOT, TARGET } from '../../src/build/steps.mjs';
import { EXTRA } from '../support/binaries.mjs';

/**
 * What an issue asks of every user: the strictest settings, and no library that is taken on trust.
 */
export const STRICT = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  resolveJsonModule: true,
  noEmit: true,
};

/**
 * A folder within the work tree, where the frameworks are found, with the package installed in it
 * as npm packs it; one that is `bare` has nothing but the package.
 * @returns {{ folder: string, remove(): void }}
 */
export function project({ bare = false } = {}) {
  const parent = bare ? realpathSync(tmpdir()) : TARGET;
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'portcullis-project-'));
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  const npm = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const tarball = execFileSync('npm', npm, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n').at(-1);
  execFileSync('tar', ['-xzf', join(folder, tarball), '-C', modules]);
  execFileSync('mv', [join(modules, 'package'), join(modules, 'portcullis')]);
  const next = join(EXTRA, 'node_modules', 'next');
  if (!bare && existsSync(next)) symlinkSync(next, join(modules, 'next'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * Compiles files of a project. What is wrong with the declarations of other packages, such as a
 * framework's, is theirs.
 * @param {Record<string, string>} files their texts by their paths in the project.
 * @returns {{ file: string | undefined, line: number, message: string }[]} what is wrong, `file`
 * as it was given.
 */
export function compile(folder, files, options) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const roots = Object.keys(files)
    .filter((name) => /\.[cm]?tsx?$/.test(name))
    .map((name) => join(folder, name));
  const program = ts.createProgram(roots, { ...STRICT, typeRoots: typeRoots(), ...options });
  // What others declare is checked where it is used, and their own files are not.
  const isOurs = ({ fileName }) =>
    !/(?:^\.\.|^node_modules)\/(?!portcullis\/)/.test(relative(folder, fileName));
  const ours = program.getSourceFiles().filter((file) => !file.hasNoDefaultLib && isOurs(file));
  const found = [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...ours.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]),
  ];
  return found.map(({ file, start, messageText, code }) => ({
    file: file && relative(folder, file.fileName),
    line: file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1,
    message: `TS${code}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
  }));
}

const typeRoots = () => [join(ROOT, 'node_modules', '@types'), join(ROOT, 'node_modules')];
