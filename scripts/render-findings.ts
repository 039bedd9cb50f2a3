import { fileURLToPath } from 'node:url';
import { experiments } from '../experiments/index.ts';
import {
  type Earlier,
  type Experiment,
  type Finding,
  type Finished,
  type Form,
  type FormName,
  type Outcome,
  type Report,
  seedsOf,
  suffixOf,
  type Trial,
} from '../experiments/kit/experiment.ts';
import {
  answered,
  chanceOf,
  claimed,
  factsOf,
  folded,
  type ReportFacts,
  renderMarkdown,
  renderPage,
  sentence,
} from '../experiments/kit/report-page.ts';
import { readTrials } from '../experiments/kit/trial-records.ts';

const FORMS: readonly FormName[] = ['quick', 'medium', 'full'];

/** An experiment whose records stand in results/. */
interface Recorded {
  readonly experiment: Experiment;
  readonly form: FormName;
  readonly finished: readonly Finished<Trial, unknown>[];
  /** Of them those of seeds that have all: what the report is of. */
  readonly whole: readonly Finished<Trial, unknown>[];
  /** Trials that its form has for as many seeds as there are. */
  readonly trials: number;
  readonly seeds: number;
  /** Reported seeds of which all trials have finished. */
  readonly wholeSeeds: number;
  readonly report: Report;
  /** The form that the records are of, where it is no longer the form. */
  readonly earlier?: Earlier<Trial>;
}

const fileOf = ({ name }: Pick<Experiment, 'name'>, form: FormName): string => `${name}${suffixOf(form)}`;
const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** The records of one form: of its grid as it is now, or as it was before while there is nothing to find in the new one; undefined without any. */
function recorded(experiment: Experiment, name: FormName): Recorded | undefined {
  const form = experiment[name];
  if (!form) return undefined;
  const records = readTrials<Finished<Trial, unknown>>(here(`results/${fileOf(experiment, name)}.jsonl`));
  const known = new Map(records.map((record) => [JSON.stringify(record.trial), record]));
  const of = (form: Form<Trial>, earlier?: Earlier<Trial>): Recorded | undefined => {
    const trials = form.trials(seedsOf(form, seedCount(form, records)));
    const finished = trials.flatMap((trial) => known.get(JSON.stringify(trial)) ?? []);
    if (finished.length === 0) return undefined;
    const seeds = seedCount(form, finished);
    const whole = wholeSeeds(finished, trials);
    const count = seedsOf(form, seeds).filter((seed) => whole.some(({ trial }) => trial.seed === seed)).length;
    return {
      ...{ experiment, form: name, finished, whole, trials: trials.length, seeds, wholeSeeds: count },
      report: experiment.report(whole),
      ...(earlier && { earlier }),
    };
  };
  const { earlier } = experiment;
  const now = of(form);
  if (now?.report.findings.length || !earlier || name !== 'full') return now;
  return of(earlier.form, earlier) ?? now;
}

