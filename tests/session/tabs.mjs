// Two real tabs of one browser, told by the test what to do.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../support/binaries.mjs';
import { within } from '../support/common.mjs';
import { body, startAuthority } from './authority.mjs';

const POLL_MS = 10_000;
const PATIENCE_MS = 45_000;

/**
 * An authority that also hands out commands: `tab(name)` gives what the tab of that name can do.
 */
export async function startHarness(options) {
  const script = await readFile(join(ROOT, 'tests', 'session', 'tab.js'), 'utf8');
  const page =
    '<!doctype html><meta charset="utf-8"><title>tab</title><script type="module" src="/tab.js"></script>';
  const authority = await startAuthority({
    ...options,
    pages: { '/tab': page, '/tab.js': script, ...options?.pages },
  });
  const queues = new Map();
  const waiting = new Map();
  let count = 0;
  const hand = (tab) => {
    const queue = queues.get(tab) ?? [];
    const poll = waiting.get(tab);
    if (queue.length === 0 || poll === undefined) return;
    waiting.delete(tab);
    poll(queue.shift());
  };
  const pending = new Map();
  authority.handlers['GET /next'] = (request, response) => {
    const tab = new URL(request.url, authority.origin).searchParams.get('tab');
    const answer = (command) => {
      clearTimeout(timer);
      authority.send(response, [200, command]);
    };
    const timer = setTimeout(() => {
      if (waiting.get(tab) === answer) waiting.delete(tab);
      answer({});
    }, POLL_MS);
    waiting.set(tab, answer);
    hand(tab);
  };
  authority.handlers['POST /done'] = async (request, response) => {
    const { id, result, threw } = JSON.parse(await body(request));
    authority.send(response, [200, {}]);
    const { resolve, reject } = pending.get(id) ?? {};
    pending.delete(id);
    if (threw !== undefined) reject?.(new Error(`in the tab: ${threw}`));
    else resolve?.(result);
  };
  const tab =
    (name) =>
    (command, more = {}) => {
      const id = ++count;
      queues.set(name, [...(queues.get(name) ?? []), { id, name: command, ...more }]);
      const done = new Promise((resolve, reject) => pending.set(id, { resolve, reject }));
      hand(name);
      return within(PATIENCE_MS, `tab ${name}, ${command}`, done);
    };
  const url = (name, query = {}) => `${authority.origin}/tab?${new URLSearchParams({ tab: name, ...query })}`;
  return { ...authority, tab, url };
}
