/** Everything of the library runs here, off the page's own thread. */
import { trainCheck } from '../../../src/index.ts';
import { browserThreads, createEngine } from '../../../src/platform/browser/index.ts';
import { look, type MicroscopeState, microscopeNeurons } from './microscope.ts';

const startWorker = (): Worker => new Worker(new URL('./kernel-worker.ts', import.meta.url), { type: 'module' });

/** What the page may ask for. */
const answers = {
  threads: async () => browserThreads(),
  neurons: async () => microscopeNeurons(),
  look: async (state: MicroscopeState) => look(state),
  async check(seed: number) {
    const engine = await createEngine({ startWorker, simd: 'simd' });
    try {
      const bytes = await trainCheck(engine, seed);
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      const checksum = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
      return { checksum, engine: engine.name, threads: engine.threads };
    } finally {
      engine.close();
    }
  },
};

export type Answers = typeof answers;

interface Question {
  readonly id: number;
  readonly name: keyof Answers;
  readonly argument: never;
}

addEventListener('message', async ({ data: { id, name, argument } }: MessageEvent<Question>) => {
  try {
    postMessage({ id, result: await answers[name](argument) });
  } catch (error) {
    postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
