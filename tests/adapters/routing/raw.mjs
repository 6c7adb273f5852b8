// HTTP/1.1 as it is written, over one connection after another: no client in between that would
// mend a target.
import { connect } from 'node:net';

const TIMEOUT_MS = 20_000;

/**
 * A client of a port of loopback. `ask` answers `{ status, headers, body }`, or `{ status: 0 }`
 * where the server hung up.
 */
export function client(port) {
  let socket;
  let buffer = Buffer.alloc(0);
  let waiting;
  const settle = (answer) => {
    const { resolve } = waiting ?? {};
    waiting = undefined;
    resolve?.(answer);
  };
  const drop = () => {
    socket?.destroy();
    socket = undefined;
    buffer = Buffer.alloc(0);
    settle({ status: 0, headers: {}, body: '' });
  };
  const open = () => {
    const own = connect(port, '127.0.0.1');
    socket = own;
    own.setNoDelay(true).setTimeout(TIMEOUT_MS);
    const mine =
      (work) =>
      (...args) => {
        if (socket === own) work(...args);
      };
    own.on(
      'data',
      mine((chunk) => {
        buffer = Buffer.concat([buffer, chunk]);
        const answer = parsed(buffer, waiting?.method);
        if (answer === undefined) return;
        buffer = Buffer.alloc(0);
        if (answer.headers.connection === 'close') {
          socket.destroy();
          socket = undefined;
        }
        settle(answer);
      }),
    );
    for (const event of ['error', 'close', 'timeout']) own.on(event, mine(drop));
  };
  return {
    ask(method, target, headers) {
      if (socket === undefined) open();
      const lines = [
        `${method} ${target} HTTP/1.1`,
        ...headers.map(([name, value]) => `${name}: ${value}`),
        '',
        '',
      ];
      return new Promise((resolve) => {
        waiting = { resolve, method };
        socket.write(Buffer.from(lines.join('\r\n'), 'latin1'));
      });
    },
    close: drop,
  };
}

/** The answer, once it is there as a whole. */
function parsed(buffer, method) {
  const end = buffer.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first, ...lines] = buffer.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(first.split(' ')[1]);
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const rest = buffer.subarray(end + 4);
  if (method === 'HEAD' || status === 204 || status === 304) return { status, headers, body: '' };
  if (headers['transfer-encoding'] === 'chunked') {
    return rest.toString('latin1').endsWith('0\r\n\r\n')
      ? { status, headers, body: rest.toString() }
      : undefined;
  }
  const length = Number(headers['content-length'] ?? 0);
  return rest.length >= length ? { status, headers, body: rest.subarray(0, length).toString() } : undefined;
}
