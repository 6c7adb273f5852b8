import { testInTabs } from './in-tabs.mjs';

testInTabs('webkit');
