import {
  classification,
  createModel,
  type Engine,
  type Model,
  type Parts,
  type Split,
  type Task,
  type trainOptions,
} from '../src/index.ts';
import { commandLine, pathWord } from './command-line.ts';
import { type CompareProgress, comparedLayers, compareNets, type RivalEvent } from './compare.ts';
import { comparisonSentence, comparisonTable, rivalLine } from './compare-report.ts';
import { Interruption, UsageError } from './exit.ts';
import { print, printJson } from './output.ts';
import { ownWords } from './own-code.ts';
import { isClassification } from './run-folder.ts';
import { type EngineFlags, withEngine } from './train-engine.ts';
import type { Session } from './train-flags.ts';

/** A network that was trained, to be made again on another engine. */
export interface Trained {
  readonly training: ReturnType<typeof trainOptions>;
  /** Its folder, where it has one. */
  readonly folder?: string;
  load(engine: Engine): Promise<Model>;
}

/** What a model holds now, as a network that other engines can load. @param training the options that it was trained by */
export function copyOf(model: Model, training: Trained['training']): Trained {
  const snapshot = model.snapshot();
  return {
    training,
    async load(engine) {
      const copy = createModel(engine, model.spec);
      copy.restore(snapshot);
      return copy;
    },
  };
}

/** @throws UsageError for a task that is no classification, or a network that is no gated layer */
export function checkComparable(task: Task, model: Parameters<typeof comparedLayers>[0]): void {
  if (!isClassification(task))
    throw new UsageError(
      `--compare measures errors of classes, and the task is ${task.name}. Expected --task ${classification.name}.`,
    );
  comparedLayers(model);
}

/** Trains the rivals of a network, and tells how all of them do. */
export async function compare(
  { json, progress, signal, flags }: Session,
  { training, load, folder }: Trained,
  data: Parts,
  engineFlags: EngineFlags,
): Promise<void> {
  const options = {
    data: data as unknown as Split,
    ...{ training, load, signal },
    withEngine: <T>(threads: 'one' | 'all', use: (engine: Engine) => Promise<T>) =>
      withEngine({ ...engineFlags, ...(threads === 'one' && { threads: 1 }) }, use),
    onEvent(event: RivalEvent | CompareProgress) {
      if (event.event === 'training') progress.draw(`rival ${event.layers}`, event.share, []);
      else if (json) printJson(event);
      else progress.print(rivalLine(event));
    },
  };
  try {
    const comparison = await compareNets(options);
    progress.clear();
    if (!json) return print(`\n${comparisonTable(comparison)}\n\n${comparisonSentence(comparison)}\n`);
    const { rows, ...rest } = comparison;
    for (const row of rows) printJson({ event: 'compared', ...row });
    printJson({ ...rest, sentence: comparisonSentence(comparison) });
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    const again = folder && commandLine('train', '--resume', pathWord(folder), '--compare', ...ownWords(flags));
    throw new Interruption(
      `Interrupted while the rivals were trained.${again ? ` The network is saved; to compare it: ${again}` : ''}`,
    );
  }
}
