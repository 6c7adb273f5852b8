import { type FetchFailure, fetchText } from '../fetch.js';
import type { Io } from '../io.js';
import { type MetadataError, readMetadata } from './discovery.js';
import { freshUntil, type KeyRule, lifetimeOf } from './freshness.js';
import type { Remote } from './issuer-keys.js';
import type { JwksDocument } from './stored-document.js';

/** Why an origin's keys could not be had. */
export type OriginFailure = FetchFailure | MetadataError;

/**
 * Fetches an issuer's JWK Set from where the policy, or the issuer's own metadata, says it is.
 * What it says is not looked at here.
 */
export async function fetchDocument(
  remote: Remote,
  io: Io,
  rule: KeyRule,
): Promise<JwksDocument | OriginFailure> {
  const { source } = remote;
  // The age of an answer counts from the question.
  const fetchedAt = io.now();
  const place = source.jwksUri ? { jwksUri: source.jwksUri } : await discover(remote, io, rule);
  if ('error' in place) return place.error;
  const headers = { accept: 'application/jwk-set+json, application/json' };
  const answer = await fetchText(io.fetch, place.jwksUri, { headers }, source);
  if (answer.ok) {
    const ttlSeconds = lifetimeOf(rule, answer.headers);
    const { metadata } = place as Partial<Found>;
    return { text: answer.text, fetchedAt, ttlSeconds, ...(metadata === undefined ? {} : { metadata }) };
  }
  // It may have moved: the metadata is asked again with the next turn.
  remote.found = undefined;
  return answer.reason;
}

type Found = NonNullable<Remote['found']>;

async function discover(remote: Remote, io: Io, rule: KeyRule): Promise<Found | { error: OriginFailure }> {
  const { source, found } = remote;
  if (found && io.now() < found.until) return found;
  const headers = { accept: 'application/json' };
  const answer = await fetchText(io.fetch, source.discoveryUrl ?? '', { headers }, source);
  if (!answer.ok) return { error: answer.reason };
  const metadata = readMetadata(io, source.issuer, answer.text);
  if (typeof metadata === 'string') return { error: metadata };
  const until = freshUntil(rule, source, io.now(), answer.headers);
  remote.found = { ...metadata, metadata: answer.text, until };
  return remote.found;
}
