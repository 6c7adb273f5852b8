/** `iat` and `exp` of an access token, to plan by and for nothing else; what does not say so, or is opaque, has none. */
export function timesOf(token: string): { iat?: number | undefined; exp?: number | undefined } {
  const time = (value: unknown) => (typeof value === 'number' ? value : undefined);
  try {
    const { iat, exp } = JSON.parse(
      atob((token.split('.')[1] as string).replace(/-/g, '+').replace(/_/g, '/')),
    );
    return { iat: time(iat), exp: time(exp) };
  } catch {
    return {};
  }
}