/** Seeds of a form that records reach to, and at least as many as it has. */
function seedCount({ seeds, firstSeed = 1 }: Form<Trial>, records: readonly Finished<Trial, unknown>[]): number {
  return Math.max(seeds, ...records.map(({ trial }) => trial.seed - firstSeed + 1));
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
  experiments.flatMap((experiment) => FORMS.flatMap((form) => recorded(experiment, form) ?? []));

/** The finished trials of an experiment's full form: of every seed that has all, in the grid that its report is of. */
export const finishedOf = <C extends Trial, R>(experiment: Experiment<C, R>): Finished<C, R>[] =>
  [...fullForm(experiment as unknown as Experiment).whole] as Finished<C, R>[];

/** What the records of an experiment's full form say, of every seed that has all of its trials. */
export const reportOf = <C extends Trial, R>(experiment: Experiment<C, R>): Report =>
  fullForm(experiment as unknown as Experiment).report;

function fullForm(experiment: Experiment): Recorded {
  const own = recorded(experiment, 'full');
  if (!own) throw new Error(`results/${experiment.name}.jsonl has no records of the full form.`);
  return own;
}

const factsOfRecorded = (own: Recorded): ReportFacts =>
  factsOf(own.finished, {
    charts: own.report.charts.map((_, i) => chartFile(own, i)),
    ...(own.earlier && { earlier: own.earlier }),
    form: own.form,
    seeds: own.seeds,
    missing: own.trials - own.finished.length,
  });

const chartFile = (own: Recorded, i: number): string => `${fileOf(own.experiment, own.form)}-${i + 1}.svg`;

const isWhole = ({ finished, trials }: Recorded): boolean => finished.length === trials;

/** Tables and charts of every experiment with records, pages of finished ones, and the page of findings; by path from the root. */
export function renderFindings(): [string, string][] {
  const all = allRecorded();
  return [
    ...all.flatMap((own): [string, string][] => [
      [
        `results/${fileOf(own.experiment, own.form)}.md`,
        renderMarkdown(own.experiment, own.report, factsOfRecorded(own)),
      ],
      ...(isWhole(own)
        ? [
            [
              `results/${fileOf(own.experiment, own.form)}.html`,
              renderPage(own.experiment, own.report, factsOfRecorded(own)),
            ] as [string, string],
          ]
        : []),
      ...own.report.charts.map((chart, i): [string, string] => [`results/${chartFile(own, i)}`, chart]),
    ]),
    ['docs/findings.md', renderFindingsPage(all)],
  ];
}

const FORM_WORDS: Readonly<Record<FormName, string>> = {
  quick: 'Quick form',
  medium: 'Medium form',
  full: 'Full form',
};

const WORDS: Readonly<Record<Outcome, string>> = {
  holds: 'Reproduced',
  refuted: 'Refuted here',
  'not shown': 'Not shown either way',
  'not tested': 'Not tested by this form or budget',
};
const ORDER: readonly Outcome[] = ['holds', 'refuted', 'not shown', 'not tested'];

function renderFindingsPage(all: readonly Recorded[]): string {
  return [
    '# Findings: what reproduced and what did not',
    '',
    'Published claims about stochastic neurons and sparse gates, tested again with several seeds and error bars. Each section has a question, a chart, and a verdict of one',
    'sentence; claims, tables and further charts are folded below it. `npm run results` renders this page from the records, and says which trials are missing.',
    '',
    'Records of commits before 29 November 2026, 11:00 UTC, used [other random streams](decisions/2026-11-29-noise-is-drawn-under-keys-of-its-own.md): the same seeds',
    'now draw other noise. Networks without noise give the same bits as before.',
    '',
    'An experiment has up to three forms. The quick form, mostly on generated digits, shows how it works. The full form, mostly on MNIST, is the one to believe. The medium form lies between them.',
    '',
    '- **Reproduced**: the effect is shown. **Refuted**: its opposite is shown.',
    '- **Not shown**: neither is shown. The size stands beside it with a 95% interval, and may still matter.',
    '- **Not tested**: this form or budget could not have shown the effect.\n',
    'Comparisons of one family are corrected together: if there is no effect in a family, it reports one in at most one of twenty cases.',
    '',
    ...folded('How all claims came out, counted', summaryOf(all)),
    ...experiments.flatMap((experiment) => sectionOf(experiment, all)),
    '## Run them yourself',
    '',
    'Each experiment is one command. The same command continues an interrupted experiment, and a second shell with the same command shares the trials.',
    'The quick form takes up to three minutes on two idle cores:',
    '',
    '<!-- example: elsewhere test/experiments/reproduce.test.ts -->',
    '```sh',
    ...experiments.map(({ name }) => `flipgrad reproduce ${name} --quick`),
    'FLIPGRAD_DATA=DIR flipgrad reproduce NAME --out results    # the full form; DIR holds mnist/',
    '```',
    '',
  ].join('\n');
}

/** The full form alone is told where it has findings; until then the medium one stands in, or else the quick one. */
function toldOf(experiment: Experiment, all: readonly Recorded[]): Recorded | undefined {
  const own = all.filter((candidate) => candidate.experiment === experiment);
  const large = own.filter(({ form, report }) => form !== 'quick' && report.findings.length > 0).at(-1);
  return large ?? own.find(({ form }) => form === 'quick');
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
    const form = begun
      ? `${begun.form}${begun.earlier ? ', earlier protocol' : isWhole(begun) ? '' : ', not finished'}`
      : 'not run yet';
    const counts = ORDER.map((is) => told?.report.findings.filter(({ outcome }) => outcome === is).length ?? '');
    return `| [${experiment.title}](#${anchorOf(experiment.title)}) | ${form} | ${counts.join(' | ')} |`;
  }),
  '',
];

