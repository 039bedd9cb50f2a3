/**
 * Comes before every test file (`npm test`): modules are stripped of their types and compiled once, not in each of the processes that test
 * files and command lines run in. The cache knows a module by its text. Plain JavaScript, since it is there before the cache is.
 */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// In the environment, so that processes of tests have it too.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../../node_modules/.cache/flipgrad-tests', import.meta.url));
enableCompileCache(process.env.NODE_COMPILE_CACHE);
