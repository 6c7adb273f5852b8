// The one call every runtime makes. Set-up writes library.mjs and vectors.mjs beside this file
// (stage.mjs).
import { library } from './library.mjs';
import { runSuite } from './suite.mjs';
import { vectorFiles } from './vectors.mjs';

export const answer = () => runSuite(library, vectorFiles);
