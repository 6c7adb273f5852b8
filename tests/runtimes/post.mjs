/**
 * Posts what `work` answers, or how it failed: a page that dies silently would only show as a
 * timeout.
 */
export async function post(work) {
  let body;
  try {
    body = await work();
  } catch (error) {
    body = { threw: `${error} ${error?.stack ?? ''}` };
  }
  await fetch('/answer', {
    method: 'POST',
    body: JSON.stringify({ userAgent: navigator.userAgent, ...body }),
  });
}
