/**
 * Every setting of a training that is told by a flag, a sweep or a record, each once: what it may be, what it has when nothing is said, what it
 * means. Flags and help, the sweeps' settings and spaces, `config` of run.json and its defaults follow. A new setting is a row here.
 */

import { STARTS } from '../nn/gate-options.ts';
import { COMPUTES } from '../nn/paths.ts';
import { between, either, flag, type InferOutput, list, number, oneOf, over, text, whole } from '../schema/schema.ts';
import { estimatorProbeSettings, loopSettings } from '../train/settings.ts';
import type { SettingSpec } from './setting-spec.ts';

const widths = list(whole(1), 'whole numbers from 1 up', 100);
const names = list(text, 'names', 1000);
/** What help says of settings that presets of a model have. */
const OF_PRESET = "the preset's";
/** A comma that is none between options of a neuron. */
const BETWEEN_NEURONS = /,(?![^,:]+=)/;

export const trainSettings = {
  task: {
    of: text,
    argument: 'name',
    meaning: 'what is minimised and measured; options as name:option=value; a task of --use, or',
  },
  data: { of: text, argument: 'name', meaning: 'a data set or a path', path: true },
  label: {
    of: text,
    argument: 'column',
    meaning: 'CSV: the column to predict, by name, or by number from 1',
    usualText: 'label, class, target or y',
  },
  target: {
    of: names,
    argument: 'columns',
    meaning: 'CSV: columns of numbers (or of 0 and 1) to predict, separated by commas',
    adds: true,
  },
  missing: {
    of: oneOf(['error', 'mean', 'drop']),
    argument: 'rule',
    meaning:
      'CSV: treatment of cells without a value: refuse the file, fill in the mean of the training rows, or drop the row',
  },
  standardize: { of: flag, meaning: 'CSV: bring columns to mean 0 and deviation 1, measured on the training rows' },
  categorical: {
    of: names,
    argument: 'columns',
    meaning: 'CSV: columns of categories that look like numbers',
    adds: true,
  },
  header: { of: oneOf(['yes', 'no']), argument: 'yes|no', meaning: 'CSV: does the first row name the columns?' },
  context: {
    of: whole(1),
    argument: 'bytes',
    meaning: 'text: bytes in a sequence, or bytes before the one that is predicted',
    usualText: '128, or 32',
    range: true,
  },
  preset: { of: text, argument: 'name', meaning: 'settings of a paper; your own flags override them' },
  model: {
    of: oneOf(['gated', 'dense', 'vae', 'lm']),
    sweep: oneOf(['gated', 'dense', 'lm']),
    argument: 'kind',
    meaning:
      'what --neuron is used for: gates of blocks; hidden units; latents of an autoencoder of binarised pictures; or gates of the experts of a transformer on text',
    usual: 'gated',
  },
  layers: { of: text, argument: 'text', meaning: 'the network as layers, separated by commas' },
  neuron: {
    of: text,
    argument: 'name',
    meaning: 'neuron, with options as name:option=value',
    usual: 'straight-through',
  },
  vae: {
    of: oneOf(['linear', 'nonlinear']),
    sweep: false,
    argument: 'kind',
    meaning: 'encoder and decoder of --model vae',
  },
  samples: {
    of: whole(1),
    sweep: false,
    argument: 'n',
    meaning: 'draws for the test bound of --model vae',
    usualText: '100',
  },
  width: {
    of: whole(2),
    argument: 'n',
    meaning: '--model lm: width of the vector of a byte',
    usualText: OF_PRESET,
    range: true,
  },
  depth: {
    of: whole(1),
    argument: 'n',
    meaning: '--model lm: pairs of an attention and an expert layer',
    usualText: OF_PRESET,
    range: true,
  },
  heads: {
    of: whole(1),
    argument: 'n',
    meaning: '--model lm: heads of an attention layer',
    usualText: OF_PRESET,
    range: true,
  },
  experts: {
    of: whole(1),
    argument: 'n',
    meaning: '--model lm: experts of a layer, each with a gate',
    usualText: OF_PRESET,
    range: true,
  },
  units: {
    of: whole(1),
    argument: 'n',
    meaning: 'hidden or expert units (of --model lm: of each expert), or latents',
    usual: 512,
    usualText: '512, of latents 200, of --model lm the preset’s',
    range: true,
  },
  blocks: {
    of: whole(1),
    argument: 'n',
    meaning: 'blocks that the expert units are divided into, each with a gate',
    usual: 32,
    range: true,
  },
  gater: { of: widths, argument: 'widths', meaning: "widths of the gater's hidden layers, or none", usual: [64] },
  activation: { of: text, argument: 'name', meaning: 'neuron of the expert units', usual: 'rectifier' },
  rate: {
    of: either([between(0, 1), oneOf(['none'])], 'a number between 0 and 1, or "none"'),
    argument: 's',
    meaning: 'target share of open gates, or none',
    usual: 0.125,
    range: true,
  },
  sparsity: {
    of: text,
    argument: 'name',
    meaning: 'penalties of the gates, or none; NAME=λ; joined by +',
    usualText: 'fits the neuron',
  },
  start: {
    of: oneOf(STARTS),
    argument: 'rate',
    meaning: 'start the biases of gates so that they open at the target rate, or at zero',
    usual: 'rate',
  },
  nudge: { of: flag, meaning: 'raise the biases of dead gates', usual: false },
  balance: {
    of: flag,
    meaning: 'balance gates by selection biases, not by a penalty (for neurons that select: top-k, threshold, …)',
    usual: false,
  },
  steer: {
    of: flag,
    meaning: 'do not hold the rate of open gates at --rate; only the penalties act on it',
    usual: true,
  },
  compute: {
    of: oneOf(COMPUTES),
    argument: 'path',
    meaning: 'compute all blocks, or open blocks alone',
    usualText: 'what is faster',
  },
  probe: {
    of: over(0),
    argument: 'p',
    meaning: 'straight-through: probability of computing a closed block while training',
    range: true,
  },
  epochs: {
    of: loopSettings.epochs,
    argument: 'n',
    meaning: 'passes over the training data',
    usual: 20,
    trains: 'epochs',
    range: true,
  },
  batch: {
    of: loopSettings.batch,
    argument: 'n',
    meaning: 'examples in a minibatch',
    usual: 100,
    usualText: "the task's own, of most 100",
    trains: 'batch',
    range: true,
  },
  optimizer: { of: text, argument: 'name', meaning: 'sgd or adam', usual: 'adam' },
  lr: { of: over(0), argument: 'rate', meaning: 'learning rate', usualText: 'adam 0.001, sgd 0.1', range: true },
  gaterLr: {
    of: loopSettings.gaterLearningRate,
    argument: 'rate',
    meaning: "the gater's learning rate",
    usualText: "--lr times the neuron's own scale",
    trains: 'gaterLearningRate',
    range: true,
  },
  momentum: { of: number, argument: 'm', meaning: 'of sgd', usual: 0, range: true },
  maxNorm: {
    of: loopSettings.maxNorm,
    argument: 'r',
    meaning: "largest norm of a unit's incoming weights",
    usualText: 'none',
    trains: 'maxNorm',
    range: true,
  },
  outputMaxNorm: {
    of: either([over(0), oneOf(['none'])], 'a number over 0, or "none"'),
    argument: 'r',
    meaning: 'the same for the output layer, or none',
    usualText: '--max-norm',
    range: true,
  },
  decay: {
    of: loopSettings.decay,
    argument: 'f',
    meaning: 'factor on the learning rates after every epoch',
    usual: 1,
    trains: 'decay',
    range: true,
  },
  patience: {
    of: loopSettings.patience,
    argument: 'n',
    meaning: 'stop after this many epochs without a better validation metric',
    trains: 'patience',
    range: true,
  },
  probeEstimators: {
    formerly: 'basket',
    of: estimatorProbeSettings.neurons,
    sweep: false,
    argument: 'names',
    meaning: 'also measure the gradients of these neurons during the training; the weights stay the same',
    separator: BETWEEN_NEURONS,
    adds: true,
  },
  probeEstimatorsEvery: {
    formerly: 'basketEvery',
    of: whole(1),
    sweep: false,
    argument: 'n',
    meaning: 'steps between two such measurements',
    usualText: '50',
  },
} as const satisfies Readonly<Record<string, SettingSpec>>;

