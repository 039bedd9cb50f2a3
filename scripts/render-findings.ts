import { fileURLToPath } from 'node:url';
import { experiments } from '../experiments/index.ts';
import type { Experiment, Finding, Finished, Outcome, Report, Trial } from '../experiments/kit/experiment.ts';
import {
  chanceOf,
  claimed,
  type ReportFacts,
  renderMarkdown,
  renderPage,
  sentence,
} from '../experiments/kit/report-page.ts';
import { readTrials } from '../experiments/kit/trial-records.ts';

/** An experiment whose records stand in results/. */
interface Recorded {
  readonly experiment: Experiment;
  readonly quick: boolean;
  readonly finished: readonly Finished<Trial, unknown>[];
  /** Trials that its form has for as many seeds as there are. */
  readonly trials: number;
  readonly seeds: number;
  readonly report: Report;
}

const fileOf = ({ name }: Pick<Experiment, 'name'>, quick: boolean): string => `${name}${quick ? '-quick' : ''}`;
const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

const seedsTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

/** The records of one form that belong to its grid as it is now; undefined without any. */
function recorded(experiment: Experiment, quick: boolean): Recorded | undefined {
  const path = here(`results/${fileOf(experiment, quick)}.jsonl`);
  const records = readTrials<Finished<Trial, unknown>>(path);
  const form = quick ? experiment.quick : experiment.full;
  const seeds = Math.max(form.seeds, ...records.map(({ trial }) => trial?.seed ?? 0));
  const known = new Map(records.map((record) => [JSON.stringify(record.trial), record]));
  const trials = form.trials(seedsTo(seeds));
  const finished = trials.flatMap((trial) => known.get(JSON.stringify(trial)) ?? []);
  if (finished.length === 0) return undefined;
  const report = experiment.report(wholeSeeds(finished, trials));
  return { experiment, quick, finished, trials: trials.length, seeds, report };
}

/** Records of seeds whose trials have all finished: of an interrupted grid, what is compared has the same seeds. */
function wholeSeeds(
  finished: readonly Finished<Trial, unknown>[],
  trials: readonly Trial[],
): Finished<Trial, unknown>[] {
  const wanted = Map.groupBy(trials, ({ seed }) => seed);
  const done = Map.groupBy(finished, ({ trial }) => trial.seed);
  return [...done].flatMap(([seed, own]) => (own.length === wanted.get(seed)?.length ? own : []));
}

const allRecorded = (): Recorded[] =>
  experiments.flatMap((experiment) => [true, false].flatMap((quick) => recorded(experiment, quick) ?? []));

/** The finished trials of an experiment's full form: of every seed that has all. */
export function finishedOf<C extends Trial, R>(experiment: Experiment<C, R>): Finished<C, R>[] {
  const own = recorded(experiment as unknown as Experiment, false);
  if (!own) throw new Error(`results/${experiment.name}.jsonl has no records of the full form.`);
  return wholeSeeds(own.finished, experiment.full.trials(seedsTo(own.seeds))) as Finished<C, R>[];
}

const distinct = (values: readonly (string | undefined)[]): string[] => [
  ...new Set(values.filter((value) => value !== undefined)),
];

function factsOf({ quick, seeds, finished, trials }: Recorded): ReportFacts {
  return {
    quick,
    seeds,
    seconds: finished.reduce((sum, { seconds }) => sum + seconds, 0),
    missing: trials - finished.length,
    commits: distinct(finished.map(({ commit }) => commit)),
    engines: distinct(finished.map(({ result }) => (result as { engine?: string }).engine)),
  };
}

const chartFile = (own: Recorded, i: number): string => `${fileOf(own.experiment, own.quick)}-${i + 1}.svg`;

const isWhole = ({ finished, trials }: Recorded): boolean => finished.length === trials;

/** Tables and charts of every experiment with records, pages of finished ones, and the page of findings; by path from the root. */
export function renderFindings(): [string, string][] {
  const all = allRecorded();
  return [
    ...all.flatMap((own): [string, string][] => [
      [`results/${fileOf(own.experiment, own.quick)}.md`, renderMarkdown(own.experiment, own.report, factsOf(own))],
      ...(isWhole(own)
        ? [
            [
              `results/${fileOf(own.experiment, own.quick)}.html`,
              renderPage(own.experiment, own.report, factsOf(own)),
            ] as [string, string],
          ]
        : []),
      ...own.report.charts.map((chart, i): [string, string] => [`results/${chartFile(own, i)}`, chart]),
    ]),
    ['docs/findings.md', renderFindingsPage(all)],
  ];
}

const WORDS: Readonly<Record<Outcome, string>> = {
  holds: 'Reproduced',
  refuted: 'Refuted here',
  'not shown': 'Not shown either way',
  'not tested': 'Not tested by this form or at this budget',
};
const ORDER: readonly Outcome[] = ['holds', 'refuted', 'not shown', 'not tested'];

