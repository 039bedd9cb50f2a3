import { commandLine, pathWord } from '../../cli/command-line.ts';
import { MOST_POINTS } from './drawing.ts';
import { choice, numberIn, type Settings, wholeNumber, words } from './url-state.ts';

/** What is offered for the gates of a network that is trained in the tab. */
export const GATE_NEURONS = [
  'straight-through',
  'stochastic-binary',
  'stochastic-times-smooth',
  'noisy-rectifier',
  'hard-concrete',
  'top-k',
];
export const GATE_WIDTHS = [64, 128, 256, 512, 1024];
export const GATE_BLOCKS = [4, 8, 16, 32, 64];
const TEST_DIGITS = 2000;

export const GATES_PAGE = {
  neuron: words('straight-through'),
  units: wholeNumber(256, 1, 1024),
  blocks: wholeNumber(16, 1, 64),
  rate: numberIn(0.25, 0.001, 0.999),
  epochs: wholeNumber(3, 1, 50),
  seed: wholeNumber(1, 0, 1_000_000_000),
  source: choice('', ['', 'trained', 'served', 'picked']),
  test: wholeNumber(0, 0, TEST_DIGITS - 1),
  draw: words('', 3 * MOST_POINTS),
  hold: words(''),
  gate: words(''),
};
export type GatesPage = Settings<typeof GATES_PAGE>;

/**
 * The command line that trains the same network and asks it about the digit, or asks a run.
 * @param opened name of the run that is open; '' where none is @param hold as `encodeHolds` writes it
 */
export function gatesCommand(settings: GatesPage, opened: string, hold: string): string {
  const { neuron, units, blocks, rate, epochs, seed, source } = settings;
  const trained = source !== 'served' && source !== 'picked';
  const run = trained ? 'gates-run' : pathWord(opened || 'RUN_DIR');
  const training = commandLine(
    ...['train', '--neuron', neuron, '--units', `${units}`, '--blocks', `${blocks}`, '--rate', `${rate}`],
    ...['--epochs', `${epochs}`, '--seed', `${seed}`, '--simd', 'simd', '--blas', 'off', '--run', run],
  );
  const prediction = commandLine(
    ...['predict', run, 'digit.csv', '--mode', 'ensemble', '--samples', '50', '--blas', 'off'],
    ...(hold === '' ? [] : ['--hold', hold]),
  );
  return trained ? `${training}\n${prediction}` : prediction;
}
