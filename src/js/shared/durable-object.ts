/**
 * As much of a Durable Object's stub as is used. It takes `fetch` and not RPC, which would have to
 * import from `cloudflare:workers`.
 */
export interface DurableObjectStubLike {
  fetch(
    url: string,
    init: { method: string; body: string },
  ): Promise<{ readonly status: number; json(): Promise<unknown> }>;
}

/** As much of a namespace binding as is used. */
export interface DurableObjectNamespaceLike<Id = unknown> {
  idFromName(name: string): Id;
  get(id: Id): DurableObjectStubLike;
}

/**
 * Which of so many objects a key belongs to. FNV-1a: it spreads, and defends against nothing: the
 * keys are hashes, or random.
 */
export function shard(key: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % shards;
}
