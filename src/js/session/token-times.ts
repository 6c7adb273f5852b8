/**
 * `iat` and `exp` of an access token, to plan by and for nothing else; what does not say so, or is
 * opaque, has none.
 */
export function timesOf(token: string): { iat?: number | undefined; exp?: number | undefined } {
  // Nothing infinite or absurd: a difference of two such times is not a number, and a timer by it
  // is a loop.
  const time = (value: unknown) =>
    Number.isFinite(value) && Math.abs(value as number) < 1e12 ? (value as number) : undefined;
  try {
    const { iat, exp } = JSON.parse(
      atob((token.split('.')[1] as string).replace(/-/g, '+').replace(/_/g, '/')),
    );
    return { iat: time(iat), exp: time(exp) };
  } catch {
    return {};
  }
}

/** From when to when a token lives. Of an opaque one, only the response says how long. */
export function lifeOf(access: string, expiresIn: unknown, nowSeconds: number) {
  const { iat, exp } = timesOf(access);
  const issuedAt = iat ?? nowSeconds;
  const life = Number(expiresIn);
  return { issuedAt, expiresAt: exp ?? (life > 0 && life < 1e12 ? issuedAt + life : undefined) };
}
