import type { Response } from '../shared/web.js';
import type { Clock, Mark } from './clock.js';
import { timesOf } from './token-times.js';

/**
 * Learns the time from what the token endpoint answered: the time of whoever writes `exp`. A date
 * outside the token's life is not his; an answer without a token, such as the page of a captive
 * portal, tells nothing.
 */
export function learn(clock: Clock, access: unknown, sent?: Mark, response?: Response): void {
  if (typeof access !== 'string') return;
  const { iat, exp } = timesOf(access) as { iat: number; exp: number };
  const date = Date.parse(response?.headers.get('date') as string) / 1000;
  // Of an opaque one nobody knows when it lives.
  const foreign = date + 1 < iat || date > exp;
  if (!response || foreign || !clock.observe(response, sent)) clock.observe(access, sent);
}
