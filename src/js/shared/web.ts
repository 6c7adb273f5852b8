// The web's types where a program has them: by the DOM library, by @cloudflare/workers-types, by
// @types/node or another's. Where it has none, such as with `lib: ["es2022"]` alone, as much of
// them as is used here, so that no declaration of the package names what is not there.

/** What instances of a global class are; `Otherwise` in a program without it. */
type Global<Name extends string, Otherwise> = typeof globalThis extends {
  [Key in Name]: { prototype: infer Instance };
}
  ? Instance
  : Otherwise;

export type Headers = Global<
  'Headers',
  {
    get(name: string): string | null;
    has(name: string): boolean;
    set(name: string, value: string): void;
    append(name: string, value: string): void;
    delete(name: string): void;
    forEach(callback: (value: string, name: string) => void): void;
  }
>;

interface Body {
  readonly headers: Headers;
  readonly bodyUsed: boolean;
  text(): Promise<string>;
  json(): Promise<unknown>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export type Request = Global<'Request', Body & { readonly method: string; readonly url: string }>;

export type Response = Global<
  'Response',
  Body & { readonly ok: boolean; readonly status: number; readonly statusText: string; readonly url: string }
>;

export type URL = Global<'URL', { readonly href: string; readonly origin: string; toString(): string }>;

export type AbortSignal = Global<'AbortSignal', { readonly aborted: boolean; readonly reason?: unknown }>;

/** Two keys of Web Cryptography. */
export interface KeyPair {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}
type CryptoKey = Global<'CryptoKey', { readonly type: string; readonly extractable: boolean }>;

/** A compiled module of WebAssembly. */
export type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : object;

/** The bytes of a buffer, or of a view on one. */
export type Bytes = ArrayBuffer | ArrayBufferView;

/** The platform's `fetch`. */
export type Fetch = typeof globalThis extends { fetch: infer Own }
  ? Own
  : (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** What `fetch` takes besides the request. */
export type RequestInit = typeof globalThis extends { fetch: (input: never, init?: infer Init) => unknown }
  ? NonNullable<Init>
  : { method?: string; headers?: Headers | Record<string, string>; body?: string; signal?: AbortSignal };
