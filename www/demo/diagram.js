// Client, issuer and edge as a picture: what this tab sends moves to one of them, and what it is
// answered moves back.
import { $, element } from '../dom.js';

/** How long a message is seen on each of its ways. */
const WAY_MS = 600;
const MOST_MESSAGES = 24;

/** Shows a request on its way; call what it gives with the status of the answer. */
export function show({ method, path, note }) {
  const to = path.startsWith('/api/') ? 'edge' : 'issuer';
  const arrived = move({
    to,
    text: note || `${method} ${path}`,
    kind: note.includes('thief') ? 'thief' : '',
  });
  return async (status) => {
    await arrived;
    const kind = status < 400 ? 'accepted' : 'refused';
    const node = document.querySelector(`.node.${to}`);
    node.dataset.state = kind;
    await move({ to, text: String(status), kind, isAnswer: true });
  };
}

/** Settles once the message is there. Where nothing is to move it is only seen for as long. */
function move({ to, text, kind, isAnswer = false }) {
  const wires = $('wires');
  const message = element('span', {
    className: 'message',
    textContent: text,
    dataset: { to, kind, way: isAnswer ? 'back' : 'out' },
  });
  if (wires.querySelectorAll('.message').length < MOST_MESSAGES) wires.append(message);
  return new Promise((resolve) => {
    setTimeout(() => {
      message.remove();
      resolve();
    }, WAY_MS);
  });
}
