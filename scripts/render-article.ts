import { conditionalSpeed } from '../experiments/conditional-speed/run.ts';
import type { Report, ReportTable } from '../experiments/kit/experiment.ts';
import { ROWS } from '../experiments/table-1/rows.ts';
import { table1 } from '../experiments/table-1/run.ts';
import { whySlow } from '../experiments/why-slow/run.ts';
import { reportOf } from './render-findings.ts';

/** `69% (59% to 85%)`. */
const SHARE = /^(-?\d+)% \((-?\d+)% to (-?\d+)%\)$/;
/** `1.83 ± 0.16`, and more. */
const LEVEL = /^([\d.]+) ± ([\d.]+)/;
/** What is said of time, against dense nets of the same error. */
const AGAINST_DENSE = /^(At inference|In training),/;
const MOST = 3;

/** The figures and sentences of the lab's article, from the reports of the experiments: lab/src/article/records.json. */
export function renderArticle(): string {
  const [table, slow] = [reportOf(table1), reportOf(whySlow)];
  const errors = tableOf(table, 'Errors in percent');
  const shares = tableOf(slow, 'Shares of the slow-down');
  const article = {
    table1: {
      seeds: Math.min(...errors.rows.map((row) => Number(row[columnOf(errors, 'seeds')]))),
      rows: errors.rows.map((row) => {
        const [mean, half] = numbersIn(LEVEL, row[columnOf(errors, 'test, threshold')]);
        return { gater: row[0], mean, half, published: ROWS.find(({ gater }) => gater === row[0])?.published?.test };
      }),
      findings: table.findings,
      learnt: table.learnt.slice(0, MOST),
    },
    slow: {
      shares: shares.rows
        .map((row) => [row[0], row[columnOf(shares, 'to 0.4 nats, as sampled')]] as const)
        .filter(([, cell]) => SHARE.test(cell))
        .map(([name, cell]) => {
          const [share, least, most] = numbersIn(SHARE, cell);
          return { name, share, least, most };
        }),
      learnt: slow.learnt.slice(0, MOST),
    },
    pays: { learnt: reportOf(conditionalSpeed).learnt.filter((sentence) => AGAINST_DENSE.test(sentence)) },
  };
  if (article.slow.shares.length === 0 || article.pays.learnt.length === 0)
    throw new Error(
      'The reports have no shares of the slow-down, or say nothing of time against dense nets. Expected both.',
    );
  return `${JSON.stringify(article, null, 2)}\n`;
}

function tableOf({ tables }: Report, title: string): ReportTable {
  const found = tables.find((table) => table.title.startsWith(title));
  if (!found)
    throw new Error(`The report has no table "${title}". It has ${tables.map((table) => table.title).join('; ')}.`);
  return found;
}

function columnOf({ title, head }: ReportTable, name: string): number {
  const at = head.indexOf(name);
  if (at < 0) throw new Error(`The table "${title}" has no column "${name}". It has ${head.join('; ')}.`);
  return at;
}

function numbersIn(form: RegExp, cell: string): number[] {
  const found = form.exec(cell);
  if (!found) throw new Error(`A cell of the report is "${cell}". Expected ${form}.`);
  return found.slice(1).map(Number);
}
