/** Why a metadata document is not believed: `MetadataFault` of src/gate/metadata.rs. */
export type DiscoveryFault =
  | 'discovery-not-json'
  | 'discovery-issuer-mismatch'
  | 'discovery-jwks-uri'
  | 'discovery-private-host';

/** Has the core read a metadata document: what it names is fetched where the core lets us. */
export function readMetadata(
  core: { readMetadata(issuer: string, text: string): string },
  issuer: string,
  text: string,
): { jwksUri: string } | DiscoveryFault {
  const told = JSON.parse(core.readMetadata(issuer, text)) as { jwksUri: string } | { fault: DiscoveryFault };
  return 'fault' in told ? told.fault : told;
}
