/** Everything of the library runs here, off the page's own thread. */
import { articleAnswers } from './article.ts';
import { fasterAnswers } from './faster.ts';
import { frontAnswers } from './front.ts';
import { gatesAnswers } from './gates.ts';
import { machineAnswers } from './machine.ts';
import { microscopeAnswers } from './microscope.ts';
import { raceAnswers } from './race.ts';
import { runsAnswers } from './runs.ts';
import { type Answer, serve } from './serve.ts';
import { textAnswers } from './text.ts';

/** What a page may ask for: the answers of every page, one line each. Names are of the whole lab. */
const answers = {
  ...articleAnswers,
  ...fasterAnswers,
  ...frontAnswers,
  ...gatesAnswers,
  ...machineAnswers,
  ...microscopeAnswers,
  ...raceAnswers,
  ...runsAnswers,
  ...textAnswers,
} satisfies Record<string, Answer>;

export type Answers = typeof answers;

serve(globalThis, answers);