function renderFindingsPage(all: readonly Recorded[]): string {
  return [
    '# What reproduced, what did not, and what was learnt',
    '',
    'Old claims about stochastic neurons and sparse gates, repeated with several seeds and error bars. Every line below is rendered from records',
    'by `npm run results`, and links to them: the page fills itself as runs finish, and says what is missing. An experiment has a quick form, on digits that the',
    'library writes itself, which shows that it works and how; and a full form on MNIST (or, for handwriting, on many written strings), which is the one',
    'to believe. “Reproduced” means that a 95% interval over seeds leaves out the opposite; “not shown” that it does not. Every interval stands on its own: of claims in',
    'which there is nothing, one in twenty is decided by chance, and each section says how many claims it tests.',
    '',
    ...summaryOf(all),
    ...experiments.flatMap((experiment) => sectionOf(experiment, all)),
    '## Run them yourself',
    '',
    'One command each, which goes on where it was interrupted; a second shell with the same command shares the trials. The quick form takes up to',
    'three minutes on two quiet cores:',
    '',
    '<!-- example: elsewhere test/experiments/reproduce.test.ts -->',
    '```sh',
    ...experiments.map(({ name }) => `flipgrad reproduce ${name} --quick`),
    'FLIPGRAD_DATA=DIR flipgrad reproduce NAME --out results    # the full form; DIR holds mnist/',
    '```',
    '',
  ].join('\n');
}

/** The full form alone is told where it has findings; until then the quick one stands in. */
function toldOf(experiment: Experiment, all: readonly Recorded[]): Recorded | undefined {
  const own = all.filter((candidate) => candidate.experiment === experiment);
  const full = own.find(({ quick }) => !quick);
  return full?.report.findings.length ? full : own.find(({ quick }) => quick);
}

/** As the heading of a section is linked to. */
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');

/** How many claims of every experiment came out which way. */
const summaryOf = (all: readonly Recorded[]): string[] => [
  `| experiment | form | ${ORDER.map((outcome) => WORDS[outcome].toLowerCase()).join(' | ')} |`,
  `|---|---|${ORDER.map(() => '---:|').join('')}`,
  ...experiments.map((experiment) => {
    const told = toldOf(experiment, all);
    const begun = told ?? all.find((own) => own.experiment === experiment);
    const form = begun ? `${begun.quick ? 'quick' : 'full'}${isWhole(begun) ? '' : ', not finished'}` : 'not run yet';
    const counts = ORDER.map((is) => told?.report.findings.filter(({ outcome }) => outcome === is).length ?? '');
    return `| [${experiment.title}](#${anchorOf(experiment.title)}) | ${form} | ${counts.join(' | ')} |`;
  }),
  '',
];

function sectionOf(experiment: Experiment, all: readonly Recorded[]): string[] {
  const { title, question, claim } = experiment;
  const own = all.filter((candidate) => candidate.experiment === experiment);
  const full = own.find(({ quick }) => !quick);
  const told = toldOf(experiment, all);
  return [
    `## ${title}`,
    '',
    question,
    '',
    `Claimed: ${claimed(claim)} (${claim.source}).`,
    '',
    stateOf(experiment, full),
    '',
    ...(told ? toldBy(told) : []),
  ];
}

function stateOf({ name, full: form, minutesOf }: Experiment, full: Recorded | undefined): string {
  const trials = form.trials(Array.from({ length: form.seeds }, (_, i) => i + 1));
  if (full && isWhole(full)) return `The full form has finished: ${full.trials} trials.`;
  const hours = trials.reduce((sum, trial) => sum + minutesOf(trial), 0) / 60;
  const done = full ? `${full.finished.length} of ${full.trials} trials have finished` : 'not run yet';
  return `**Full form: ${done}.** \`FLIPGRAD_DATA=DIR flipgrad reproduce ${name} --out results\` runs what is left; all of it takes about ${hours.toFixed(1)} hours of one core.`;
}

function toldBy(own: Recorded): string[] {
  const { experiment, quick, finished, report } = own;
  const file = fileOf(experiment, quick);
  const records = `[records](../results/${file}.jsonl)`;
  const page = isWhole(own) ? `, [page with charts](../results/${file}.html)` : '';
  const links = `[table](../results/${file}.md), ${records}${page}`;
  const claims = report.findings.length;
  const form = quick ? 'Quick form, on written digits' : 'Full form';
  return [
    `${form}: ${finished.length} trials; ${links}.`,
    '',
    ...(report.learnt.length > 0
      ? ['What was learnt:', '', ...report.learnt.map((text) => `- ${text} (${records})`), '']
      : []),
    ...(claims > 0 ? [`<details><summary>The ${claims} claims, one by one</summary>`, ''] : []),
    ...ORDER.flatMap((outcome) => findingsOf(report.findings, outcome, records)),
    ...[chanceOf(report.findings)].filter(Boolean).flatMap((text) => [text, '']),
    ...(claims > 0 ? ['</details>', ''] : []),
    ...report.charts.flatMap((_, i) => [`![${experiment.title}](../results/${chartFile(own, i)})`, '']).slice(0, 4),
  ];
}

function findingsOf(findings: readonly Finding[], outcome: Outcome, records: string): string[] {
  const own = findings.filter((finding) => finding.outcome === outcome);
  if (own.length === 0) return [];
  return [
    `${WORDS[outcome]}:`,
    '',
    ...own.map(({ claim, evidence }) => `- ${claim}. ${sentence(evidence)} (${records})`),
    '',
  ];
}
