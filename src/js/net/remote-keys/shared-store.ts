import type { Io, IoEvent, SharedStore } from '../io.js';
import { within } from '../within.js';
import type { KeyRule } from './freshness.js';
import type { Remote } from './issuer-keys.js';
import { fromStore, type JwksDocument, keyOf, storeKey, toStore } from './stored-document.js';

/** A store that is slower than this is no cache, in milliseconds. */
export const STORE_MS = 1000;

/**
 * What the shared store holds of an issuer's keys. A store that fails, or holds what is no
 * document, is as good as none.
 */
export async function readStore(remote: Remote, io: Io, rule: KeyRule): Promise<JwksDocument | undefined> {
  const { store } = io;
  if (store === undefined) return undefined;
  try {
    const key = await storeKey(remote.issuer, remote.place);
    const value = await within(STORE_MS, store.get(key));
    if (value === null || value === undefined) return undefined;
    const document = fromStore(value, remote.issuer, io.now(), remote.source, rule);
    if (document === undefined) storeFailed(remote, io, 'store-refused', 'malformed');
    return document;
  } catch (error) {
    storeFailed(remote, io, 'store-failed', nameOf(error));
    return undefined;
  }
}

/** Puts an origin's answer there for the other isolates. */
export async function writeStore(
  remote: Remote,
  document: JwksDocument,
  io: Io,
  rule: KeyRule,
): Promise<void> {
  if (io.store === undefined) return;
  try {
    const key = await storeKey(remote.issuer, remote.place);
    await io.store.put(key, ...toStore(remote.issuer, document, remote.source, rule));
  } catch (error) {
    storeFailed(remote, io, 'store-failed', nameOf(error));
  }
}

/** The name under which a text of some kind is kept that was fetched from there. */
export const textKey = (kind: string, url: string): Promise<string> => keyOf(kind, [url]);

/**
 * A text as the store has it; what is none, or longer than any that was fetched, is as good as
 * none.
 */
export async function readText(
  store: SharedStore,
  key: string,
  maxBytes: number,
): Promise<string | undefined> {
  const value: unknown = await within(STORE_MS, store.get(key));
  return typeof value === 'string' && value.length <= maxBytes ? value : undefined;
}

export async function writeText(
  store: SharedStore,
  key: string,
  text: string,
  seconds: number,
): Promise<void> {
  await store.put(key, text, { expirationTtl: seconds });
}

export function storeFailed(remote: Remote, io: Io, name: IoEvent['name'], reason: string): void {
  remote.count.storeFaults += 1;
  io.observe?.({ name, issuer: remote.issuer, reason });
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : 'unknown');
