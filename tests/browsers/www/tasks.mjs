// The inspector's tasks as a person does them, by mouse and by keyboard alone, written once for
// all engines.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';

import { encode, isAccepted, issued, paste, states, tabTo, text, until } from './acts.mjs';
import { ENGINES } from './browsers.mjs';
import { promisesIn } from './promises.mjs';
import { serveSite } from './site.mjs';

/** Each task in one engine; the browser is started once. */
export function tasksIn(name) {
  let browser;
  let site;
  const opened = async (hash = '', size = {}) => {
    const page = await browser.open(`${site.origin}/inspect/${hash}`, size);
    await until(page, () => document.documentElement.dataset.ready === 'true');
    return page;
  };

  test(`${name} starts`, async () => {
    site = await serveSite();
    browser = await ENGINES[name]();
  });

  test(`${name}: a curl line becomes a token that is explained`, async () => {
    const page = await opened();
    const { token } = issued();
    await paste(page, '#token', `curl https://api.example/notes -H "Authorization: Bearer ${token}"`);
    assert.equal(await page.run(() => document.querySelector('#token').value), token);
    assert.match(await text(page, '#found'), /Found in a curl command/);
    const colours = await page.run(() =>
      ['header', 'payload', 'signature'].map(
        (part) => getComputedStyle(document.querySelector(`#coloured .${part}`)).color,
      ),
    );
    assert.equal(new Set(colours).size, 3);
    assert.match(await text(page, '#decoded-payload'), /"sub": "grace"/);
    assert.match(await text(page, '#claim-members'), /Whom the token is about.*RFC 7519 §4\.1\.2/s);
    assert.match(await text(page, '#claim-members'), /in \d+ minutes.*local.*UTC.*as sent/s);
    assert.match(
      await text(page, '#countdown'),
      /^Expires in 9 minutes \d+ seconds?$|^Expires in 10 minutes$/,
    );
    const before = await text(page, '#countdown');
    await until(page, (was) => document.querySelector('#countdown').textContent !== was, before);
    assert.match(await text(page, '#judgement'), /Nothing stands out/);
    await page.close();
  });

  test(`${name}: verified with a JWK, a PEM and another key, panel by panel`, async () => {
    const page = await opened('#verify');
    const { token, jwk, pem } = issued();
    await paste(page, '#token', token);
    await until(page, () => /Not verified/.test(document.querySelector('#outcome-title').textContent));
    assert.deepEqual(await states(page, '#stages'), [
      'passed',
      'passed',
      'waiting',
      'unreached',
      'unreached',
      'unreached',
    ]);
    for (const key of [JSON.stringify(jwk), JSON.stringify({ keys: [jwk] }), pem]) {
      await paste(page, '#key', key);
      await until(page, isAccepted);
      assert.deepEqual(new Set(await states(page, '#stages')), new Set(['passed']));
      await paste(page, '#key', '');
      await until(page, () => document.querySelector('#outcome').dataset.state === 'idle');
    }
    await paste(page, '#key', JSON.stringify({ ...issued().jwk }));
    await until(page, () => document.querySelector('#outcome-code').textContent === 'signature-invalid');
    assert.deepEqual(await states(page, '#stages'), [
      'passed',
      'passed',
      'passed',
      'refused',
      'unreached',
      'unreached',
    ]);
    await paste(page, '#key', pem);
    await paste(page, '#expect-aud', 'https://other.example');
    await until(page, () => document.querySelector('#outcome-code').textContent === 'audience-mismatch');
    const refused = await text(page, '[data-stage="policy"]');
    assert.match(refused, /Expected\s*https:\/\/other\.example/);
    assert.match(refused, /Actual\s*https:\/\/api\.example/);
    await page.close();
  });

  test(`${name}: the stages are timed in this browser`, async () => {
    const page = await opened('#verify');
    const { token, jwk } = issued();
    await paste(page, '#token', token);
    await paste(page, '#key', JSON.stringify(jwk));
    await until(page, isAccepted);
    await page.click('#measure');
    await until(page, () => /quickest of/.test(document.querySelector('#measured').textContent));
    const micros = await page.run(() =>
      [...document.querySelectorAll('#stages .micros')].map((one) => one.textContent),
    );
    for (const value of micros) assert.match(value, /^(?:< 0\.05|\d+\.\d+) µs$/);
    // The arithmetic is most of it, in every engine.
    assert.ok(
      Number.parseFloat(micros[3]) > Number.parseFloat(micros[2].replace('< ', '')),
      micros.join(' '),
    );
    await page.close();
  });

  test(`${name}: claims are edited and signed again, and an old signature no longer holds`, async () => {
    const page = await opened('#verify');
    await page.click('#example');
    await until(page, isAccepted);
    const first = await page.run(() => document.querySelector('#token').value);
    await page.run(() => {
      const editor = document.querySelector('#edit-payload');
      editor.focus();
      editor.value = editor.value.replace('"ada"', '"eve"');
      editor.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await page.click('#sign');
    await until(
      page,
      (was) =>
        document.querySelector('#token').value !== was &&
        document.querySelector('#outcome').dataset.state === 'unchecked',
      first,
    );
    assert.match(await text(page, '#decoded-payload'), /"sub": "eve"/);
    const [header, payload] = (await page.run(() => document.querySelector('#token').value)).split('.');
    await paste(page, '#token', `${header}.${payload}.${first.split('.')[2]}`);
    await until(page, () => document.querySelector('#outcome-code').textContent === 'signature-invalid');
    await page.close();
  });

  test(`${name}: a secret that is too short is refused, and the truth is told about it`, async () => {
    const page = await opened('#verify');
    const input = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: '1234567890', name: 'John Doe', iat: 1_516_239_022 })}`;
    await paste(
      page,
      '#token',
      `${input}.${createHmac('sha256', 'secret').update(input).digest('base64url')}`,
    );
    await paste(page, '#key', 'secret');
    await until(page, () =>
      /secret of this token all the same/.test(document.querySelector('#too-short').textContent),
    );
    assert.equal(await text(page, '#outcome-title'), 'The key is refused');
    await paste(page, '#key', 'another');
    await until(page, () => /Nor does it/.test(document.querySelector('#too-short').textContent));
    await page.close();
  });

  test(`${name}: a policy is written with completion, its mistakes named, and the verdict follows`, async () => {
    const page = await opened('#verify');
    const { token, jwk } = issued();
    await paste(page, '#token', token);
    await paste(page, '#key', JSON.stringify(jwk));
    await until(page, isAccepted);
    await page.click('#to-policy');
    await page.click('#policy-from-verify');
    await until(page, () => document.querySelector('#policy-verdict').dataset.state === 'accepted');
    await page.run(() => {
      const editor = document.querySelector('#policy');
      editor.value = editor.value.replace('{', '{\n  ');
      editor.focus();
      editor.setSelectionRange(4, 4);
    });
    await page.type('"lee');
    await until(
      page,
      () =>
        !document.querySelector('#completions').hidden &&
        document.querySelector('#policy').getAttribute('aria-activedescendant') === 'completion-0',
    );
    await page.press('Enter');
    assert.match(await page.run(() => document.querySelector('#policy').value), /"leewaySeconds": 5,/);
    await page.run(() => {
      const editor = document.querySelector('#policy');
      editor.value = editor.value.replace('"leewaySeconds": 5', '"leewaySeconds": 900');
      editor.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await until(page, () =>
      /\/leewaySeconds may be at most 300/.test(document.querySelector('#policy-problems').textContent),
    );
    assert.match(await text(page, '#policy-problems'), /Line 2, column/);
    await page.run(() => {
      const editor = document.querySelector('#policy');
      editor.value = editor.value
        .replace('900', '9')
        .replace('https://login.example', 'https://else.example');
      editor.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await until(page, () => document.querySelector('#policy-verdict').dataset.state === 'refused');
    assert.match(
      await text(page, '#policy-why'),
      /issuer-mismatch.*https:\/\/else\.example.*https:\/\/login\.example/s,
    );
    await page.close();
  });

  test(`${name}: every attack is forged and refused for its own reason`, async () => {
    const page = await opened('#attacks');
    await page.click('#forge-all');
    await until(page, () => document.querySelector('#all-result').textContent !== '');
    const surprises = await page.run(() =>
      [...document.querySelectorAll('.attack')]
        .filter((one) => !['refused', 'accepted'].includes(one.dataset.state))
        .map((one) => `${one.id}: ${one.querySelector('.result').textContent}`),
    );
    assert.deepEqual(surprises, []);
    assert.match(await text(page, '#all-result'), /^(\d+) of \1 attacks were refused/);
    await page.click('#attack-confusion-pem');
    await until(page, () =>
      /RSA key as HMAC secret: refused/.test(document.querySelector('#forged-title').textContent),
    );
    assert.match(
      await text(page, '#forged'),
      /Class 4.*CVE-2016-10555.*alg-mismatch.*Expected\s*RS256\s*Actual\s*HS256/s,
    );
    await page.close();
  });

  test(`${name}: all of it by keyboard alone`, async () => {
    const page = await opened();
    await tabTo(page, 'to-verify');
    await page.press('Enter');
    await until(page, () => document.activeElement.id === 'title-verify');
    await tabTo(page, 'generate');
    await page.press('Enter');
    await until(page, isAccepted);
    await tabTo(page, 'expect-iss');
    await page.type('https://elsewhere.example');
    await until(page, () => document.querySelector('#outcome-code').textContent === 'issuer-mismatch');
    await until(page, () =>
      /Refused, issuer-mismatch/.test(document.querySelector('#announcement').textContent),
    );
    await tabTo(page, 'measure');
    await page.press('Enter');
    await until(page, () => /quickest of/.test(document.querySelector('#measured').textContent));
    await tabTo(page, 'to-attacks');
    await page.press('Enter');
    await until(page, () => document.activeElement.id === 'title-attacks');
    await tabTo(page, 'attack-none');
    await page.press('Enter');
    await until(page, () =>
      /Unsigned: refused at the stage jws, alg-unknown/.test(
        document.querySelector('#announcement').textContent,
      ),
    );
    await tabTo(page, 'to-policy');
    await page.press('Enter');
    await tabTo(page, 'policy');
    await page.press('Control+Home');
    await page.press('ArrowDown');
    await page.press('Control+Space');
    // Tab is not held by the editor.
    await page.press('Escape');
    await page.press('Tab');
    assert.notEqual(await page.run(() => document.activeElement.id), 'policy');
    await page.close();
  });

  promisesIn(name, opened);

  test(`${name}: nothing else was asked for than the site's own files, and nothing complained`, async () => {
    const strange = site.requests.filter(
      (line) =>
        !/^GET \/(?:(?:inspect|demo)\/)?(?:[\w-]+\.(?:js|css|html|svg|webmanifest))?$/.test(line) &&
        !/^GET \/fonts\/(?:bitter-600\.woff2|OFL\.txt)$/.test(line) &&
        !/^GET \/inspect\/portcullis\/[\w/.-]+\.js$/.test(line) &&
        line !== 'GET /favicon.ico',
    );
    assert.deepEqual(strange, []);
    await browser.stop();
    await site.stop();
  });
}
