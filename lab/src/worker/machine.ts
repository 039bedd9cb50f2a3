import { trainCheck } from '../../../src/index.ts';
import { browserThreads } from '../../../src/platform/browser/index.ts';
import { labThreads, makeEngine } from './make-engine.ts';

/** Answers of the page "This browser", and the line about threads under every page. */
export const machineAnswers = {
  threads: async () => labThreads(),

  async check(seed: number) {
    // Every core: what is checked is that they all give these bits.
    const engine = await makeEngine(browserThreads().threads);
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
