import { tasksIn } from './tasks.mjs';

tasksIn('WebKit');
