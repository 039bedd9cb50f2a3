import type { RaceEvent } from '../../src/index.ts';
import { NOISE_PAGE, noiseOf, RACE_PAGE, type RaceState, raceOf } from './race-state.ts';
import { readAddress, type Settings, writeAddress } from './url-state.ts';

/** A race that is shipped with its results. */
export interface Preset {
  /** Of its file. */
  readonly name: string;
  readonly title: string;
  readonly meaning: string;
  /** What differs from the page's usual settings, as an address has it. */
  readonly query: string;
}

/** The file of a race that was run beforehand. */
export interface RecordedRace {
  readonly race: RaceState;
  readonly engine: { readonly name: string; readonly threads: number };
  readonly events: readonly RaceEvent[];
}

const LONG = 'arms=straight-through,disarm,stochastic-binary';

/** Of the page "Race"; the first is what it begins with. */
export const RACE_PRESETS: readonly Preset[] = [
  { name: 'answers', title: 'Four answers', meaning: 'to a coin that has no slope, at equal work', query: '' },
  { name: 'sprint', title: 'Sprint', meaning: 'a hundred evaluations of the loss', query: `${LONG}&budget=100` },
  { name: 'marathon', title: 'Marathon', meaning: 'the same, five thousand', query: `${LONG}&budget=5000&points=40` },
  {
    name: 'baseline',
    title: 'Why a baseline',
    meaning: 'REINFORCE without one, with a moving average, with the best one',
    query:
      'arms=stochastic-binary:baseline=none,stochastic-binary:baseline=moving-average,stochastic-binary&by=steps&budget=400',
  },
  {
    name: 'draws',
    title: 'More draws',
    meaning: 'fewer steps with more draws each, at equal work',
    query: 'arms=rloo:K=2,rloo:K=4,rloo:K=8,disarm',
  },
];

/** Of the page "Noise". */
export const NOISE_PRESETS: readonly Preset[] = [
  { name: 'suspects', title: 'All suspects', meaning: 'why coins train slowly', query: '' },
  { name: 'passes', title: 'Many passes', meaning: '32 passes averaged, 32 bits a unit', query: 'K=32&m=32' },
];

export const racePreset = ({ query }: Preset): Settings<typeof RACE_PAGE> =>
  readAddress(`#race?${query}`, RACE_PAGE).settings;
export const noisePreset = ({ query }: Preset): Settings<typeof NOISE_PAGE> =>
  readAddress(`#noise?${query}`, NOISE_PAGE).settings;

export const PRESET_RACES: ReadonlyMap<string, RaceState> = new Map([
  ...RACE_PRESETS.map((preset) => [preset.name, raceOf(racePreset(preset))] as const),
  ...NOISE_PRESETS.map((preset) => [preset.name, noiseOf(noisePreset(preset))] as const),
]);

/** The preset that a race is, by its name. */
export function presetOf(race: RaceState): string | undefined {
  const key = JSON.stringify(race);
  return [...PRESET_RACES].find(([, other]) => JSON.stringify(other) === key)?.[0];
}

/** Where a build has the recorded race of a preset. */
export const recordedFile = (name: string): string => `races/${name}.json.gz`;

export const addressOf = {
  race: (preset: Preset): string => writeAddress('race', racePreset(preset)),
  noise: (preset: Preset): string => writeAddress('noise', noisePreset(preset)),
};
