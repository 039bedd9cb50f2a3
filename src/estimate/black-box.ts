import type { Turns } from './turns.ts';

/** Which evaluation of the loss this is. */
export interface Evaluation {
  /** Row of the logits, from 0. */
  readonly row: number;
  /** Draw of that row, from 0. */
  readonly draw: number;
  /** The caller's signal, for losses that can stop half-way. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Any function of what the units of one row emit: `bits` holds one 0 or 1 a unit, and is the loss's to keep. It gives a finite number, or
 * a promise of one; less is better. The same bits may get different losses (a simulator with noise of its own).
 */
export type BlackBox = (bits: Float64Array, evaluation: Evaluation) => number | PromiseLike<number>;

/** Thrown when the loss throws, rejects, or gives something else than a finite number. What it threw is the `cause`. */
export class BlackBoxError extends Error {
  override name = 'BlackBoxError';
  /** Step of the estimator, from 1. */
  readonly step: number;
  /** Evaluation within the step, from 1. */
  readonly evaluation: number;
  readonly row: number;
  readonly draw: number;
  /** What the loss was given. */
  readonly bits: Float64Array;

  constructor(where: Place, problem: string, options?: ErrorOptions) {
    const { step, evaluation, evaluations, row, draw, bits } = where;
    const place = `row ${row}, draw ${draw}, bits ${textOf(bits)}`;
    super(`Evaluation ${evaluation} of ${evaluations} in step ${step} (${place}): ${problem}`, options);
    this.step = step;
    this.evaluation = evaluation;
    this.row = row;
    this.draw = draw;
    this.bits = bits;
  }
}

interface Place extends Pick<BlackBoxError, 'step' | 'evaluation' | 'row' | 'draw' | 'bits'> {
  readonly evaluations: number;
}

/** Bits that an error prints, at most. */
const PRINTED = 64;

function textOf(bits: Float64Array): string {
  const shown = bits.subarray(0, PRINTED).join(bits.every((value) => value === 0 || value === 1) ? '' : ' ');
  return bits.length > PRINTED ? `${shown}… (${bits.length})` : shown;
}

export interface Evaluations {
  readonly loss: BlackBox;
  /** draws·rows × units, draw after draw. */
  readonly h: Float64Array;
  readonly rows: number;
  readonly units: number;
  readonly step: number;
  /** Evaluations that are under way at once. */
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  readonly turns: Turns;
}

/**
 * The loss of every row of h, in their order whatever ends first. After a failure no other evaluation starts.
 * @throws BlackBoxError, or the signal's reason
 */
export async function evaluateAll({
  loss,
  h,
  rows,
  units,
  step,
  concurrency,
  signal,
  turns,
}: Evaluations): Promise<Float64Array> {
  const losses = new Float64Array(h.length / units);
  const bitsOf = (index: number): Float64Array => h.slice(index * units, (index + 1) * units);
  const fail = (index: number, problem: string, options?: ErrorOptions): BlackBoxError => {
    const [row, draw] = [index % rows, Math.floor(index / rows)];
    const place = { step, evaluation: index + 1, evaluations: losses.length, row, draw, bits: bitsOf(index) };
    return new BlackBoxError(place, `${problem}. Expected a finite number.`, options);
  };
  const thrown = (index: number, cause: unknown): unknown =>
    signal?.aborted ? signal.reason : fail(index, `the loss threw ${describe(cause)}`, { cause });
  const call = (index: number): number | PromiseLike<number> => {
    try {
      return loss(bitsOf(index), { row: index % rows, draw: Math.floor(index / rows), signal });
    } catch (cause) {
      throw thrown(index, cause);
    }
  };
  const awaited = (index: number, promise: unknown): Promise<unknown> =>
    untilAborted(promise, signal).catch((cause: unknown) => {
      throw thrown(index, cause);
    });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < losses.length) {
      signal?.throwIfAborted();
      const index = next++;
      const given: unknown = call(index);
      // Synchronous losses may be asked for millions of times: no promise for each.
      const value = typeof given === 'number' ? given : await awaited(index, given);
      if (typeof value !== 'number' || !Number.isFinite(value)) throw fail(index, `the loss gave ${describe(value)}`);
      losses[index] = value;
      if (turns.due) await turns.take();
    }
  };
  const workers = Array.from({ length: Math.min(concurrency, losses.length) }, () =>
    worker().catch((error: unknown) => {
      next = losses.length;
      throw error;
    }),
  );
  await Promise.all(workers);
  signal?.throwIfAborted();
  return losses;
}

/** What a value is, for a sentence. */
function describe(value: unknown): string {
  if (value instanceof Error) return `${value.name} ("${value.message}")`;
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, PRINTED))}`;
  if (typeof value === 'object' && value !== null) return `an object (${value.constructor?.name ?? 'no class'})`;
  return typeof value === 'function' ? 'a function' : String(value);
}

/** The promise, or the signal's reason where that comes first. */
function untilAborted(promise: unknown, signal: AbortSignal | undefined): Promise<unknown> {
  if (!signal) return Promise.resolve(promise);
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    const end = (): void => signal.removeEventListener('abort', stop);
    Promise.resolve(promise).then(resolve, reject).finally(end);
  });
}
