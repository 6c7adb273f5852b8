// Runs the suite where there is a console: Node, Deno and Bun. The marker finds the answer among a
// runtime's own remarks.
import { answer } from './answer.mjs';

const version = globalThis.Deno?.version.deno ?? globalThis.Bun?.version ?? globalThis.process.versions.node;
console.log(`@@answer ${JSON.stringify({ version, ...(await answer()) })}`);
