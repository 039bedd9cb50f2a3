import {
  type EstimatorProbeRow,
  layersText,
  type Model,
  type Parts,
  type Reading,
  type RunEvent,
  shapeOf,
  type Task,
  type TaskEvent,
} from '../src/index.ts';
import type { LoadOptions } from '../src/platform/node/index.ts';
import { modelOf } from './named-models.ts';
import { chainText, type Network } from './network.ts';
import { print, printJson } from './output.ts';
import { duration } from './progress.ts';
import type { TrainConfig } from './train-config.ts';
import type { Session } from './train-flags.ts';
import { epochLine, estimatorTable, headline, resultTable, tellResumed } from './train-report.ts';

/** Says what is about to be trained; of a network that was described, how it was understood. */
export function tellNetwork(
  { json, progress }: Session,
  config: TrainConfig,
  { task, model, network, data }: { task: Task; model: Model; network: Network; data: Parts },
): void {
  const { added } = network;
  if (!json) {
    const weights = model.parameters.reduce((sum, { tensor }) => sum + tensor.size, 0);
    progress.print(headline(config, data.train, shapeOf(task, data.train), weights, chainText(network.layers)));
    if (added) progress.print(`Added at the end, for the outputs: ${layersText([added])}.`);
  } else if (!modelOf(config))
    printJson({ event: 'network', layers: model.description.layers, ...(added && { added: layersText([added]) }) });
}

/** How the data of a session are loaded: where they lie, with which seed they are split, and downloads that are drawn as progress. */
export function loadOptions({ flags, progress, signal }: Session, seed: number): LoadOptions {
  return {
    dataDir: flags.dataDir,
    seed,
    signal,
    onProgress({ file, received, total }) {
      const share = total ? received / total : 0;
      progress.draw(`Downloading ${file}`, share, [`${(received / 1e6).toFixed(1)} MB`]);
    },
  };
}

/** Consumes the events of training and tells the user. */
export async function follow(
  events: AsyncIterable<TaskEvent | RunEvent>,
  { json, progress }: Session,
  task: Reading,
): Promise<void> {
  let estimators: readonly EstimatorProbeRow[] = [];
  for await (const event of events) {
    if (event.event === 'epoch') estimators = event.estimatorProbe ?? [];
    if (event.event === 'batch') {
      const share = (event.epoch - 1 + event.batch / event.batches) / event.epochs;
      progress.draw(`epoch ${event.epoch}/${event.epochs}`, share, [
        `batch ${event.batch}/${event.batches}`,
        `loss ${event.loss.toFixed(4)}`,
        `${event.examplesPerSecond.toFixed(0)} examples/s`,
        `${duration(event.secondsLeft)} left`,
      ]);
      continue;
    }
    if (event.event === 'measure') {
      progress.draw(`${event.what} data`, event.done / event.count, [`${event.done} of ${event.count} examples`]);
      continue;
    }
    if (event.event === 'saved') continue;
    if (json) printJson(event);
    else if (event.event === 'epoch') progress.print(epochLine(event, task));
    else if (event.event === 'resumed') tellResumed(event, progress);
    else {
      progress.clear();
      print(`${resultTable(event, task)}\n${estimatorTable(estimators)}`);
    }
  }
}
