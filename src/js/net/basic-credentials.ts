/** The Authorization header of `client_secret_basic` (RFC 6749 §2.3.1). */
export function basicCredentials(clientId: string, clientSecret: string): string {
  return `Basic ${btoa(`${form(clientId)}:${form(clientSecret)}`)}`;
}

/** application/x-www-form-urlencoded (RFC 6749 appendix B). It leaves ASCII only, and no colon. */
function form(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
