// What several drivers share: a child process that cannot outlive its time, a loopback server that
// takes a page's answer, a bundle.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, realpath } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';

const TYPES = {
  '.html': 'text/html',
  '.mjs': 'text/javascript',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

/** Starts a command in its own process group, so that `stop` takes its children along. */
export function start(command, args, { cwd, env = {}, timeoutMs, stdio = ['ignore', 'pipe', 'pipe'] }) {
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const child = spawn(command, args, { cwd, env: { ...inherited, ...env }, detached: true, stdio });
  let output = '';
  const stop = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has already ended.
    }
  };
  const timer = setTimeout(stop, timeoutMs);
  const listeners = new Set();
  for (const stream of child.stdio.slice(1)) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text;
      for (const listener of listeners) listener();
    });
  }
  process.once('exit', stop);
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      process.removeListener('exit', stop);
      resolve({ code, signal, output });
    });
  });
  /** Waits until the output matches; fails when the command ends before. */
  const printed = (pattern) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(output);
        if (match) resolve(match);
      };
      listeners.add(look);
      look();
      ended.then(() => reject(new Error(`${command} ended before ${pattern}:\n${tail(output)}`)), reject);
    });
  return { stop, ended, printed };
}

/** Runs a command to its end; throws with the end of its output when it fails. */
export async function finish(command, args, options) {
  const { code, signal, output } = await start(command, args, options).ended;
  if (code !== 0)
    throw new Error(
      `${command} ${args[0] ?? ''}: ${signal ? `stopped (${signal})` : `exit ${code}`}\n${tail(output)}`,
    );
  return output;
}

/** The line a console runtime printed (console.mjs). */
export function answerIn(output) {
  const line = output.split('\n').find((text) => text.startsWith('@@answer '));
  if (!line) throw new Error(`no answer printed:\n${tail(output)}`);
  return JSON.parse(line.slice('@@answer '.length));
}

/**
 * Makes a folder of scratch and a function that removes it, which also runs when the process is
 * interrupted.
 */
export async function scratch(prefix) {
  const folder = await realpath(await mkdtemp(prefix));
  const remove = () => {
    process.removeListener('exit', remove);
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', remove);
  return { folder, remove };
}

export function tail(text) {
  return text.slice(-2000);
}

/**
 * Serves a folder on loopback. `/` is the page; a POST to `/answer` settles `answer`. The policy
 * is the one the README asks for: scripts from here alone, WebAssembly and nothing else compiled
 * at run time.
 */
export async function serve(folder, page) {
  const root = await realpath(folder);
  const nonce = Math.random().toString(36).slice(2);
  let settle;
  const answer = new Promise((resolve) => {
    settle = resolve;
  });
  const server = createServer(async (request, response) => {
    try {
      const { pathname } = new URL(request.url, 'http://loopback');
      if (request.method === 'POST' && pathname === '/answer') {
        let body = '';
        for await (const chunk of request) body += chunk;
        response.end();
        settle(JSON.parse(body));
        return;
      }
      if (pathname === '/') {
        response.setHeader('content-type', 'text/html; charset=utf-8');
        response.setHeader(
          'content-security-policy',
          `default-src 'none'; script-src 'self' 'nonce-${nonce}' 'wasm-unsafe-eval'; connect-src 'self'`,
        );
        response.end(page(nonce));
        return;
      }
      const path = normalize(join(root, decodeURIComponent(pathname)));
      if (!path.startsWith(root + sep)) throw new Error('outside');
      const bytes = await readFile(path);
      response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
      response.end(bytes);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, answer, close };
}

/** A page that runs a module unbundled: an import map says what a bundler would. */
export async function unbundledPage({ folder, library }, module) {
  const { exports } = JSON.parse(
    await readFile(join(folder, 'node_modules', library, 'package.json'), 'utf8'),
  );
  const imports = {};
  for (const [subpath, target] of Object.entries(exports)) {
    const file = pick(target);
    if (file) imports[library + subpath.slice(1)] = `/node_modules/${library}/${file.slice(2)}`;
  }
  return (nonce) => `<!doctype html><meta charset="utf-8"><title>conformance</title>
<script type="importmap" nonce="${nonce}">${JSON.stringify({ imports })}</script>
<script type="module" nonce="${nonce}">
  import('/${module}').catch((error) => fetch('/answer', { method: 'POST', body: JSON.stringify({ threw: String(error) }) }));
</script>`;
}

/** The target for a browser: conditions in the order the package lists them. */
function pick(target) {
  if (typeof target === 'string') return target.includes('*') ? undefined : target;
  for (const [condition, inner] of Object.entries(target ?? {})) {
    if (['browser', 'import', 'module', 'default'].includes(condition)) return pick(inner);
  }
  return undefined;
}

/** Settles like `promise`, or fails after a while: nothing here may hang a test run. */
export async function within(milliseconds, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what}: no answer in ${milliseconds / 1000} s`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a page posted, or its failure as ours. */
export function pageAnswer(answer) {
  if ('threw' in answer) throw new Error(`in the page: ${answer.threw}`);
  return answer;
}
