// In a page: what each framework shows of a session, before, while signed in, and after; and
// whether it lets go of it.

import Line from 'line.svelte';
import { useSession as useReact } from 'portcullis/react';
import { createSession, inspect } from 'portcullis/session';
import { sessionStore } from 'portcullis/svelte';
import { useSession as vueSnapshot } from 'portcullis/vue';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { mount, unmount } from 'svelte';
import { createApp, h } from 'vue';

const line = ({ status, claims }) => [status, claims?.sub].filter(Boolean).join(' ');

const Shown = ({ session }) => createElement('p', null, line(useReact(session)));

const frameworks = {
  react(session, target) {
    const root = createRoot(target);
    root.render(createElement(Shown, { session }));
    return () => root.unmount();
  },
  vue(session, target) {
    const app = createApp({
      setup() {
        const snapshot = vueSnapshot(session);
        return () => h('p', line(snapshot.value));
      },
    });
    app.mount(target);
    return () => app.unmount();
  },
  svelte(session, target) {
    const shown = mount(Line, { target, props: { store: sessionStore(session) } });
    return () => unmount(shown);
  },
};

const settle = () => new Promise((resolve) => setTimeout(resolve, 100));

async function follows(name, token) {
  let listening = 0;
  const session = createSession({
    name,
    inspect,
    refresh: () => new Promise(() => {}),
  });
  const counted = {
    ...session,
    subscribe(listener) {
      listening += 1;
      const stop = session.subscribe(listener);
      return () => {
        listening -= 1;
        stop();
      };
    },
  };
  const target = document.createElement('div');
  document.body.append(target);
  const seen = [];
  const look = async () => {
    await settle();
    seen.push(target.textContent);
  };
  const stop = frameworks[name](counted, target);
  await look();
  await session.start({ access_token: token, refresh_token: 'r' });
  await look();
  const during = listening;
  await session.signOut();
  await look();
  await stop();
  await settle();
  session.close();
  return { seen, during, after: listening };
}

export const run = async (token) => {
  const results = {};
  for (const name of Object.keys(frameworks)) results[name] = await follows(name, token);
  return results;
};
globalThis.run = run;
