// The few pages that the backend shows itself. They run no script and load nothing.

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  // Nobody frames it, and nothing runs in it.
  'content-security-policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const escaped = (text: string) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

const html = (head: string, body: string) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sign-in</title>${head}</head><body>${body}</body></html>`;

/**
 * Goes on to a place of this origin. A redirect would not do: it belongs to a navigation that
 * another site began, and browsers send no cookie of SameSite=Strict along. A page that goes on by
 * itself begins a navigation of its own.
 */
export function onwards(place: string, cookies: readonly string[]): Response {
  const link = escaped(place);
  const body = `<p>Signed in. <a href="${link}">Go on</a></p>`;
  return respond(200, html(`<meta http-equiv="refresh" content="0; url=${link}">`, body), cookies);
}

/** Says what went wrong, and where to begin again. */
export function failure(
  status: number,
  text: string,
  again: string,
  cookies: readonly string[] = [],
): Response {
  return respond(
    status,
    html('', `<h1>Not signed in</h1><p>${escaped(text)}</p><p><a href="${escaped(again)}">Sign in</a></p>`),
    cookies,
  );
}

function respond(status: number, text: string, cookies: readonly string[]): Response {
  return withCookies(new Response(text, { status, headers: HEADERS }), cookies);
}

/** What a script of the page reads. */
export function json(status: number, body: unknown, more: Record<string, string> = {}): Response {
  const headers = { 'cache-control': 'no-store', 'content-type': 'application/json', ...more };
  return new Response(JSON.stringify(body), { status, headers });
}

/** The same answer, with the cookies. */
export function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append('set-cookie', cookie);
  return response;
}
