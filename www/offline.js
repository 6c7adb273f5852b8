// Offline from the second visit on.

/** Registers the service worker. Its address goes through Trusted Types where there are any. */
export function keepOffline(address, place) {
  if (!('serviceWorker' in navigator)) return;
  const policy = window.trustedTypes?.createPolicy('service-worker', {
    createScriptURL: () => new URL(address, location.href).href,
  });
  navigator.serviceWorker.register(policy ? policy.createScriptURL('') : address).then(
    () => navigator.serviceWorker.ready.then(() => place.replaceChildren('Works offline.')),
    () => place.replaceChildren('Not kept for offline use here.'),
  );
}
