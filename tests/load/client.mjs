// HTTP/1.1 by hand, since what is measured costs less than what clients do: requests are bytes
// made beforehand, and of an answer only its status and its end are looked for. Loopback only, one
// request at a time on each connection, and an end in time and number.
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** The bytes of a GET. `lines` are headers as they go out, two of a name included. */
export function prepared(path, host, lines) {
  const head = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    ...lines.map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n`);
}

/**
 * Sends `count` requests over `connections` kept alive. `next()` gives `{ bytes, expected }` for
 * each; what came of it is told to `note(expected, status, milliseconds)`. A connection that fails
 * is counted as `note(expected, 0, …)` and opened again.
 */
export async function drive({ port, connections, count, next, note, timeoutMs }) {
  const deadline = performance.now() + timeoutMs;
  let left = count;
  const take = () => {
    if (left === 0) return undefined;
    if (performance.now() > deadline) throw new Error(`${left} of ${count} requests were not sent in time`);
    left -= 1;
    return next();
  };
  await Promise.all(Array.from({ length: connections }, () => oneConnection(port, take, note)));
}

async function oneConnection(port, take, note) {
  let connection;
  try {
    for (let request = take(); request !== undefined; request = take()) {
      connection ??= await open(port);
      const started = performance.now();
      let status = 0;
      try {
        status = await connection.ask(request.bytes);
      } catch {
        connection = undefined;
      }
      note(request.expected, status, performance.now() - started);
    }
  } finally {
    connection?.close();
  }
}

function open(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let waiting;
    let received = Buffer.alloc(0);
    const fail = (error) => {
      waiting?.reject(error ?? new Error('the connection was closed'));
      waiting = undefined;
      socket.destroy();
      reject(error);
    };
    socket.on('error', fail).on('close', () => fail());
    socket.setTimeout(20_000, () => fail(new Error('no answer within 20 s')));
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const answer = answerIn(received);
      if (answer === undefined) return;
      received = received.subarray(answer.length);
      const { resolve } = waiting;
      waiting = undefined;
      resolve(answer.status);
    });
    const ask = (bytes) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(bytes);
      });
    socket.once('connect', () => resolve({ ask, close: () => socket.destroy() }));
  });
}

/** `{ status, length }` of the answer at the start, once all of it is there. */
function answerIn(bytes) {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = bytes.latin1Slice(0, end);
  const status = Number(head.slice(9, 12));
  const body = end + HEAD_END.length;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined)
    return bytes.length >= body + Number(length) ? { status, length: body + Number(length) } : undefined;
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return { status, length: body };
  const last = bytes.indexOf(LAST_CHUNK, body);
  return last < 0 ? undefined : { status, length: last + LAST_CHUNK.length };
}
