// The global scope of a service worker, which TypeScript's library gives to `self` alone.
declare const clients: Clients;
declare function addEventListener<Type extends keyof ServiceWorkerGlobalScopeEventMap>(
  type: Type,
  listener: (event: ServiceWorkerGlobalScopeEventMap[Type]) => unknown,
): void;
