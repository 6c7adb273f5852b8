/**
 * In place of the core: takes what looks like a JWK Set with a key in it, and says whether it is
 * another than before.
 */
export function stubCore() {
  const core = {
    held: new Map(),
    refuses: false,
    apply(issuer, text) {
      const { keys } = JSON.parse(text);
      if (!Array.isArray(keys) || keys.length === 0 || core.refuses) throw new Error('has no usable key');
      const before = core.held.get(issuer);
      core.held.set(issuer, text);
      return { changed: before !== text, keys: keys.map(({ kid }) => ({ kid, alg: 'EdDSA' })), leftOut: [] };
    },
    forget: (issuer) => core.held.delete(issuer),
    kids: (issuer) => JSON.parse(core.held.get(issuer) ?? '{"keys":[]}').keys.map(({ kid }) => kid),
  };
  return core;
}
