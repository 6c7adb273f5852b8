import { basicCredentials } from '../../net/basic-credentials.js';
import type { RevocationSource } from '../../net/io.js';
import { PolicyError } from '../../shared/errors.js';

/**
 * What a gate shows of itself where it pulls the feed. It is given in the options and never in a
 * policy.
 */
export interface FeedSecrets {
  clientSecret: string;
}

/**
 * The Authorization header for the feed: `client_secret_basic`, since a GET has no body for
 * anything else. None for a public feed.
 * @throws PolicyError when the policy names a client and the options have no secret of it.
 */
export function feedAuthorization(
  source: RevocationSource | undefined,
  secrets: FeedSecrets | undefined,
): string | undefined {
  if (source?.clientId === undefined) return undefined;
  const secret = secrets?.clientSecret;
  if (typeof secret !== 'string' || secret === '') {
    const reason = 'is required in the options: the policy names a client in revocation.clientId';
    throw new PolicyError('/revocation/clientSecret', reason);
  }
  return basicCredentials(source.clientId, secret);
}
