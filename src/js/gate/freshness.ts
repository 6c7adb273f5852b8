/** What a policy allows. */
export interface FreshnessBounds {
  minTtlSeconds: number;
  maxTtlSeconds: number;
}

/** Where a response says nothing about it. */
const UNSTATED_SECONDS = 600;

/**
 * How long a response stays fresh, in seconds from now, within the policy's bounds (RFC 9111 §4.2.1).
 *
 * `s-maxage` goes before `max-age`, since keys are shared. `Age` is time that has passed elsewhere. What forbids keeping, or cannot be read,
 * is kept for the least time: the bound is the policy's, so that no origin can make every request a fetch.
 */
export function timeToLive(headers: Headers, { minTtlSeconds, maxTtlSeconds }: FreshnessBounds): number {
  const clamp = (seconds: number) => Math.min(Math.max(seconds, minTtlSeconds), maxTtlSeconds);
  const directives = parse(headers.get('cache-control') ?? '');
  if (directives.has('no-store') || directives.has('no-cache')) return clamp(0);
  const stated = directives.get('s-maxage') ?? directives.get('max-age');
  if (stated === undefined) return clamp(UNSTATED_SECONDS);
  return clamp((deltaSeconds(stated) ?? 0) - (deltaSeconds(headers.get('age') ?? '0') ?? 0));
}

/** Directives by their lower-case name; of one that is said twice the first counts. */
function parse(value: string): Map<string, string> {
  const directives = new Map<string, string>();
  for (const part of value.split(',')) {
    const [name = '', argument = ''] = part.split('=', 2).map((piece) => piece.trim());
    const key = name.toLowerCase();
    if (key !== '' && !directives.has(key)) directives.set(key, argument.replace(/^"(.*)"$/, '$1'));
  }
  return directives;
}

/** RFC 9111 §1.2.2: digits, and what is too large counts as 2³¹. */
function deltaSeconds(text: string): number | undefined {
  return /^\d+$/.test(text) ? Math.min(Number(text), 2 ** 31) : undefined;
}
