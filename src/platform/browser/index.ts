/** flipgrad in a browser: engines with threads where the page may have them. */
export { type BrowserPlatformOptions, browserPlatform, createEngine } from './engine.ts';
export { fetchedFolder, pickedFolder } from './folder.ts';
export { serveWorker } from './serve-worker.ts';
export { type BrowserThreads, browserThreads } from './threads.ts';
