import { testInTabs } from './in-tabs.mjs';

testInTabs('chromium');
