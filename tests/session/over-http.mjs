// A fetch handler behind Node's server.
import { body } from './authority.mjs';

/** The request as a handler of the fetch kind takes it. */
export async function toRequest(incoming, origin) {
  const { method, url, headers } = incoming;
  const text = method === 'GET' || method === 'HEAD' ? undefined : await body(incoming);
  return new Request(new URL(url, origin), { method, headers, ...(text && { body: text }) });
}

/** Its answer, as Node's server sends it. */
export async function sendResponse(outgoing, response) {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}
