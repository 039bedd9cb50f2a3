import { sha256 } from '../math/sha256.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { DataError } from './dataset.ts';

/** Where the targets of a network's training part lie, and how far they spread: one number a target. */
export interface TargetUnits {
  readonly center: readonly number[];
  /** Over 0. */
  readonly spread: readonly number[];
}

/** Examples in memory whose targets are numbers: for regression, and bits for several labels. */
export interface TargetDataset {
  readonly name: string;
  /** count × width, row-major. */
  readonly features: Uint8Array | Float32Array;
  /** Multiply a stored feature by this to get the network's input. */
  readonly scale: number;
  /** count × outputs, row-major. */
  readonly targets: Float32Array;
  /** Targets of one example. */
  readonly outputs: number;
  /** A network for these data gives (target − center)/spread, target by target; absent: the targets as they are. */
  readonly units?: TargetUnits | undefined;
  readonly count: number;
  readonly width: number;
  /** Hexadecimal SHA-256 over the bytes of the features, then of the targets. */
  readonly checksum: string;
}

const NAMES: NamesOf<TargetDataset> = {
  name: true,
  features: true,
  scale: true,
  targets: true,
  outputs: true,
  units: true,
  count: true,
  width: true,
  checksum: true,
};

const fits = (numbers: readonly number[], outputs: number): boolean =>
  numbers.length === outputs && numbers.every(Number.isFinite);

/**
 * A data set with numbers as targets; the arrays are kept, not copied.
 * @throws DataError when there is no example, sizes disagree, or a number is not finite
 */
export function makeTargets(
  facts: Omit<TargetDataset, 'count' | 'checksum' | 'scale'> & { readonly scale?: number },
): TargetDataset {
  checkNames('makeTargets', facts, NAMES);
  const { name, features, targets, width, outputs, scale = 1, units } = facts;
  for (const [what, extent] of Object.entries({ width, outputs }))
    if (!Number.isInteger(extent) || extent < 1)
      throw new DataError(`${name} has the \`${what}\` ${extent}. Expected a whole number from 1 up.`);
  const count = targets.length / outputs;
  if (count === 0) throw new DataError(`${name} holds no examples. Expected one or more.`);
  if (!Number.isInteger(count) || features.length !== count * width)
    throw new DataError(
      `${name} holds ${features.length} features and ${targets.length} targets. Expected ${width} features and ${outputs} targets an example.`,
    );
  for (const [what, values, columns] of [
    ['feature', features, width],
    ['target', targets, outputs],
  ] as const) {
    const wrong = values.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0)
      throw new DataError(
        `The ${what} ${wrong % columns} of example ${Math.floor(wrong / columns)} of ${name} is ${values[wrong]}. Expected a finite number.`,
      );
  }
  const bytes = [features, targets].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  if (units && !(fits(units.center, outputs) && fits(units.spread, outputs) && units.spread.every((x) => x > 0)))
    throw new DataError(
      `The \`units\` of ${name} have ${units.center.length} centers and ${units.spread.length} spreads. Expected ${outputs} finite numbers each, the spreads over 0.`,
    );
  return { name, features, scale, targets, outputs, width, count, checksum: sha256(...bytes), ...(units && { units }) };
}
