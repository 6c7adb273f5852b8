import { tasksIn } from './tasks.mjs';

tasksIn('Firefox');
