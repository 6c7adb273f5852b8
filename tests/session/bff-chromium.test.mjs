import { testBff } from './bff-browsers.mjs';

testBff('chromium');
