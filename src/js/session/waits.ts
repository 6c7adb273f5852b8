// How long to leave a server alone: never less than a moment, never for ever, and not all clients for the same time.

// Whatever a server says, it is asked again after five minutes.
const CEILING_MS = 300_000;

/** A wait within its bounds, and up to a tenth longer, a second at most. */
export function bounded(ms: number, random = Math.random): number {
  const least = Math.min(ms, CEILING_MS);
  return least + Math.min(least / 10, 1000) * random();
}

/**
 * What Retry-After asks for (RFC 9110 §10.2.3), in milliseconds: digits, or a date by the clock of the same answer. What is neither asks for
 * nothing; a date that has passed asks for less.
 */
export function retryAfter({ headers }: Response, nowMs: number): number {
  const text = headers.get('retry-after') ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = (value: string | null) => (value?.endsWith('GMT') && Date.parse(value)) || 0;
  return date(text) && date(text) - (date(headers.get('date')) || nowMs);
}
