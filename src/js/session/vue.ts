// For Vue 3. Nothing but Vue is imported at run time.
import { onScopeDispose, shallowRef } from 'vue';

import type { SignIn, SignInSnapshot } from './sign-in-types.js';
import type { Session, Snapshot } from './types.js';

/**
 * What the session is right now, as a ref that follows it until its component or scope ends.
 * @example
 * ```ts
 * import { useSession } from 'portcullis/vue';
 *
 * const snapshot = useSession(session);
 * const greeting = () => (snapshot.value.status === 'signed-in' ? 'Hello' : 'Sign in');
 * ```
 * @ts-ignore: in a program without Vue it is of any type. */
export function useSession(session: Session): Readonly<import('vue').ShallowRef<Snapshot>> {
  return follow(session);
}

/**
 * Whether a sign-in is under way and what became of the last one, as a ref.
 * @example
 * ```ts
 * import { useSignIn } from 'portcullis/vue';
 *
 * const state = useSignIn(auth);
 * const fault = () => (state.value.result?.ok === false ? state.value.result.code : '');
 * ```
 * @ts-ignore: in a program without Vue it is of any type. */
export function useSignIn(signIn: SignIn): Readonly<import('vue').ShallowRef<SignInSnapshot>> {
  return follow(signIn);
}

function follow<T>({ snapshot, subscribe }: { snapshot(): T; subscribe(listener: () => void): () => void }) {
  const shown = shallowRef(snapshot());
  onScopeDispose(
    subscribe(() => {
      shown.value = snapshot();
    }),
  );
  return shown;
}
