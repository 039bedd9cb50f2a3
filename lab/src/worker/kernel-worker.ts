/** The entry of a kernel worker thread. */
import { serveWorker } from '../../../src/platform/browser/index.ts';

serveWorker();
