// The public API of the crate, one line an item, into tests/rust/public-api.txt: what a release
// promises.
//   node src/build/public-api.mjs            writes it
//   node src/build/public-api.mjs --check    says whether it is what would be written
// It is read from rustdoc's JSON with all features. An item counts by the shortest path that leads
// to it. What a signature mentions has a path as well: a type that nobody can name fails here.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isMain, main, Plain, ROOT, run, TARGET } from './steps.mjs';

const FILE = join(ROOT, 'tests', 'rust', 'public-api.txt');
const HEAD = `The public API of the crate with all features, one line an item: what a release promises.
Written by \`node src/build/public-api.mjs\`, and compared by \`npm test -- --only rustdoc\`.
`;
/** The format of rustdoc's JSON that this file was written for. */
const KNOWN_FORMAT = 57;
/**
 * What derives bring along, and what the compiler finds of itself and no stable program asks for.
 */
const UNSTABLE_TRAITS = ['StructuralPartialEq', 'Freeze', 'UnwindSafe', 'RefUnwindSafe'];

/** rustdoc's account of the crate. */
async function account() {
  // Only rustdoc is told: to cargo it would be another build of every dependency.
  const rustdoc = join(TARGET, 'rustdoc-json');
  mkdirSync(TARGET, { recursive: true });
  writeFileSync(rustdoc, '#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc "$@"\n');
  chmodSync(rustdoc, 0o755);
  const json = ['-Z', 'unstable-options', '--output-format', 'json'];
  await run(
    'cargo',
    ['rustdoc', '--locked', '--lib', '--all-features', '--target-dir', TARGET, '--', ...json],
    {
      env: { RUSTDOC: rustdoc },
    },
  );
  return JSON.parse(readFileSync(join(TARGET, 'doc', 'portcullis.json'), 'utf8'));
}

