/** Why a metadata document is not believed: `MetadataError` of src/gate/metadata.rs. */
export type MetadataError =
  | 'discovery-not-json'
  | 'discovery-issuer-mismatch'
  | 'discovery-jwks-uri'
  | 'discovery-private-host';

/** Has the core read a metadata document: what it names is fetched where the core lets us. */
export function readMetadata(
  core: { readMetadata(issuer: string, text: string): string },
  issuer: string,
  text: string,
): { jwksUri: string } | MetadataError {
  const told = JSON.parse(core.readMetadata(issuer, text)) as { jwksUri: string } | { error: MetadataError };
  return 'error' in told ? told.error : told;
}