function sectionOf(experiment: Experiment, all: readonly Recorded[]): string[] {
  const { title, question, claim } = experiment;
  const own = all.filter((candidate) => candidate.experiment === experiment);
  const told = toldOf(experiment, all);
  return [
    `## ${title}`,
    '',
    question,
    '',
    `Claimed: ${claimed(claim)} (${claim.source}).`,
    '',
    ...(['medium', 'full'] as const).flatMap((form) => stateOf(experiment, form, own)),
    ...(told ? toldBy(told) : []),
  ];
}

/** How far a form is, as a paragraph; none where it has finished, or the experiment has no such form. */
function stateOf(experiment: Experiment, name: FormName, all: readonly Recorded[]): string[] {
  const form = experiment[name];
  if (!form) return [];
  const found = all.find((candidate) => candidate.form === name);
  const own = found?.earlier ? undefined : found;
  if (own && isWhole(own)) return [];
  const trials = form.trials(seedsOf(form, form.seeds));
  const hours = trials.reduce((sum, trial) => sum + experiment.minutesOf(trial), 0) / 60;
  const done = own
    ? `${own.finished.length} of ${own.trials} trials have finished, ${own.wholeSeeds} of ${own.seeds} seeds with all of theirs`
    : 'not run yet';
  const flag = name === 'full' ? '' : ` --${name}`;
  const before = found?.earlier
    ? ` What follows used an earlier protocol, until ${found.earlier.until}: ${found.earlier.differs}`
    : '';
  return [
    `**${sentence(name)} form: ${done}.** \`FLIPGRAD_DATA=DIR flipgrad reproduce ${experiment.name}${flag} --out results\` runs the missing trials; all of them take about ${hours.toFixed(1)} hours of one core.${before}`,
    '',
  ];
}

function toldBy(own: Recorded): string[] {
  const { experiment, form, finished, trials, report } = own;
  const file = fileOf(experiment, form);
  const records = `[records](../results/${file}.jsonl)`;
  const page = isWhole(own) ? `, [page with charts](../results/${file}.html)` : '';
  const name = own.earlier ? 'Earlier full form' : FORM_WORDS[form];
  const pictures = report.charts.map((_, i) => `![${experiment.title}](../results/${chartFile(own, i)})`);
  return [
    ...pictures.slice(0, 1).flatMap((picture) => [picture, '']),
    ...answered(report),
    `${name}: ${finished.length}${isWhole(own) ? '' : ` of ${trials}`} trials; [claims and tables](../results/${file}.md), ${records}${page}.`,
    '',
    ...folded('Results in figures', [
      ...report.learnt.map((text) => `- ${text} (${records})`),
      ...(report.learnt.length > 0 ? [''] : []),
    ]),
    ...folded(
      `The ${report.findings.length} claims, one by one`,
      report.findings.length === 0
        ? []
        : [
            ...ORDER.flatMap((outcome) => findingsOf(report.findings, outcome, records)),
            ...[chanceOf(report.findings)].filter(Boolean).flatMap((text) => [text, '']),
          ],
    ),
    ...folded(
      'Another chart',
      pictures.slice(1, 2).flatMap((picture) => [picture, '']),
    ),
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
