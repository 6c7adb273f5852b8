export { cacheStore } from '../net/remote-keys/stored-document.js';
export { PolicyError } from '../shared/errors.js';
export { definePolicy } from './define-policy.js';
export { DpopReplayObject, durableObjectReplayStore } from './replay/durable-object.js';
export { kvReplayStore } from './replay/kv.js';
export { memoryReplayStore, ReplayStoreFullError } from './replay/memory.js';
