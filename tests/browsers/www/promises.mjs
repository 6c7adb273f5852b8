// What the inspector promises besides its tasks, a test a sentence, in any engine.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { SITE } from '../../../src/build/pages.mjs';
import { encode, isAccepted, issued, paste, text, until } from './acts.mjs';

const PHONE = { width: 390, height: 844 };
const OKTA = 'https://tenant.okta.com/oauth2/default';
const idle = () => document.querySelector('#outcome').dataset.state === 'idle';

/** A value of the page: `value(page, '#sign-alg')`. */
const value = (page, selector) => page.run((selector) => document.querySelector(selector).value, selector);
const colour = (page, selector) =>
  page.run((selector) => getComputedStyle(document.querySelector(selector)).color, selector);
const isSeen = (page, selector) =>
  page.run((selector) => document.querySelector(selector).checkVisibility(), selector);
/** The colour that a variable of the style sheet comes to. */
const named = (page, name) =>
  page.run((name) => {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = `var(${name})`;
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }, name);
const edit = (page, selector, from, to) =>
  page.run(
    (selector, from, to) => {
      const field = document.querySelector(selector);
      field.value = field.value.replace(from, to);
      field.dispatchEvent(new Event('input', { bubbles: true }));
    },
    selector,
    from,
    to,
  );