type All = typeof trainSettings;
export type SettingName = keyof All;
type ValueOf<N extends SettingName> = InferOutput<All[N]['of']>;
type Usual = { [N in SettingName]: All[N] extends { readonly usual: unknown } ? N : never }[SettingName];
type Swept = { [N in SettingName]: All[N] extends { readonly sweep: false } ? never : N }[SettingName];

/** All settings: those that have a value when nothing is said, and others. */
export type AllSettings = { [N in Usual]: ValueOf<N> } & { [N in Exclude<SettingName, Usual>]?: ValueOf<N> };
/** Those that a sweep may set or search, each of which may be left out. */
export type SweptSettings = { readonly [N in Swept]?: ValueOf<N> };

export const settingNames = Object.keys(trainSettings) as SettingName[];
const specs: Readonly<Record<string, SettingSpec>> = trainSettings;
export const settingSpec = (name: string): SettingSpec | undefined =>
  Object.hasOwn(specs, name) ? specs[name] : undefined;

/** What each has where nothing is said. */
export const usualSettings = Object.fromEntries(
  settingNames.flatMap((name) => (specs[name].usual === undefined ? [] : [[name, specs[name].usual]])),
) as { [N in Usual]: ValueOf<N> };

/** Options of `train` among some settings, by their names there. */
export const trainedSettings = (config: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    settingNames.flatMap((name) => {
      const { trains } = specs[name];
      return trains === undefined || config[name] === undefined ? [] : [[trains, config[name]]];
    }),
  );
