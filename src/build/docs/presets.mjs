// What pages of providers show of the sources: the fields that a preset stands for, and the tokens
// of tests/vectors/policy.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readVectors } from '../../../tests/vectors/read.mjs';
import { ROOT } from '../steps.mjs';

/** The names of all presets, of the policy's schema. */
export const presetNames = () => schemaOfIssuer().properties.preset.enum;

const schemaOfIssuer = () =>
  JSON.parse(readFileSync(join(ROOT, 'src', 'policy', 'policy.schema.json'), 'utf8')).$defs.issuer;

/** The JSON that a preset stands for, as src/policy has it; `<name>` is a parameter. */
function fieldsOf(name) {
  const folder = join(ROOT, 'src', 'policy');
  const files = readdirSync(folder, { recursive: true }).map(String);
  for (const file of files.filter((each) => each.endsWith('.rs'))) {
    const source = readFileSync(join(folder, file), 'utf8');
    for (const [, own, fields] of source.matchAll(/preset\(\s*"([a-z\d-]+)",[\s\S]*?r#"([\s\S]*?)"#/g))
      if (own === name) return fields;
  }
  return undefined;
}

/** Every preset with its parameters and its page. */
export function presetTable() {
  const { properties } = schemaOfIssuer();
  const of = (text) => /Of the presets? ([\w, -]+)\.$/.exec(text)?.[1].split(', ') ?? [];
  const parameters = (name) =>
    Object.keys(properties).filter((field) => of(properties[field].description ?? '').includes(name));
  const rows = presetNames().map((name) => {
    const page = pageOf(name);
    const shown = page === undefined ? `\`${name}\`` : `[\`${name}\`](${page})`;
    const own = parameters(name).map((field) => `\`${field}\``);
    return `| ${shown} | ${own.join(', ') || '–'} |`;
  });
  return ['| preset | parameters |', '| --- | --- |', ...rows].join('\n');
}

/** The page that asks for the sections of a preset. */
function pageOf(name) {
  const folder = join(ROOT, 'www', 'docs', 'providers');
  return readdirSync(folder).find((file) =>
    readFileSync(join(folder, file), 'utf8').includes(`<!-- generated: token ${name} -->`),
  );
}

const block = (value) => `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;
const decoded = (segment) => JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));

/**
 * The vectors of a preset: those that are called after it, or else those whose policy has it, of
 * the first such policy alone.
 */
function vectorsOf(name) {
  const files = readVectors('policy').map(({ vectors, policies }) =>
    vectors
      .filter(({ token }) => typeof token === 'string')
      .map((vector) => ({ ...vector, of: policies?.[vector.policy] ?? vector.policy })),
  );
  const all = files.flat();
  const called = all.filter(({ id }) =>
    ['accepts', 'refuses'].some((verb) => id.startsWith(`${name}-${verb}-`)),
  );
  if (called.length > 0) return called;
  const having = all.filter(({ of }) => of?.issuers?.[0]?.preset === name);
  return having.filter(({ of }) => of === having[0].of);
}

/** A token of the provider's documented shape. */
export function tokenOf(name) {
  const accepted = vectorsOf(name).find(({ expect }) => expect.ok);
  if (accepted === undefined) return '';
  const [header, payload] = accepted.token.split('.').slice(0, 2).map(decoded);
  return ['The header:', block(header), 'The payload:', block(payload)].join('\n\n');
}

/** What the preset stands for; nothing where there is no such preset. */
export function presetOf(name) {
  const fields = fieldsOf(name);
  if (fields === undefined) return '';
  return [
    'The preset stands for these fields. A field that the policy gives itself wins; `claims` and `requiredClaims` add up.',
    block(JSON.parse(fields)),
  ].join('\n\n');
}

/**
 * The shortest policy with the preset: that of the vector which is accepted, without the keys that
 * are built into it.
 */
export function shortestOf(name) {
  const policy = policyWith(name);
  return policy ? [`With the preset \`${name}\`:`, block(policy)].join('\n\n') : '';
}

function policyWith(name) {
  const issuer = vectorsOf(name)
    .flatMap(({ of }) => of?.issuers ?? [])
    .find(({ preset }) => preset === name);
  if (issuer === undefined) return undefined;
  const { jwks, keys, ...own } = issuer;
  return { issuers: [own] };
}

/** Tokens that look alike and are refused, by the code. */
export function refusedOf(name) {
  const rows = vectorsOf(name)
    .filter(({ expect }) => !expect.ok)
    .map(({ id, comment, expect }) => {
      const what = id
        .slice(id.indexOf('-refuses-') + '-refuses-'.length)
        .replaceAll('-', ' ')
        .replace(/ preset$/, '');
      return `| ${what} | [\`${expect.code}\`](../reference/codes.md#${expect.code}) | ${comment} |`;
    });
  if (rows.length === 0) return '';
  return ['| refused | code | why |', '| --- | --- | --- |', ...rows].join('\n');
}