export function promisesIn(name, opened) {
  test(`${name}: it opens with an example decoded, and “Not verified” is the first thing seen`, async () => {
    const page = await opened();
    assert.match(await value(page, '#token'), /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
    assert.match(await text(page, '#claim-members'), /https:\/\/issuer\.example.*notes:read/s);
    assert.match(await text(page, '#found'), /^An example/);
    const [first, top, next] = await page.run(() => {
      const { top } = document.querySelector('#verified').getBoundingClientRect();
      const others = [...document.querySelectorAll('#inspection > *, .summary > *')].slice(2);
      return [
        document.querySelector('#inspection').textContent.trim(),
        top,
        Math.min(...others.map((one) => one.getBoundingClientRect().top).filter((place) => place > 0)),
      ];
    });
    assert.match(first, /^Not verified/);
    assert.ok(top < next, `${top} and ${next}`);
    assert.match(await text(page, '#judgement'), /^Nothing stands out/);
    assert.notEqual(await colour(page, '#judgement'), await named(page, '--good'));
    await page.close();
  });

  test(`${name}: “Accepted” without expectations is amber and says what was not checked`, async () => {
    const page = await opened('#verify');
    await page.click('#key-example');
    await until(page, isAccepted);
    assert.equal(await text(page, '#outcome-title'), 'Accepted');
    assert.match(
      await text(page, '#outcome-sentence'),
      /^Signature valid; issuer, audience and type not checked\./,
    );
    assert.equal(await colour(page, '#outcome-title'), await named(page, '--warn'));
    assert.equal(await page.run(() => document.querySelector('#verified').dataset.state), 'unchecked');
    await paste(page, '#expect-iss', 'https://issuer.example');
    await paste(page, '#expect-typ', 'at+jwt');
    await until(page, () =>
      /; audience not checked/.test(document.querySelector('#outcome-sentence').textContent),
    );
    await paste(page, '#expect-aud', 'https://api.example');
    await until(page, () => document.querySelector('#outcome').dataset.state === 'accepted');
    assert.equal(await colour(page, '#outcome-title'), await named(page, '--good'));
    await page.close();
  });

  test(`${name}: editing marks the verdict stale, until it is signed or taken back`, async () => {
    const page = await opened('#verify');
    await page.click('#key-example');
    await until(page, isAccepted);
    assert.equal(await isSeen(page, '#stale'), false);
    await edit(page, '#edit-payload', '"ada"', '"eve"');
    assert.match(await text(page, '#stale'), /^Stale: .*Sign it\.$/);
    assert.equal(await isSeen(page, '#stale'), true);
    await edit(page, '#edit-payload', '"eve"', '"ada"');
    assert.equal(await isSeen(page, '#stale'), false);
    await edit(page, '#edit-payload', '"ada"', '"eve"');
    await page.click('#sign');
    await until(page, () => !document.querySelector('#stale').checkVisibility());
    await until(page, isAccepted);
    // A key that is being typed makes it stale as well, until it is judged.
    const stale = await page.run(() => {
      const key = document.querySelector('#key');
      key.value = '{';
      key.dispatchEvent(new Event('input', { bubbles: true }));
      return document.querySelector('#outcome').dataset.stale;
    });
    assert.equal(stale, 'true');
    await page.close();
  });

  test(`${name}: the token’s algorithm is chosen, and a key that was pasted can be put back`, async () => {
    const page = await opened('#verify');
    const input = `${encode({ alg: 'PS384', typ: 'JWT' })}.${encode({ sub: 's' })}`;
    await paste(page, '#token', `${input}.c2ln`);
    assert.equal(await value(page, '#sign-alg'), 'PS384');
    const { token, jwk } = issued();
    await paste(page, '#token', token);
    assert.equal(await value(page, '#sign-alg'), 'ES256');
    await paste(page, '#key', JSON.stringify(jwk));
    await until(page, isAccepted);
    assert.equal(await isSeen(page, '#key-undo'), false);
    await page.click('#sign');
    await until(page, () => document.querySelector('#key-undo').checkVisibility());
    assert.notEqual(await value(page, '#key'), JSON.stringify(jwk));
    await page.click('#generate');
    await until(page, isAccepted);
    await page.click('#key-undo');
    assert.equal(await value(page, '#key'), JSON.stringify(jwk));
    assert.equal(await isSeen(page, '#key-undo'), false);
    await page.close();
  });

  test(`${name}: the policy names the token’s own type, and “any” only where it has none`, async () => {
    const page = await opened('#policy');
    const types = async (header) => {
      await paste(page, '#token', `${encode(header)}.${encode({ iss: 'i', aud: 'a' })}.c2ln`);
      await page.click('#policy-from-verify');
      return JSON.parse(await value(page, '#policy')).issuers[0].types;
    };
    assert.deepEqual(await types({ alg: 'ES256', typ: 'JWT' }), ['JWT']);
    assert.deepEqual(await types({ alg: 'ES256', typ: 'at+jwt' }), ['at+jwt']);
    assert.equal(await types({ alg: 'ES256' }), 'any');
    await page.close();
  });

  test(`${name}: a preset fetches its keys at run time, and takes those of Verify here`, async () => {
    const page = await opened('#policy');
    const { token, jwk } = issued({ iss: OKTA, cid: 'c' }, 'RS256');
    await paste(page, '#token', token);
    await page.click('#policy-from-issuer');
    await until(page, () => document.querySelector('#policy-keys').checkVisibility());
    assert.match(await text(page, '#policy-keys'), /fetched at run time.*under Verify/s);
    await until(page, () => /keys-not-set/.test(document.querySelector('#policy-why').textContent));
    await page.click('#to-verify');
    await paste(page, '#key', JSON.stringify({ keys: [jwk] }));
    await until(page, isAccepted);
    await page.click('#to-policy');
    await until(page, () => /JWK Set from Verify/.test(document.querySelector('#policy-keys').textContent));
    await until(page, () => document.querySelector('#policy-verdict').dataset.state === 'accepted');
    // A set that the policy does not take is said to be refused, and why.
    await page.click('#to-verify');
    await paste(page, '#key', JSON.stringify(issued().jwk));
    await until(page, () => document.querySelector('#outcome').dataset.state === 'refused');
    await page.click('#to-policy');
    await until(page, () => /is refused: .*ES256/.test(document.querySelector('#policy-keys').textContent));
    await page.close();
  });

  test(`${name}: the address of a JWK Set is told from a secret`, async () => {
    const page = await opened('#verify');
    await paste(page, '#key', `${OKTA}/v1/keys`);
    await until(page, () => /address of a JWK Set/.test(document.querySelector('#key-note').textContent));
    assert.equal(await isSeen(page, '#secret-options'), false);
    assert.ok(await page.run(idle));
    assert.equal(await page.run(() => document.querySelector('#key-note a').href), `${OKTA}/v1/keys`);
    await page.click('#to-policy');
    await page.click('#policy-from-verify');
    assert.match(await value(page, '#policy'), /"remote": \{\s*"jwksUri": "https:\/\/tenant\.okta\.com/);
    await page.click('#to-inspect');
    await paste(page, '#token', `${OKTA}/v1/keys`);
    assert.match(await text(page, '#found'), /^This is an address, and no token/);
    await page.close();
  });

  test(`${name}: garbage has no empty panels`, async () => {
    const page = await opened();
    // Each panel that is seen, and what is seen in it besides its head.
    const panels = () =>
      page.run(() =>
        [...document.querySelectorAll('#view-inspect .part')]
          .filter((one) => one.checkVisibility())
          .map((one) => [
            one.id,
            [...one.children]
              .slice(1)
              .filter((part) => part.checkVisibility())
              .map((part) => part.textContent)
              .join('').length,
          ]),
      );
    await paste(page, '#token', 'hello, world');
    assert.deepEqual(await panels(), []);
    assert.equal(await isSeen(page, '#forms'), false);
    await paste(page, '#token', '!.!.!');
    for (const [id, letters] of await panels()) assert.ok(letters > 1, id);
    await paste(page, '#token', `${encode({ alg: 'ES256' })}.`);
    assert.deepEqual(
      (await panels()).map(([id]) => id),
      ['header-part'],
    );
    await paste(page, '#token', `${encode({})}.${encode({})}.`);
    for (const [id, letters] of await panels()) assert.ok(letters > 1, id);
    await page.close();
  });

  test(`${name}: a refused attack has one colour, on its card, in its panel and under Verify`, async () => {
    const page = await opened('#attacks');
    await page.click('#attack-none');
    await until(page, () => document.querySelector('#forged').dataset.state === 'refused');
    const bad = await named(page, '--bad');
    for (const selector of [
      '#attack-none .result',
      '#forged-title',
      '#forged-why .code',
      '#forged-stages [data-state="refused"] .state',
    ])
      assert.equal(await colour(page, selector), bad, selector);
    assert.equal(
      await page.run(() => getComputedStyle(document.querySelector('#attack-none')).borderInlineStartColor),
      bad,
    );
    await page.click('#forged-open');
    await page.click('#to-verify');
    await paste(page, '#key', JSON.stringify(issued().jwk));
    await until(page, () => document.querySelector('#outcome').dataset.state === 'refused');
    assert.equal(await colour(page, '#outcome-title'), bad);
    await page.close();
  });

  test(`${name}: on a phone the token folds when it is pasted, and the verdict is above the fold`, async () => {
    const page = await opened('', PHONE);
    const height = () => page.run(() => document.querySelector('#encoded').getBoundingClientRect().height);
    await page.click('#fold');
    const unfolded = await height();
    await paste(page, '#token', issued().token);
    assert.ok((await height()) < unfolded / 2, `${await height()} of ${unfolded}`);
    const [bottom, visible] = await page.run(() => [
      document.querySelector('#judgement').getBoundingClientRect().bottom,
      innerHeight,
    ]);
    assert.ok(bottom < visible, `${bottom} of ${visible}`);
    await page.click('#to-verify');
    const verdict = await page.run(() => document.querySelector('#outcome').getBoundingClientRect().bottom);
    assert.ok(verdict < visible, `${verdict} of ${visible}`);
    await page.click('#fold');
    assert.ok((await height()) > unfolded / 2);
    assert.equal(await page.run(() => document.querySelector('#fold').getAttribute('aria-expanded')), 'true');
    await page.close();
  });

  test(`${name}: JSON and explanation are two views`, async () => {
    const page = await opened();
    const seen = async () => [await isSeen(page, '#decoded-payload'), await isSeen(page, '#claim-members')];
    assert.deepEqual(await seen(), [false, true]);
    await page.click('#forms [data-form="json"]');
    assert.deepEqual(await seen(), [true, false]);
    assert.equal(
      await page.run(() => document.querySelector('#forms [aria-pressed="true"]').textContent),
      'JSON',
    );
    await page.click('#forms [data-form="words"]');
    assert.deepEqual(await seen(), [false, true]);
    await page.close();
  });

  test(`${name}: headings are in the typeface that comes with the page`, async () => {
    const page = await opened();
    const loaded = await page.run(async () => {
      const faces = await document.fonts.load('600 1rem Bitter');
      const { fontFamily, fontWeight } = getComputedStyle(document.querySelector('h1'));
      return [faces.length, faces[0]?.status, fontFamily.split(',')[0].replaceAll('"', ''), fontWeight];
    });
    assert.deepEqual(loaded, [1, 'loaded', 'Bitter', '600']);
    await page.close();
  });

  test(`${name}: each rejection leads to the page about its code`, async () => {
    const page = await opened('#attacks');
    await page.click('#attack-none');
    await until(page, () => document.querySelector('#forged').dataset.state === 'refused');
    await page.click('#forged-open');
    await page.click('#to-verify');
    await paste(page, '#key', JSON.stringify(issued().jwk));
    await until(page, () => document.querySelector('#outcome').dataset.state === 'refused');
    const links = await page.run(() =>
      ['#forged-why .code', '#outcome-code', '#stages .code'].map((one) => document.querySelector(one).href),
    );
    for (const href of links) {
      assert.match(href, /\/docs\/reference\/codes\/alg-unknown\.html$/);
      assert.ok(existsSync(join(SITE, new URL(href).pathname)));
    }
    await page.close();
  });
}
