// The path that is judged is the path that is served: thousands of targets, as they are written,
// against route tables in each framework. No handler may be reached by a request that has not
// brought what the policy asks for there.
//   node --test tests/adapters/routing.test.mjs                 seeded, for `npm test`
//   node tests/adapters/routing.test.mjs --rounds 20000         longer: so many targets a table and framework
//   node tests/adapters/routing.test.mjs --seed 7               other tables and targets
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createGate } from 'portcullis/gate';

import { mint, policy } from './cases.mjs';
import { APPS, SERVED } from './routing/apps.mjs';
import { client } from './routing/raw.mjs';
import { random, routesOf, scopesOf, scopesOfRest, tableOf } from './routing/tables.mjs';
import { targetOf } from './routing/targets.mjs';

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return Number(
    at < 0 ? (process.env[`PORTCULLIS_${name.toUpperCase()}`] ?? otherwise) : process.argv[at + 1],
  );
};
const ROUNDS = option('rounds', 250);
const SEED = option('seed', 20_261_126);
const TABLES = 6;
const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'OPTIONS'];

const tokens = new Map();
function tokenOf(scopes) {
  const scope = scopes.toSorted().join(' ');
  if (!tokens.has(scope)) tokens.set(scope, mint({ scope: scope || 'none' }));
  return tokens.get(scope);
}

/** Scopes that a client may have: many of them, so that much is served, and often all but one. */
function scopesFor(next, { entries }) {
  const all = ['rest', ...entries.map(({ scope }) => scope).filter((scope) => scope !== 'public')];
  if (next(2) === 0) return all.filter((_, at) => at !== 0 && next(3) > 0);
  const missing = next(all.length + 1);
  return all.filter((_, at) => at !== missing);
}

const next = random(SEED);
const tables = Array.from({ length: TABLES }, () => tableOf(next));

for (const [name, serve] of Object.entries(APPS)) {
  test(`${name} serves what the gate judged`, async () => {
    const next = random(SEED + name.length);
    const chosen = tables.slice(0, serve.tables);
    const count = { asked: 0, served: 0, reached: new Set(), faults: [] };
    for (const [number, table] of chosen.entries()) {
      const own = { ...policy.gate, routes: routesOf(table), requirement: { scopes: ['rest'] } };
      const gated = { ...policy, gate: own };
      const { origin, stop } = await serve(createGate(gated), table, gated);
      const { host, port } = new URL(origin);
      const { ask, close } = client(Number(port));
      try {
        for (let round = 0; round < ROUNDS; round++) {
          const scopes = scopesFor(next, table);
          const method = METHODS[next(METHODS.length)];
          const target = targetOf(next, table, host);
          if (/\s/.test(target) || (serve.originForm && !target.startsWith('/'))) continue;
          const headers = [
            ['Host', host],
            ['Content-Length', '0'],
            ...(next(8) === 0 ? [] : [['Authorization', `Bearer ${tokenOf(scopes)}`]]),
          ];
          const held = headers.length === 3 ? scopes : [];
          const answer = await ask(method, target, headers);
          count.asked += 1;
          const served = answer.headers[SERVED];
          if (served === undefined) continue;
          count.served += 1;
          const [handlerName, params] = JSON.parse(decodeURIComponent(served));
          const handler = table.handlers.find((one) => one.name === handlerName);
          if (handler) count.reached.add(`${number} ${handlerName}`);
          const wanted = handler
            ? scopesOf(table, handler, params, method)
            : scopesOfRest(table, params.path, method);
          const lacking = wanted.filter((scope) => !held.includes(scope));
          if (lacking.length > 0) {
            count.faults.push(
              `${method} ${target} → ${handler?.path ?? 'the rest'} ${JSON.stringify(params)} without ${lacking}`,
            );
          }
        }
      } finally {
        close();
        await stop();
      }
    }
    const { asked, served, reached, faults } = count;
    console.log(`${name}: ${asked} targets, ${served} served by ${reached.size} handlers`);
    assert.deepEqual(faults.slice(0, 12), [], `${faults.length} of ${served}`);
    const handlers = chosen.reduce((sum, table) => sum + table.handlers.length, 0);
    assert.ok(served > asked / 10 && reached.size > handlers / 2, 'too little was served to tell anything');
  });
}