/** The text of the file, and the types that public items mention and nobody can name. */
export function publicApi({ index, paths, root, format_version: format }) {
  const named = new Map();
  /** Lines by the path they are about. Those of one path stay in the order in which they come. */
  const lines = new Map();
  const unnamed = new Set();
  let current = '';
  const add = (path, line) => lines.set(path, [...(lines.get(path) ?? []), line]);

  const kind = (item) => Object.keys(item.inner)[0];
  const unknown = (what) =>
    new Plain(
      `rustdoc writes format ${format} of its JSON, with ${JSON.stringify(what).slice(0, 80)} in it; ` +
        `src/build/public-api.mjs was written for format ${KNOWN_FORMAT}: teach it that`,
    );

  // First every path, so that a signature can say the shortest.
  const queue = [[root, '']];
  const below = (path, name) => (path === '' ? name : `${path}::${name}`);
  for (const [id, path] of queue) {
    const item = index[id];
    if (named.has(id) && kind(item) !== 'module') continue;
    if (!named.has(id)) named.set(id, path);
    if (kind(item) !== 'module') continue;
    for (const child of item.inner.module.items.map((child) => index[child])) {
      if (kind(child) !== 'use') queue.push([child.id, below(path, child.name)]);
      else if (index[child.inner.use.id]) queue.push([child.inner.use.id, below(path, child.inner.use.name)]);
      else add(below(path, child.inner.use.name), `pub use ${child.inner.use.source}`);
    }
  }

  const list = (items, show) => items.map(show).join(', ');
  const inAngles = (text) => (text === '' ? '' : `<${text}>`);

  function pathOf(id, written) {
    const known = paths[id];
    if (known?.crate_id === 0 || (!known && index[id])) {
      if (!named.has(id)) unnamed.add(`${current}: ${known?.path.join('::') ?? written}`);
      return named.get(id) ?? written;
    }
    const path = known?.path ?? [written];
    return ['core', 'alloc', 'std'].includes(path[0]) ? path.at(-1) : path.join('::');
  }
  function args(found) {
    if (!found) return '';
    if (found.angle_bracketed) {
      const { args, constraints } = found.angle_bracketed;
      return inAngles([...args.map(argument), ...constraints.map(constraint)].join(', '));
    }
    if (found.parenthesized)
      return `(${list(found.parenthesized.inputs, type)})${returned(found.parenthesized.output)}`;
    throw unknown(found);
  }
  function argument(found) {
    if (found.lifetime) return found.lifetime;
    if (found.type) return type(found.type);
    if (found.const) return found.const.expr;
    throw unknown(found);
  }
  function constraint({ name, binding }) {
    if (binding.equality) return `${name} = ${type(binding.equality.type)}`;
    return `${name}: ${bounds(binding.constraint)}`;
  }
  const trait = ({ id, path, args: own }) => `${pathOf(id, path)}${args(own)}`;
  const higher = (parameters) =>
    parameters.length > 0 ? `for<${list(parameters, (one) => one.name)}> ` : '';
  function bound(found) {
    if (found.outlives) return found.outlives;
    if (found.trait_bound) {
      const sign = found.trait_bound.modifier === 'maybe' ? '?' : '';
      return `${sign}${higher(found.trait_bound.generic_params)}${trait(found.trait_bound.trait)}`;
    }
    if (found.use) return `use<${list(found.use, (one) => one.lifetime ?? one.param)}>`;
    throw unknown(found);
  }
  const bounds = (found) => found.map(bound).join(' + ');
  const returned = (output) => (output ? ` -> ${type(output)}` : '');
  function type(found) {
    const [[name, inner]] = Object.entries(found);
    switch (name) {
      case 'resolved_path':
        return `${pathOf(inner.id, inner.path)}${args(inner.args)}`;
      case 'generic':
      case 'primitive':
        return inner;
      case 'tuple':
        return `(${list(inner, type)})`;
      case 'slice':
        return `[${type(inner)}]`;
      case 'array':
        return `[${type(inner.type)}; ${inner.len}]`;
      case 'borrowed_ref':
        return `&${inner.lifetime ? `${inner.lifetime} ` : ''}${inner.is_mutable ? 'mut ' : ''}${type(inner.type)}`;
      case 'impl_trait':
        return `impl ${bounds(inner)}`;
      case 'dyn_trait': {
        const traits = inner.traits.map((one) => `${higher(one.generic_params)}${trait(one.trait)}`);
        return `dyn ${[...traits, ...(inner.lifetime ? [inner.lifetime] : [])].join(' + ')}`;
      }
      case 'qualified_path': {
        const self = type(inner.self_type);
        return inner.trait ? `<${self} as ${trait(inner.trait)}>::${inner.name}` : `${self}::${inner.name}`;
      }
      case 'function_pointer':
        return `fn(${list(inner.sig.inputs, ([, one]) => type(one))})${returned(inner.sig.output)}`;
      default:
        throw unknown(found);
    }
  }
  function parameters(generics) {
    const shown = generics.params.flatMap(({ name, kind: of }) => {
      if (of.lifetime) return [name];
      if (of.const) return [`const ${name}: ${type(of.const.type)}`];
      if (of.type.is_synthetic) return [];
      const asked = of.type.bounds.length > 0 ? `: ${bounds(of.type.bounds)}` : '';
      return [`${name}${asked}${of.type.default ? ` = ${type(of.type.default)}` : ''}`];
    });
    return inAngles(shown.join(', '));
  }
  function where({ where_predicates: predicates }) {
    const shown = predicates.flatMap(({ bound_predicate: found }) =>
      found ? [`${type(found.type)}: ${bounds(found.bounds)}`] : [],
    );
    return shown.length > 0 ? ` where ${shown.join(', ')}` : '';
  }
  function self(found) {
    const text = type(found);
    return text.endsWith('Self') ? text.replace('Self', 'self') : `self: ${text}`;
  }

  const open = (item) => (item.attrs.includes('non_exhaustive') ? '#[non_exhaustive] ' : '');

  function func(path, { inner: { function: found } }, end = '') {
    const { is_async, is_const } = found.header;
    const inputs = list(found.sig.inputs, ([name, one]) =>
      name === 'self' ? self(one) : `${name}: ${type(one)}`,
    );
    const before = `${is_const ? 'const ' : ''}${is_async ? 'async ' : ''}`;
    const output = returned(found.sig.output);
    add(
      path,
      `pub ${before}fn ${path}${parameters(found.generics)}(${inputs})${output}${where(found.generics)}${end}`,
    );
  }
  function fields(path, ids) {
    for (const field of ids.filter((id) => id !== null).map((id) => index[id]))
      add(`${path}::${field.name}`, `pub ${path}::${field.name}: ${type(field.inner.struct_field)}`);
  }
  function variant(path, item) {
    const of = item.inner.variant.kind;
    const at = `${path}::${item.name}`;
    if (of.tuple) {
      const shown = list(of.tuple, (id) => (id === null ? '_' : type(index[id].inner.struct_field)));
      return add(at, `${open(item)}pub variant ${at}(${shown})`);
    }
    add(at, `${open(item)}pub variant ${at}`);
    if (of.struct) fields(at, of.struct.fields);
  }
  /**
   * The inherent items of a type, and the traits that it was given: those that look alike on one
   * line.
   */
  function impls(path, ids) {
    const alike = new Map();
    for (const { inner } of ids.map((id) => index[id])) {
      const found = inner.impl;
      current = path;
      const items = found.items.map((id) => index[id]);
      if (!found.trait) {
        for (const item of items) if (item.visibility === 'public') associated(path, item);
      } else if (found.blanket_impl === null && (!found.is_synthetic || found.is_negative)) {
        if (UNSTABLE_TRAITS.includes(found.trait.path.split('::').at(-1))) continue;
        const types = items.filter((item) => item.inner.assoc_type);
        const given = types.map((item) => `${item.name} = ${type(item.inner.assoc_type.type)}`);
        const before = `impl${parameters(found.generics)}`;
        const after = `for ${type(found.for)}${where(found.generics)}${given.length > 0 ? ` { ${given.join(', ')} }` : ''}`;
        const key = JSON.stringify([before, after]);
        const name = `${found.is_negative ? '!' : ''}${trait(found.trait)}`;
        alike.set(key, [...(alike.get(key) ?? []), name]);
      }
    }
    for (const [key, names] of [...alike].sort()) {
      const [before, after] = JSON.parse(key);
      add(path, `${before} ${names.sort().join(', ')} ${after}`);
    }
  }
  function associated(path, item, end) {
    const at = `${path}::${item.name}`;
    current = at;
    if (item.inner.function) return func(at, item, end);
    if (item.inner.assoc_const) return add(at, `pub const ${at}: ${type(item.inner.assoc_const.type)}`);
    if (item.inner.assoc_type) return add(at, `pub type ${at}: ${bounds(item.inner.assoc_type.bounds)}`);
    throw unknown(item.inner);
  }
  function item(path, found) {
    const inner = found.inner[kind(found)];
    current = path;
    switch (kind(found)) {
      case 'module':
        return path === '' ? undefined : add(path, `pub mod ${path}`);
      case 'struct': {
        const { generics, kind: of } = inner;
        const shown = of.tuple
          ? `(${list(of.tuple, (id) => (id === null ? '_' : type(index[id].inner.struct_field)))})`
          : '';
        add(path, `${open(found)}pub struct ${path}${parameters(generics)}${shown}`);
        if (of.plain) fields(path, of.plain.fields);
        return impls(path, inner.impls);
      }
      case 'enum':
        add(path, `${open(found)}pub enum ${path}${parameters(inner.generics)}`);
        for (const id of inner.variants) variant(path, index[id]);
        return impls(path, inner.impls);
      case 'trait':
        add(
          path,
          `pub trait ${path}${parameters(inner.generics)}${inner.bounds.length > 0 ? `: ${bounds(inner.bounds)}` : ''}`,
        );
        for (const id of inner.items)
          associated(path, index[id], index[id].inner.function?.has_body ? ' { .. }' : ';');
        return;
      case 'type_alias':
        return add(path, `pub type ${path}${parameters(inner.generics)} = ${type(inner.type)}`);
      case 'constant':
        return add(path, `pub const ${path}: ${type(inner.type)}`);
      case 'function':
        return func(path, found);
      default:
        throw unknown(found.inner);
    }
  }
  for (const [id, path] of named) item(path, index[id]);

  const sorted = [...lines].sort(([left], [right]) => (left < right ? -1 : 1)).flatMap(([, of]) => of);
  return { text: `${HEAD}\n${sorted.join('\n')}\n`, unnamed: [...unnamed].sort() };
}

/** The first lines that only one of two texts has, as a person wants to read them. */
function difference(before, after) {
  const [old, now] = [before, after].map((text) => new Set(text.split('\n')));
  const gone = [...old].filter((line) => !now.has(line)).map((line) => `- ${line}`);
  const come = [...now].filter((line) => !old.has(line)).map((line) => `+ ${line}`);
  return [...gone, ...come].slice(0, 40).join('\n');
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const { text, unnamed } = publicApi(await account());
    if (unnamed.length > 0)
      throw new Plain(
        `public items mention types that nobody can name; export them or close the items:\n${unnamed.join('\n')}`,
      );
    if (!process.argv.includes('--check')) return writeFileSync(FILE, text);
    const before = readFileSync(FILE, 'utf8');
    if (before !== text)
      throw new Plain(
        `the public API is not what tests/rust/public-api.txt says:\n${difference(before, text)}\n` +
          'If that is meant, run node src/build/public-api.mjs, commit the file, and say it in CHANGELOG.md.',
      );
  });
}
