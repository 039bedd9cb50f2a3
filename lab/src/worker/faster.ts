import {
  type CrossoverCurve,
  DENSITIES,
  type GatedShape,
  measureCrossover,
  measureWaterfall,
  type Waterfall,
} from '../../../src/index.ts';
import { mapSizes } from '../map-sizes.ts';
import { makeEngine } from './make-engine.ts';
import type { AnswerOptions } from './serve.ts';

/** What is measured: as `flipgrad bench` has it, with its 784 inputs and a gater of 64 units. */
export interface FasterSettings {
  readonly units: number;
  /** Units of a block. */
  readonly size: number;
  /** Share of open blocks. */
  readonly density: number;
  /** Examples in a minibatch. */
  readonly rows: number;
}

/** Measured on this machine, by an engine of this kind. */
export interface Measured {
  readonly fall: Waterfall;
  readonly engine: string;
  readonly threads: number;
}

const INPUTS = 784;
const GATER = 64;
/** For every kind of work, in milliseconds. */
const TIME = { map: 30, fall: 100 };
const MOST = { units: 8192, rows: 1000 };

/** Answers of the page "Why is it (not) faster". */
export const fasterAnswers = {
  /** Where the time of one gated layer goes. */
  waterfall: async (settings: FasterSettings): Promise<Measured> => {
    const { density } = settings;
    const shape = shapeOf(settings);
    const engine = await makeEngine();
    try {
      const fall = measureWaterfall(engine, shape, density, GATER, TIME.fall);
      return { fall, engine: engine.name, threads: engine.threads };
    } finally {
      engine.close();
    }
  },

  /** Time against density for every block size, one curve an event. */
  crossovers: async function* (
    settings: Pick<FasterSettings, 'units' | 'rows'>,
    { signal }: AnswerOptions,
  ): AsyncGenerator<CrossoverCurve, void> {
    for (const size of mapSizes(settings.units)) {
      signal.throwIfAborted();
      const shape = shapeOf({ ...settings, size, density: 0.5 });
      const engine = await makeEngine();
      try {
        yield measureCrossover(engine, shape, { densities: DENSITIES, milliseconds: TIME.map });
      } finally {
        engine.close();
      }
    }
  },
};

/** @throws RangeError for a shape that does not fit, or would take too long */
function shapeOf({ units, size, density, rows }: FasterSettings): GatedShape {
  const whole = (name: string, value: number, most: number): void => {
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw new RangeError(`${name} is ${value}. Expected a whole number from 1 to ${most}.`);
  };
  whole('The width', units, MOST.units);
  whole('The batch', rows, MOST.rows);
  whole('The block size', size, units);
  if (units % size !== 0)
    throw new RangeError(`Blocks of ${size} do not divide ${units} units. Expected a power of two up to the width.`);
  if (!(density > 0 && density <= 1)) throw new RangeError(`The rate is ${density}. Expected a number in (0, 1].`);
  return { rows, inputs: INPUTS, units, size };
}
