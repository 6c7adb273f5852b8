/** Posts what `work` answers, or how it failed: a page that dies silently would only show as a timeout. */
export async function post(work) {
  let body;
  try {
    body = await work();
  } catch (error) {
    body = { threw: String(error?.stack ?? error) };
  }
  await fetch('/answer', {
    method: 'POST',
    body: JSON.stringify({ userAgent: navigator.userAgent, ...body }),
  });
}
