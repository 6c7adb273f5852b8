// Paths that frameworks write otherwise than the client did, without the frameworks.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { guard as guardNext } from 'portcullis/next';
import { guard as guardSvelteKit } from 'portcullis/sveltekit';

/** A gate that tells what it was asked about. */
function asking() {
  const told = [];
  const check = async (request, _, { served }) => {
    told.push({ url: request.url, served });
    return { ok: false, response: new Response() };
  };
  return { told, gate: { check, requirement: (asked) => asked } };
}

test('a route of SvelteKit that is written in code units has its path', async () => {
  for (const [id, path] of [
    ['/[u+d83e][u+dd2a]', '/%F0%9F%A4%AA'],
    ['/a/x[u+d83e][u+dd2a]y', '/a/x%F0%9F%A4%AAy'],
    ['/[x+2f]b', '/%2Fb'],
    ['/[u+d83e]', '/%EF%BF%BD'],
    ['/[u+dd2a][u+d83e]', '/%EF%BF%BD%EF%BF%BD'],
  ]) {
    const { told, gate } = asking();
    const url = new URL('https://api.example/other');
    const event = {
      request: new Request(url),
      url,
      route: { id },
      params: {},
      locals: {},
      getClientAddress() {},
    };
    await guardSvelteKit(gate)({ event, resolve: () => new Response() });
    assert.deepEqual(told[0].served, [path], id);
  }
});

test('a page of Next is judged by its own path as well as by that with a locale', async () => {
  const servedOf = async (path, nextUrl) => {
    const { told, gate } = asking();
    const request = new Request(`https://api.example${path}`);
    await guardNext(gate, {})(Object.assign(request, { nextUrl }));
    return told[0].served;
  };
  const next = (pathname, locale = '', basePath = '') => ({ pathname, locale, basePath });
  assert.deepEqual(await servedOf('/fr/admin', next('/admin', 'fr')), ['/admin']);
  assert.deepEqual(await servedOf('/app/fr/admin', next('/admin', 'fr', '/app')), ['/app/admin']);
  assert.deepEqual(await servedOf('/admin', next('/admin', 'en')), []);
  assert.deepEqual(await servedOf('/app/admin', next('/admin', '', '/app')), []);
  assert.deepEqual(await servedOf('/admin', undefined), []);
});
