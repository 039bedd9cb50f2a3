import { type NeuronDefinition, resolveNeuron } from '../src/index.ts';
import { type AllSettings, usualSettings } from '../src/runs/train-settings.ts';
import { UsageError } from './exit.ts';

/** What `train` can be told about the network, the data and the training. */
export type TrainConfig = Omit<AllSettings, 'model'> & {
  model: 'gated' | 'dense' | 'vae' | 'lm' | 'layers' | 'net' | 'task';
  /** Of the model `net`: the file, with the export after #. */
  net?: string;
};

/** A gated network on the embedded digits. */
export const DEFAULTS: TrainConfig = usualSettings;

/** Settings of the optimizer from the flags. @throws UsageError for momentum with an optimizer that has none */
export function optimizerSettings(config: TrainConfig): Record<string, number> {
  if (config.optimizer !== 'sgd' && config.momentum !== 0)
    throw new UsageError(`--momentum ${config.momentum} goes with --optimizer sgd; "${config.optimizer}" has none.`);
  return {
    ...(config.lr !== undefined && { learningRate: config.lr }),
    ...(config.momentum !== 0 && { momentum: config.momentum }),
  };
}

/** The estimators that the flags ask to probe. @throws RangeError for an unknown neuron */
export function estimatorProbeOf(
  { probeEstimators, probeEstimatorsEvery }: TrainConfig,
  own: readonly NeuronDefinition[] = [],
): { neurons: string[]; every?: number } | undefined {
  for (const text of probeEstimators ?? []) resolveNeuron(text, undefined, own);
  return (
    probeEstimators && {
      neurons: probeEstimators,
      ...(probeEstimatorsEvery !== undefined && { every: probeEstimatorsEvery }),
    }
  );
}
