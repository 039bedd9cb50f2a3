import { againstDenseOf } from '../experiments/conditional-speed/report.ts';
import { conditionalSpeed } from '../experiments/conditional-speed/run.ts';
import { table1 } from '../experiments/table-1/run.ts';
import { testLevels } from '../experiments/table-1/tables.ts';
import { whySlow } from '../experiments/why-slow/run.ts';
import { sharesOfSlowDown } from '../experiments/why-slow/shares.ts';
import { finishedOf, reportOf } from './render-findings.ts';

const MOST = 3;

/** The figures and sentences of the lab's article, from the records of the experiments: lab/src/article/records.json. */
export function renderArticle(): string {
  const [table, slow] = [reportOf(table1), reportOf(whySlow)];
  const levels = testLevels(finishedOf(table1));
  const shares = sharesOfSlowDown(finishedOf(whySlow));
  const against = againstDenseOf(finishedOf(conditionalSpeed));
  if (shares.length === 0 || against.length === 0)
    throw new Error(
      'The records have no shares of the slow-down, or say nothing of time against dense nets. Expected both.',
    );
  const article = {
    table1: {
      seeds: Math.min(...levels.map(({ seeds }) => seeds)),
      rows: levels.map(({ seeds: _, ...row }) => row),
      findings: table.findings,
      learnt: table.learnt.slice(0, MOST),
    },
    slow: { shares, learnt: slow.learnt.slice(0, MOST) },
    pays: { learnt: against },
  };
  return `${JSON.stringify(article, null, 2)}\n`;
}
