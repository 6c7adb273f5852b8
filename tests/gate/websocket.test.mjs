// A WebSocket whose token stands among the subprotocols: what the handshake answers has no token.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { createGate } from 'portcullis/gate';

import { AUDIENCE, ISSUER, signer } from '../support/issuer.mjs';

let key;
let server;

before(async () => {
  key = await signer('a');
  const gate = createGate({
    issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } }],
    gate: { credentials: { subprotocol: 'bearer' }, routes: [{ path: '/open', requirement: 'public' }] },
  });
  server = createServer();
  server.on('upgrade', async (request, socket) => {
    const headers = [];
    for (let at = 0; at < request.rawHeaders.length; at += 2)
      headers.push([request.rawHeaders[at], request.rawHeaders[at + 1]]);
    const facts = { method: 'GET', url: `http://${request.headers.host}${request.url}`, headers };
    const decision = await gate.check(facts, undefined, { clientAddress: request.socket.remoteAddress });
    if (!decision.ok) return socket.end(`HTTP/1.1 ${decision.status} Refused\r\nConnection: close\r\n\r\n`);
    // As servers do: the first of what the origin is offered.
    const offered = decision.headers.set['sec-websocket-protocol'] ?? '';
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    const fields = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
    if (offered !== '') fields.push(`Sec-WebSocket-Protocol: ${offered.split(',')[0].trim()}`);
    socket.end(`HTTP/1.1 101 Switching Protocols\r\n${fields.join('\r\n')}\r\n\r\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => server.close());

/** The handshake of a client that offers these (RFC 6455 §4.1). */
async function handshake(path, ...offers) {
  const client = ask({
    port: server.address().port,
    host: '127.0.0.1',
    path,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': Buffer.alloc(16).toString('base64'),
      'sec-websocket-version': '13',
      'sec-websocket-protocol': offers.join(', '),
    },
  });
  client.end();
  const [answer, socket] = await Promise.race([once(client, 'upgrade'), once(client, 'response')]);
  if (answer.statusCode === 101) socket.destroy();
  else answer.resume();
  return { status: answer.statusCode, headers: answer.headers };
}

test('the token lets in, and the answer names the subprotocol in front of it', async () => {
  const token = await key.mint(Math.floor(Date.now() / 1000));
  for (const path of ['/chat', '/open']) {
    const { status, headers } = await handshake(path, 'bearer', token, 'chat.v2');
    assert.equal(status, 101, path);
    assert.equal(headers['sec-websocket-protocol'], 'bearer');
    assert.doesNotMatch(JSON.stringify(headers), new RegExp(token.split('.')[2]));
  }
});

test('without a token, or with two, there is no WebSocket', async () => {
  const token = await key.mint(Math.floor(Date.now() / 1000));
  assert.equal((await handshake('/chat', 'chat.v2')).status, 401);
  assert.equal((await handshake('/chat', 'bearer')).status, 400);
  assert.equal((await handshake('/chat', 'bearer', token, 'bearer', token)).status, 400);
});
