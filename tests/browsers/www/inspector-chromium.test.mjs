import { tasksIn } from './tasks.mjs';

tasksIn('Chromium');
