import { testSignIn } from './sign-in-tabs.mjs';

testSignIn('firefox');
