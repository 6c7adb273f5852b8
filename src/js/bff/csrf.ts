import type { Request } from '../shared/web.js';

/**
 * Was it a page of this origin that sent it? A header of one's own takes a preflight that no foreign page passes; what the browser says of the
 * sender, no page can write. SameSite=Strict alone lets other hosts of one site in.
 */
export function isOwn({ headers }: Request, origin: string): boolean {
  if (headers.get('x-portcullis') === null) return false;
  const site = headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin') return false;
  const sender = headers.get('origin');
  // Without either there is no browser, and then no cookie of anybody else's.
  return sender === null ? site !== null : sender === origin;
}
