import type { Response } from '../shared/web.js';

/**
 * The parameters of a WWW-Authenticate field (RFC 9110 §11.6.1). Quoted strings are read whole, so
 * that what is said in a description is no parameter. Where several challenges name one, the last
 * counts.
 */
export function challengeOf(response: Response): Record<string, string | undefined> {
  const field = response.headers.get('www-authenticate') ?? '';
  const parameters = field.matchAll(/([\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g);
  return Object.fromEntries(Array.from(parameters, ([, name, quoted, bare]) => [name, quoted ?? bare]));
}
