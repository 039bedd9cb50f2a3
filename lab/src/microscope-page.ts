import type { Preset } from './race-presets.ts';
import { choice, numberIn, readAddress, type Settings, wholeNumber, words, writeAddress } from './url-state.ts';

export const MICROSCOPE_LOSSES = [
  ['square', 'L = (h − t)²'],
  ['linear', 'L = t·h'],
  ['saturating', 'L = tanh(2h − t)'],
] as const;

export const MICROSCOPE_PAGE = {
  neurons: words('stochastic-binary:baseline=none,stochastic-binary,straight-through-derivative'),
  logit: numberIn(0.5, -5, 5),
  loss: choice(
    'square',
    MICROSCOPE_LOSSES.map(([name]) => name),
  ),
  t: numberIn(0.45, -2, 2),
  units: wholeNumber(8, 1, 32),
  seed: wholeNumber(1, 0, 1_000_000_000),
};

/** Comparisons that teach; the first is what the page begins with. */
export const MICROSCOPE_PRESETS: readonly Preset[] = [
  {
    name: 'baseline',
    title: 'Why a baseline',
    meaning: 'REINFORCE without one and with the best one, among eight units',
    query: '',
  },
  {
    name: 'answers',
    title: 'Four answers',
    meaning: 'of 2013, one unit by itself',
    query: 'neurons=straight-through,stochastic-binary,stochastic-times-smooth,noisy-rectifier&units=1',
  },
  {
    name: 'straight',
    title: 'Straight through',
    meaning: 'and what mends its lean',
    query: 'neurons=straight-through,straight-through-derivative,reinmax,straight-through-gumbel&units=1&logit=-1.5',
  },
  {
    name: 'draws',
    title: 'More draws',
    meaning: 'two, four and eight evaluations for one gradient',
    query: 'neurons=rloo:K=2,rloo:K=4,rloo:K=8,disarm&units=4',
  },
  {
    name: 'credit',
    title: 'Whose luck was it?',
    meaning: 'neurons that tell their own part of the loss from that of others',
    query: 'neurons=stochastic-binary,local-expectation,double-cv,straight-through-derivative&units=8',
  },
];

export const microscopePreset = ({ query }: Preset): Settings<typeof MICROSCOPE_PAGE> =>
  readAddress(`#microscope?${query}`, MICROSCOPE_PAGE).settings;
export const microscopeAddress = (preset: Preset): string => writeAddress('microscope', microscopePreset(preset));
