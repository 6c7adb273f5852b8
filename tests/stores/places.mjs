// Where stores stand, for tests that are the same over each.
import { after, before, describe } from 'node:test';

/** Starts servers before a file's tests, each by its function, and stops them behind. */
export function serving(starts) {
  const servers = {};
  before(async () => {
    for (const [name, start] of Object.entries(starts)) servers[name] = await start();
  });
  after(async () => {
    for (const server of Object.values(servers)) await server.stop();
  });
  return servers;
}

/**
 * The same tests over every store. `places` has by name `[least, most, make]`: at which calls
 * faults are injected, and what makes the place. `tests({ least, most, store })` registers them.
 */
export function atEach(places, tests) {
  for (const [name, [least, most, make]] of Object.entries(places)) {
    describe(name, () => {
      let place;
      let connection;
      before(async () => {
        place = await make();
        connection = await place.connect();
      });
      after(async () => {
        await connection?.close();
        await place?.stop();
      });
      tests({ least, most, store: () => connection.store });
    });
  }
}
