// The reference of the policy, from src/policy/policy.schema.json: every field with its type,
// default, bounds, description and an example.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../steps.mjs';

const schema = () => JSON.parse(readFileSync(join(ROOT, 'src', 'policy', 'policy.schema.json'), 'utf8'));

/**
 * Values for fields whose schema shows none. `tests/docs/policies.test.mjs` holds each against the
 * schema.
 */
const EXAMPLES = JSON.parse(
  readFileSync(join(ROOT, 'www', 'docs', 'reference', 'policy-examples.json'), 'utf8'),
);

/**
 * The objects of a policy that have a section of their own: title, pointer, and where in the
 * schema they are.
 */
export function sections(root = schema()) {
  const found = [];
  const visit = (name, raw) => {
    const node = resolved(root, raw);
    if (node.properties === undefined) return;
    const fields = Object.entries(node.properties).filter(([, each]) => each !== false);
    found.push({ name, node, fields });
    for (const [field, each] of fields) {
      const inner = resolved(root, each);
      const path = name === '' ? field : `${name}.${field}`;
      if (inner.properties) visit(path, inner);
      else if (inner.items && resolved(root, inner.items).properties) visit(`${path}[]`, inner.items);
    }
  };
  visit('', root);
  // A requirement and a key stand in several places: once is enough.
  const seen = new Map();
  return found
    .filter(({ name, fields }) => {
      const own = JSON.stringify(fields);
      if (seen.has(own)) seen.get(own).push(name);
      else seen.set(own, [name]);
      return seen.get(own)[0] === name;
    })
    .map((section) => ({ ...section, names: seen.get(JSON.stringify(section.fields)) }));
}

const resolved = (root, node) => {
  const { $ref, ...own } = node;
  if ($ref === undefined) return node;
  const target = $ref
    .slice(2)
    .split('/')
    .reduce((at, name) => at[name], root);
  return { ...target, ...own };
};

export function policyReference() {
  const root = schema();
  return sections(root)
    .map(({ name, names, node, fields }) => {
      const title = name === '' ? 'The policy' : names.map((each) => `\`${each}\``).join(', ');
      const required = new Set(node.required ?? []);
      const rows = fields.map(([field, raw]) => {
        const each = resolved(root, raw);
        const path = name === '' ? field : `${name}.${field}`;
        const cells = [
          `\`${field}\`${required.has(field) ? ' (required)' : ''}`,
          typeOf(root, each),
          each.default === undefined ? '–' : code(each.default),
          each.description ?? '',
          exampleOf(path, each, root),
        ];
        return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
      });
      return [
        `## ${title}`,
        node.description ?? '',
        '',
        '| field | type | default | what it is | example |',
        '| --- | --- | --- | --- | --- |',
        ...rows,
      ].join('\n');
    })
    .join('\n\n');
}

const code = (value) => `\`${JSON.stringify(value)}\``;

function typeOf(root, raw) {
  const node = resolved(root, raw);
  if (node.const !== undefined) return code(node.const);
  if (node.enum)
    return node.enum.length > 6 ? `one of ${node.enum.length} names` : node.enum.map(code).join(' or ');
  const several = node.anyOf ?? (node.type === undefined ? node.oneOf : undefined);
  if (several && node.type === undefined) return several.map((each) => typeOf(root, each)).join(' or ');
  if (node.type === 'array') return `array of ${typeOf(root, node.items)}`;
  if (node.type === 'integer') return `integer${bounds(node)}`;
  return [node.type ?? 'object'].flat().join(' or ');
}

const bounds = ({ minimum, maximum }) =>
  minimum === undefined && maximum === undefined ? '' : `, ${minimum ?? '…'} to ${maximum ?? '…'}`;

/**
 * A value that the field may have: the one that is written down, or what the schema itself shows.
 */
export function exampleOf(path, raw, root = schema()) {
  const node = resolved(root, raw);
  const last = path.split('.').at(-1);
  const written = EXAMPLES[path] ?? EXAMPLES[last];
  if (written !== undefined) return code(written);
  if (node.properties || resolved(root, node.items ?? {}).properties) return 'below';
  if (node.enum) return code(node.enum[0]);
  if (node.type === 'boolean') return code(node.default === undefined ? true : !node.default);
  if (node.type === 'integer') return code(node.default ?? node.minimum ?? 1);
  if (node.default !== undefined) return code(node.default);
  return '';
}
