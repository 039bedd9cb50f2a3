/** What an experiment states: a grid of trials, what one trial does, and what the finished trials say of the published claims. */

/** One run of a grid, as plain JSON: it is stored beside what it gave, and two trials are the same when their JSON is. */
export interface Trial {
  readonly seed: number;
}

export interface Finished<C, R> {
  readonly trial: C;
  readonly result: R;
  /** Wall-clock time of the trial. */
  readonly seconds: number;
  /** Of Node, and of flipgrad's repository where it ran from one, with "+" where files were changed. */
  readonly node?: string;
  readonly commit?: string;
}

/**
 * `quick` shows in minutes that it works and how; `full` is the one to believe; `medium` is a grid of its own for those whose full form takes
 * the better part of a day.
 */
export type FormName = 'quick' | 'medium' | 'full';

/** @throws RangeError for a form that the experiment has not */
export function formOf<C extends Trial, R>(experiment: Experiment<C, R>, name: FormName): Form<C> {
  const form = experiment[name];
  if (!form)
    throw new RangeError(
      `"${experiment.name}" has no ${name} form. Expected the quick form (--quick) or the full one.`,
    );
  return form;
}

/** What files of a form have after the experiment's name: records, tables, pages and charts. */
export const suffixOf = (form: FormName): string => (form === 'full' ? '' : `-${form}`);

export interface Form<C> {
  /** Number of seeds, unless the user asks for another. */
  readonly seeds: number;
  /** The first of them, default 1: another where reported seeds must be fresh. */
  readonly firstSeed?: number;
  /** Seed by seed, so that an interrupted grid has whole pairs. */
  trials(seeds: readonly number[]): readonly C[];
}

/** A form as it was before: its records stay, and stand for the experiment, so marked, until the form as it is now has findings. */
export interface Earlier<C> {
  /** The last day that it was the form: 2026-11-29. */
  readonly until: string;
  /** How it was trained, in what differs from now. */
  readonly differs: string;
  readonly form: Form<C>;
}

/** The first `count` seeds of a form. */
export const seedsOf = ({ firstSeed = 1 }: Pick<Form<unknown>, 'firstSeed'>, count: number): number[] =>
  Array.from({ length: count }, (_, i) => firstSeed + i);

/** What intervals over seeds do not tell of: for the settings of experiments on MNIST. */
export const SAME_IMAGES =
  'MNIST’s test images are the same for every seed: intervals tell how far trainings differ, not how far other images would.';

/** `not tested` where this form could not have told, as for published error rates on other data or after a fraction of the training. */
export type Outcome = 'holds' | 'refuted' | 'not shown' | 'not tested';

export interface Finding {
  readonly claim: string;
  readonly outcome: Outcome;
  /** The figures that say so. */
  readonly evidence: string;
}

/**
 * A claim can be refuted only at a budget that could have shown it: elsewhere it was not tested, and the evidence says why.
 * @param short what the budget lacks; undefined: nothing
 */
export function atBudget(finding: Finding, short: string | undefined): Finding {
  if (finding.outcome !== 'refuted' || short === undefined) return finding;
  return { ...finding, outcome: 'not tested', evidence: `${finding.evidence} Not tested at this budget: ${short}.` };
}

export interface ReportTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What a newcomer takes home: one sentence each, in words that need no other page. */
export interface Answer {
  readonly verdict: string;
  /** What would change it: a longer budget, another size, what was not tried. */
  readonly change: string;
}

export interface Report {
  /** Absent before the records can say anything. */
  readonly answer?: Answer;
  readonly findings: readonly Finding[];
  /** What was learnt, for a reader who knows none of it: sentences made from the records, none before they say anything. */
  readonly learnt: readonly string[];
  readonly tables: readonly ReportTable[];
  /** SVG; the first shows what the answer says. */
  readonly charts: readonly string[];
}

export interface TrialOptions<C = Trial, R = unknown> {
  /** Stops the trial: it throws the signal's reason. */
  readonly signal: AbortSignal;
  /** Trials of this grid that have finished, for a trial that builds on earlier ones; absent: none. */
  readonly finished?: readonly Finished<C, R>[];
  /** @param share of the trial that is done, in [0, 1] */
  onProgress(share: number): void;
}

export interface Experiment<C extends Trial = Trial, R = unknown> {
  readonly name: string;
  readonly title: string;
  /** What is asked, and why one would care: two or three sentences for a newcomer. */
  readonly question: string;
  /** The claim, where it stands, and what numbers were printed; `verbatim` where it is in its author's words. */
  readonly claim: {
    readonly text: string;
    readonly source: string;
    readonly published: string;
    readonly verbatim?: true;
  };
  /** The setting in a few sentences: network, budget, tolerance, and what was left out. */
  readonly setting: string;
  readonly quick: Form<C>;
  readonly medium?: Form<C>;
  readonly full: Form<C>;
  /** The full form as it was before. */
  readonly earlier?: Earlier<C>;
  nameOf(trial: C): string;
  /** Estimated minutes of a trial on one core (give its engine one thread), for the hours that are stated before a grid starts. */
  minutesOf(trial: C): number;
  /** Have the trials that this one builds on finished? Default: it builds on none. */
  ready?(trial: C, finished: readonly Finished<C, R>[]): boolean;
  run(trial: C, options: TrialOptions<C, R>): Promise<R>;
  report(finished: readonly Finished<C, R>[]): Report;
}
