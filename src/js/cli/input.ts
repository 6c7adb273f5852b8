import { readFile } from 'node:fs/promises';

import { PolicyError } from '../shared/errors.js';
import { lineOf, mistakeOf } from './policy-mistake.js';

/** What is wrong with the call, not with what it is about. */
export class Misuse extends Error {}

const MOST_BYTES = 4 * 1024 * 1024;
const MOST_FETCHED = 1024 * 1024;
const TIMEOUT_MS = 10_000;

/** A file, or standard input for "-". */
export async function readText(path: string | undefined, what: string): Promise<string> {
  if (path === undefined)
    throw new Misuse(`${what} is missing; write a file's name, or "-" for standard input`);
  if (path === '-') return readStandardInput();
  try {
    const bytes = await readFile(path);
    if (bytes.length > MOST_BYTES) throw new Misuse(`${path} must have at most ${MOST_BYTES} bytes`);
    return decode(bytes, path);
  } catch (error) {
    if (error instanceof Misuse) throw error;
    throw new Misuse(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
  }
}

/** A token: the operand, or standard input for "-" and for none at all. */
export async function readToken(operand: string | undefined): Promise<string> {
  if (operand === undefined && process.stdin.isTTY)
    throw new Misuse('a token is missing; write it on standard input');
  const text = operand === undefined || operand === '-' ? await readStandardInput() : operand;
  return text.trim();
}

/** A file, standard input, or what a URL answers. */
export async function readOrFetch(source: string | undefined, what: string): Promise<string> {
  return source !== undefined && /^[a-z][a-z0-9+.-]*:\/\//i.test(source)
    ? fetchText(source)
    : readText(source, what);
}

/** The instant to judge by. */
export function readNow(text: string | undefined): number {
  if (text === undefined) return Math.floor(Date.now() / 1000);
  if (!/^\d{1,12}$/.test(text)) throw new Misuse('--now must be whole seconds since 1970');
  return Number(text);
}

/**
 * What a call makes of a text. A mistake in it is a misuse where it is not what was asked about.
 */
export function orMisuse<T>(call: () => T, what: string, text: string): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof PolicyError) throw new Misuse(`${what}: ${lineOf(mistakeOf(error, text))}`);
    throw error;
  }
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    bytes += (chunk as Buffer).length;
    if (bytes > MOST_BYTES) throw new Misuse(`standard input must have at most ${MOST_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return decode(Buffer.concat(chunks), 'standard input');
}

/** One request, no redirects, and no more than a key set needs. */
async function fetchText(url: string): Promise<string> {
  const { hostname, protocol } = parseUrl(url);
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol !== 'https:' && !(protocol === 'http:' && loopback)) {
    throw new Misuse(`${url} must begin with https://, or with http:// on localhost, 127.0.0.1 or [::1]`);
  }
  try {
    const response = await fetch(url, {
      redirect: 'error',
      headers: { accept: 'application/jwk-set+json, application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new Misuse(`${url} answered with status ${response.status}; expected 200`);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > MOST_FETCHED) throw new Misuse(`${url} must answer with at most ${MOST_FETCHED} bytes`);
      chunks.push(chunk);
    }
    return decode(Buffer.concat(chunks), url);
  } catch (error) {
    if (error instanceof Misuse) throw error;
    const { cause, message } = error as Error & { cause?: Error };
    throw new Misuse(`${url} cannot be fetched: ${cause?.message ?? message}`);
  }
}

function parseUrl(url: string): URL {
  try {
    return new URL(url);
  } catch {
    throw new Misuse(`${url} is not a URL; write one that begins with https://`);
  }
}

function decode(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Misuse(`${what} is not UTF-8`);
  }
}
