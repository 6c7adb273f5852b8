// Client, issuer and edge as a picture: what this tab sends moves to one of them, and what it is
// answered moves back.
import { $, element } from '../dom.js';

/** How long a message is seen on each of its ways. */
const WAY_MS = 600;
/** Two that are sent in one instant are seen one after the other. */
const APART_MS = 250;

let nextStart = 0;

/**
 * Shows a request on its way; call what it gives with the status of the answer and whether the
 * network loses it.
 */
export function showMessage({ method, path, note }) {
  const to = path.startsWith('/api/') ? 'edge' : 'issuer';
  const arrived = move({
    to,
    text: note || `${method} ${path}`,
    kind: note.includes('thief') ? 'thief' : '',
  });
  return async (status, isLost) => {
    await arrived;
    const kind = status < 400 ? 'accepted' : 'refused';
    document.querySelector(`.node.${to}`).dataset.state = kind;
    await move({ to, text: isLost ? 'lost' : String(status), kind: isLost ? 'lost' : kind, isAnswer: true });
  };
}

/** Settles once the message is there. Where nothing is to move it is only seen for as long. */
async function move({ to, text, kind, isAnswer = false }) {
  const now = performance.now();
  if (!isAnswer) {
    nextStart = Math.max(now, nextStart + APART_MS);
    await pause(nextStart - now);
  }
  const dataset = { to, kind, way: isAnswer ? 'back' : 'out' };
  const message = element('span', { className: 'message', textContent: text, dataset });
  $('wires').append(message);
  await pause(WAY_MS);
  message.remove();
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
