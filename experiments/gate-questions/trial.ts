import type { Finished } from '../kit/experiment.ts';
import { QUESTIONS, type Question } from './arms.ts';

export interface QuestionTrial {
  readonly data: 'digits' | 'mnist';
  readonly question: Question;
  readonly arm: string;
  readonly rate: number;
  readonly examples: number;
  readonly epochs: number;
  readonly seed: number;
}

/** Errors are shares in [0, 1]. */
export interface QuestionResult {
  readonly validError: number;
  readonly testError: number;
  /** Share of open gates over every epoch, and of gates that fired for under 0.1% of the last epoch’s examples; 1 and 0 without gates. */
  readonly open: readonly number[];
  readonly dead: number;
  /** Multiply-adds of one example in training. */
  readonly work: number;
  readonly dataChecksum: string;
  readonly engine: string;
}

export type QuestionDone = Finished<QuestionTrial, QuestionResult>;

interface Setting extends Pick<QuestionTrial, 'data' | 'examples' | 'epochs'> {
  readonly closing: Pick<QuestionTrial, 'examples' | 'epochs'>;
}

export const grid =
  ({ closing, ...setting }: Setting) =>
  (seeds: readonly number[]): QuestionTrial[] =>
    seeds.flatMap((seed) =>
      (Object.keys(QUESTIONS) as Question[]).flatMap((question) =>
        Object.keys(QUESTIONS[question].arms).flatMap((arm) =>
          QUESTIONS[question].rates.map((rate) => ({
            ...setting,
            ...(QUESTIONS[question].long && closing),
            question,
            arm,
            rate,
            seed,
          })),
        ),
      ),
    );
