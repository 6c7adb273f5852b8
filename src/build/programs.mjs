// The browsers, databases and tools that `npm test` uses and no package registry has. Node's own
// modules only.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { Plain, run, step, twice } from './steps.mjs';

/** Debian puts each major version of PostgreSQL into a folder of its own. */
const POSTGRESES = '/usr/lib/postgresql';

/**
 * Each: where it may be (given what lists a folder), the Debian package that has it, and what a
 * person does where there is no Debian.
 */
export const PROGRAMS = [
  {
    name: 'Chromium',
    paths: () => [
      process.env.CHROMIUM,
      '/usr/bin/chromium',
      '/usr/bin/chromium-browser',
      '/usr/bin/google-chrome',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ],
    debian: 'chromium',
    cure: 'install Chromium or set CHROMIUM to its path',
  },
  {
    name: 'PostgreSQL',
    paths: (list) => list(POSTGRESES).map((version) => join(POSTGRESES, version, 'bin', 'postgres')),
    debian: 'postgresql',
    cure: 'install PostgreSQL, so that it is in /usr/lib/postgresql',
  },
  {
    name: 'Redis',
    paths: () => ['/usr/bin/redis-server', '/usr/local/bin/redis-server'],
    debian: 'redis-server',
    cure: 'install Redis, so that redis-server is in /usr/bin',
  },
  {
    name: 'Firefox',
    paths: () => [process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox'],
    debian: 'firefox-esr',
    cure: 'install Firefox or set FIREFOX to its path',
  },
  {
    name: 'WebKitWebDriver',
    paths: () => ['/usr/bin/WebKitWebDriver'],
    debian: 'webkit2gtk-driver',
    cure: 'install the package webkit2gtk-driver',
  },
  {
    name: 'Valgrind',
    paths: () => ['/usr/bin/valgrind'],
    debian: 'valgrind',
    cure: 'install Valgrind, so that valgrind is in /usr/bin',
  },
  { name: 'Xvfb', paths: () => ['/usr/bin/Xvfb'], debian: 'xvfb', cure: 'install the package xvfb' },
];

/** The machine as it is. */
const MACHINE = {
  has: existsSync,
  list: (folder) => (existsSync(folder) ? readdirSync(folder) : []),
  mayInstall: () => existsSync('/usr/bin/apt-get') && process.getuid?.() === 0,
  install: aptInstall,
  say: console.log,
  env: process.env,
};

/**
 * Makes sure of all of them. What is missing is installed where that can be done, which is said
 * before; with PORTCULLIS_NO_INSTALL=1, and where it cannot be done, one sentence says what is
 * missing.
 */
export async function programs({ has, list, mayInstall, install, say, env } = MACHINE) {
  const missing = PROGRAMS.filter(({ paths }) => !paths(list).some((path) => path && has(path)));
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name).join(', ');
  const packages = missing.map(({ debian }) => debian);
  const command = `apt-get install --no-install-recommends ${packages.join(' ')}`;
  if (env.PORTCULLIS_NO_INSTALL === '1')
    throw new Plain(`npm test needs ${names}, and PORTCULLIS_NO_INSTALL=1 forbids to install: ${command}`);
  if (!mayInstall()) throw new Plain(`${names} missing: ${missing.map(({ cure }) => cure).join('; ')}`);
  say(`▸ npm test needs ${names}. As this is root on Debian, it now runs: ${command}`);
  say('  PORTCULLIS_NO_INSTALL=1 npm test installs no Debian package, and says what is missing.');
  await install(packages);
}

async function aptInstall(packages) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await step(`Debian's ${packages.join(', ')}`, () =>
    twice(async () => {
      await run('apt-get', ['update'], { env, log: 'apt' });
      await run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { env, log: 'apt' });
    }),
  );
}
