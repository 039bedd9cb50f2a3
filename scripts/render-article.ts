import { conditionalSpeed } from '../experiments/conditional-speed.ts';
import { interval } from '../experiments/statistics.ts';
import { type TableDone, table1 } from '../experiments/table-1.ts';
import { ROWS } from '../experiments/table-1-rows.ts';
import { whySlow } from '../experiments/why-slow.ts';
import { finishedOf, reportOf } from './render-findings.ts';

/** `73% (54% to 102%)`. */
const SHARE = /^(-?\d+)% \((-?\d+)% to (-?\d+)%\)$/;
/** The parts of the slow-down that the article's equation names, in its order. */
const PARTS = /^[123]\. /;
const DIGITS = 4;

/** What is said of time, against dense nets of the same error. */
const AGAINST_DENSE = /^(At inference|In training),/;

/** The figures and sentences of the lab's article, from the records of the experiments: lab/src/article/records.json. */
export function renderArticle(): string {
  const table = reportOf(table1);
  const slow = reportOf(whySlow);
  const done = finishedOf(table1) as readonly TableDone[];
  const rows = ROWS.flatMap(({ gater, published }) => {
    const finals = done.flatMap(({ trial, result }) =>
      trial.gater === gater && trial.stage === 'final' && result.final ? [100 * result.final.test.threshold] : [],
    );
    if (finals.length === 0) return [];
    const { mean, half, count } = interval(finals);
    return [{ gater, mean: short(mean), half: short(half), seeds: count, published: published?.test }];
  });
  const [{ head, rows: parts }] = slow.tables;
  const column = head.indexOf('share, as sampled');
  const shares = parts
    .filter(([name]) => PARTS.test(name))
    .map((row) => {
      const [, share, least, most] = SHARE.exec(row[column]) ?? [];
      return {
        name: row[0].replace(PARTS, ''),
        ...{ share: Number(share), least: Number(least), most: Number(most) },
      };
    });
  const article = {
    table1: {
      seeds: Math.min(...rows.map(({ seeds }) => seeds)),
      rows,
      findings: table.findings,
      learnt: table.learnt.slice(0, 3),
    },
    slow: { shares, learnt: slow.learnt.slice(0, 3) },
    pays: { learnt: reportOf(conditionalSpeed).learnt.filter((sentence) => AGAINST_DENSE.test(sentence)) },
  };
  return `${JSON.stringify(article, null, 2)}\n`;
}

const short = (value: number): number => Number(value.toPrecision(DIGITS));
