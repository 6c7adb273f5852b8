// What a schema makes of claims, and what of it is remembered: data that nobody can change is
// shared, anything else is made anew for each answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createVerifier } from 'portcullis';
import { createGate } from 'portcullis/gate';
import { generateSigningKey } from 'portcullis/issuer';

const NOW = 1_800_000_000;
const at = { now: NOW };
const key = generateSigningKey('ES256');
const base = {
  issuer: 'https://issuer.example',
  audience: 'https://api.example',
  subject: 's',
  clientId: 'c',
};
const policy = { issuers: [{ issuer: base.issuer, audience: base.audience, jwks: key.jwks() }] };
const token = key.mintAccessToken(
  { ...base, claims: { roles: ['user'], deep: { list: [1, { a: [] }] } } },
  at,
);
const request = {
  method: 'GET',
  url: 'https://api.example/',
  headers: [['authorization', `Bearer ${token}`]],
};

class Account {
  #roles = ['user'];
  name = 'alice';
  grant(role) {
    this.#roles.push(role);
  }
  get roles() {
    return [...this.#roles];
  }
}

/**
 * What a schema may make: the value, what a first reader does to it, and what a second one would
 * see of that.
 */
const KINDS = {
  Set: [() => new Set(['user']), (set) => set.add('admin'), (set) => [...set]],
  Map: [() => new Map([['role', 'user']]), (map) => map.set('role', 'admin'), (map) => [...map]],
  Date: [() => new Date(0), (date) => date.setTime(1), Number],
  'typed array': [() => new Uint8Array([1]), (bytes) => bytes.fill(9), (bytes) => [...bytes]],
  ArrayBuffer: [
    () => new ArrayBuffer(1),
    (buffer) => new Uint8Array(buffer).fill(9),
    (buffer) => new Uint8Array(buffer)[0],
  ],
  'private fields': [() => new Account(), (account) => account.grant('admin'), (account) => account.roles],
  'fields of a class': [
    () => new Account(),
    (account) => Object.assign(account, { name: 'root' }),
    ({ name }) => name,
  ],
  URLSearchParams: [() => new URLSearchParams('role=user'), (list) => list.append('role', 'admin'), String],
  'a RegExp': [
    () => /a/g,
    (pattern) => Object.assign(pattern, { lastIndex: 7 }),
    ({ lastIndex }) => lastIndex,
  ],
  'a function': [() => () => {}, (made) => Object.assign(made, { role: 'admin' }), ({ role }) => role],
  'a prototype of its own': [
    () => Object.create({ roles: ['user'] }),
    (made) => made.roles.push('admin'),
    ({ roles }) => [...roles],
  ],
  'an accessor': [
    () => {
      let role = 'user';
      return Object.defineProperty({}, 'role', {
        enumerable: true,
        get: () => role,
        set: (value) => {
          role = value;
        },
      });
    },
    (made) => {
      made.role = 'admin';
    },
    ({ role }) => role,
  ],
  'a hidden member': [
    () => Object.defineProperty({}, 'set', { value: new Set(['user']) }),
    ({ set }) => set.add('admin'),
    ({ set }) => [...set],
  ],
  'a member under a symbol': [
    () => ({ [Symbol.for('roles')]: new Set(['user']) }),
    (made) => made[Symbol.for('roles')].add('admin'),
    (made) => [...made[Symbol.for('roles')]],
  ],
  'an array with a class of its own': [
    () =>
      new (class Roles extends Array {
        kept = new Set(['user']);
      })('user', 'b'),
    ({ kept }) => kept.add('admin'),
    ({ kept }) => [...kept],
  ],
  'a Proxy that only says that it is frozen': [
    () => {
      const target = { role: 'user' };
      let role = 'user';
      return new Proxy(target, {
        get: (_, name) => (name === 'role' ? role : undefined),
        set(_, __, value) {
          role = value;
          return true;
        },
      });
    },
    (made) => {
      try {
        made.role = 'admin';
      } catch {}
    },
    ({ role }) => role,
  ],
  'a Proxy that cannot be looked at': [
    () =>
      new Proxy(
        {},
        {
          ownKeys() {
            throw new Error('no');
          },
          get: () => 1,
          getPrototypeOf() {
            throw new Error('no');
          },
        },
      ),
    () => {},
    () => 1,
  ],
  'what holds itself': [
    () => {
      const made = { roles: ['user'] };
      made.self = made;
      return made;
    },
    (made) => {
      try {
        made.self.roles.push('admin');
      } catch {}
    },
    ({ roles }) => [...roles],
  ],
};

const schemaOf = (make) => ({
  '~standard': { version: 1, vendor: 'test', validate: (claims) => ({ value: make(claims) }) },
});

/** Three answers about one token, by each way there is. */
const WAYS = {
  verify: (claims) => {
    const verifier = createVerifier(policy, { claims });
    return async () => verifier.verify(token, at);
  },
  verifyAuthorization: (claims) => {
    const verifier = createVerifier(policy, { claims });
    return async () => verifier.verifyAuthorization(`Bearer ${token}`, at);
  },
  check: (claims) => {
    const gate = createGate(policy, { claims, now: () => NOW, platform: 'none' });
    return () => gate.check(request);
  },
};

for (const [way, asking] of Object.entries(WAYS)) {
  for (const [kind, [make, change, look]] of Object.entries(KINDS)) {
    test(`${way}: ${kind} that one request changes, another does not see`, async () => {
      for (const wrap of [
        (made) => ({ made }),
        (made) => ({ made: [{ made }] }).made,
        (made) => ({ a: { b: [made] } }),
      ]) {
        const find = (claims) => claims.made ?? claims[0]?.made ?? claims.a.b[0];
        const ask = asking(schemaOf(() => wrap(make())));
        const first = await ask();
        assert.equal(first.ok, true);
        const before = look(find(first.claims));
        change(find(first.claims));
        for (let round = 0; round < 2; round++) {
          const next = await ask();
          assert.equal(next.ok, true);
          assert.deepEqual(look(find(next.claims)), before);
          change(find(next.claims));
        }
      }
    });
  }

  test(`${way}: plain data is made once, frozen all the way down, and shared`, async () => {
    let runs = 0;
    const kept = [];
    const ask = asking(
      schemaOf((claims) => {
        runs += 1;
        const made = {
          sub: claims.sub,
          roles: [...claims.roles],
          deep: { list: [{ a: 1n }, undefined, null] },
          __proto__x: 1,
        };
        kept.push(made);
        return made;
      }),
    );
    runs = 0;
    const first = await ask();
    const second = await ask();
    assert.equal(runs, 1);
    assert.equal(second.claims, first.claims);
    assert.deepEqual(first.claims, kept.at(-1));
    // What the schema has kept of it is not what was handed out.
    kept.at(-1).roles.push('admin');
    kept.at(-1).deep.list[0].a = 2n;
    assert.deepEqual((await ask()).claims.roles, ['user']);
    assert.equal((await ask()).claims.deep.list[0].a, 1n);
    for (const part of [
      first,
      first.claims,
      first.claims.roles,
      first.claims.deep,
      first.claims.deep.list[0],
    ])
      assert.ok(Object.isFrozen(part));
  });

  test(`${way}: a schema that is asked again may refuse, and is asked about the claims as they were`, async () => {
    let runs = 0;
    const claims = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate(value) {
          runs += 1;
          assert.ok(runs === 1 || (Object.isFrozen(value) && Object.isFrozen(value.roles)));
          return runs > 3 ? { issues: [] } : { value: { set: new Set(value.roles) } };
        },
      },
    };
    const ask = asking(claims);
    assert.equal((await ask()).ok, true);
    assert.deepEqual([...(await ask()).claims.set], ['user']);
    const refused = await ask();
    assert.equal(refused.ok, false);
    assert.ok(['claims-refused', 'refused-by-check'].includes(refused.code), refused.code);
  });
}
