// What is used of peers that bring no types of their own.
declare module 'react' {
  export function useSyncExternalStore<T>(
    subscribe: (listener: () => void) => () => void,
    snapshot: () => T,
    serverSnapshot: () => T,
  ): T;
}
