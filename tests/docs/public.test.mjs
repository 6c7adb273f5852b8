// Every public item of the package says what it is; functions, classes and option bags also show
// how they are used.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';

import { ROOT } from '../../src/build/steps.mjs';
import { STRICT } from './project.mjs';

/** Besides functions, classes and what is named an option bag: what they take and return. */
const SHOWN = new Set(['Decision', 'Requirement', 'Policy', 'GatePolicy']);

/**
 * What lacks a description or an example: `name of entry: …` each, of entries by the files of
 * their types.
 */
function undocumented(files, read = ts.sys.readFile) {
  const options = { ...STRICT, types: [], lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'] };
  const host = ts.createCompilerHost(options);
  const program = ts.createProgram(Object.values(files), options, {
    ...host,
    getSourceFile: (name, version) => {
      const text = read(name);
      return text === undefined ? undefined : ts.createSourceFile(name, text, version, true);
    },
    fileExists: (name) => read(name) !== undefined,
  });
  const checker = program.getTypeChecker();
  const lacking = new Set();
  for (const [entry, file] of Object.entries(files)) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file));
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const lacks = (what) => lacking.add(`${exported.name} of ${entry}: ${what}`);
      if (symbol.getDocumentationComment(checker).length === 0) lacks('no description');
      const isCalled = symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class);
      const isOptions = /Options$/.test(exported.name) && !(symbol.flags & ts.SymbolFlags.Value);
      const hasExample = symbol.getJsDocTags(checker).some(({ name }) => name === 'example');
      if ((isCalled || isOptions || SHOWN.has(exported.name)) && !hasExample) lacks('no @example');
      if (!isOptions) continue;
      for (const member of checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)))
        if (member.getDocumentationComment(checker).length === 0) lacks(`${member.name} has no description`);
    }
  }
  return [...lacking];
}

test('every public item has a description, and what is called or configured has an example', () => {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const typed = Object.entries(exports).filter(([, { types }]) => types !== undefined);
  const files = typed.map(([name, { types }]) => [name.replace('.', 'portcullis'), join(ROOT, types)]);
  assert.ok(files.length > 15);
  assert.deepEqual(undocumented(Object.fromEntries(files)), []);
});

test('what is missing is found', () => {
  const text = `
    /** Described. */
    export declare function described(): void;
    export declare const nothing: number;
    /** Described.
     * @example call() */
    export interface SomeOptions {
      name: string;
      /** Described. */
      other: string;
    }
    /** Described. */
    export interface OtherOptions { }`;
  const read = (name) => (name === '/entry.d.ts' ? text : ts.sys.readFile(name));
  assert.deepEqual(undocumented({ entry: '/entry.d.ts' }, read), [
    'described of entry: no @example',
    'nothing of entry: no description',
    'SomeOptions of entry: name has no description',
    'OtherOptions of entry: no @example',
  ]);
});
