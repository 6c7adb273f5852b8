// For single-page applications: what a token says, what time it is at the server, and a session
// that stays alive. No WebAssembly.
export type { Claims, UnverifiedClaims } from '../verifier/verdict.js';
export {
  type Clock,
  type ClockOptions,
  createClock,
  expiresIn,
  isExpired,
  type Mark,
  type Offset,
  refreshDue,
} from './clock.js';
export { createSession } from './create-session.js';
export { backend, revocationEndpoint, type TokenEndpointOptions, tokenEndpoint } from './endpoints.js';
export { inspect, type Malformed, type Unverified } from './inspect.js';
export { SessionError, type SessionErrorCode } from './session-error.js';
export { type StorageLike, sharedStorage } from './storage.js';
export type {
  Session,
  SessionOptions,
  Snapshot,
  StepUp,
  TokenResponse,
  TokenStorage,
} from './types.js';
