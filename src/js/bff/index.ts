// Two backends for a page, named for what they are.
//
// * `createBff` keeps both tokens: the page has a cookie, and its requests to the APIs pass here.
// * `createTokenMediatingBackend` keeps the refresh token, and gives the page its access tokens.
export { type Bff, createBff } from './bff.js';
export type { CookieOptions } from './cookie.js';
export type { BffOptions, LogoutTokenVerdict } from './options.js';
export type { SealingSecret } from './sealing.js';
export {
  createTokenMediatingBackend,
  type TokenMediatingBackend,
  type TokenMediatingOptions,
  type Tokens,
} from './token-mediating.js';
export type { Upstream } from './upstream.js';
