import type { Headers } from '../shared/web.js';

/**
 * What Retry-After asks for (RFC 9110 §10.2.3), in seconds: digits, or a date by the clock of the
 * same answer. What is neither asks for nothing; a date that has passed asks for less. Whoever
 * waits by it has bounds of his own.
 */
export function retryAfter(headers: Headers, nowSeconds: number): number {
  const text = headers.get('retry-after') as string;
  if (/^\d+$/.test(text)) return Number(text);
  const date = (value: string | null) => (value?.endsWith('GMT') && Date.parse(value) / 1000) || 0;
  return date(text) && date(text) - (date(headers.get('date')) || nowSeconds);
}
