// Runs the suite in a page and posts the answer to the server it came from.
import { post } from './post.mjs';

await post(async () => (await import('./answer.mjs')).answer());
