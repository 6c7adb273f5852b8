// Runs the suite in a page and posts the answer to the server it came from.
import { answer } from './answer.mjs';
import { post } from './post.mjs';

await post(answer);
