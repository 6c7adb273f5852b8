import type { Request } from '../shared/web.js';

/**
 * Was it a page of this origin that sent it? A header of one's own takes a preflight that no
 * foreign page passes; what the browser says of the sender, no page can write. SameSite=Strict
 * alone lets other hosts of one site in.
 */
export function isOwn({ headers }: Request, origin: string): boolean {
  if (headers.get('x-portcullis') === null) return false;
  const site = headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin') return false;
  const sender = headers.get('origin');
  // Without either there is no browser, and then no cookie of anybody else's.
  return sender === null ? site !== null : sender === origin;
}

/**
 * What the sender is told: which origins differ. Behind a proxy the request's URL is not the
 * page's, and the option `origin` says which is.
 */
export function crossSite(
  { headers }: Request,
  origin: string,
): { error: string; error_description: string } {
  const sender = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  const found =
    headers.get('x-portcullis') === null
      ? 'a request without the header x-portcullis'
      : `${sender ?? 'no origin'}${site === null ? '' : ` (sec-fetch-site: ${site})`}`;
  const description = `expected a request of a page of ${origin}; found ${found}. Set the option origin if the page is of another`;
  // RFC 6749 §5.2: visible characters of ASCII, without quotes.
  return { error: 'cross_site', error_description: description.replace(/[^ !#-[\]-~]/g, '') };
}
