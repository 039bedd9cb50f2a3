/** Functions of single elements. The assembly knows them by their places in MAPS. */
import { sigmoid, sigmoidSlope, softplus } from '../math/special.ts';
import { vectorGrain, vectors } from './elementwise.ts';
import { kernel } from './kernel.ts';

type Function = (x: number, p: number, q: number) => number;
interface ElementMap {
  readonly name: string;
  readonly of: Function;
  readonly slope: Function;
}

/** The order is that of assembly/maps.ts. p and q are bounds of `clip`; the others have no parameter. */
export const MAPS = [
  { name: 'exp', of: Math.exp, slope: Math.exp },
  { name: 'log', of: Math.log, slope: (x) => 1 / x },
  { name: 'sqrt', of: Math.sqrt, slope: (x) => 0.5 / Math.sqrt(x) },
  { name: 'abs', of: Math.abs, slope: Math.sign },
  { name: 'square', of: (x) => x * x, slope: (x) => 2 * x },
  {
    name: 'clip',
    of: (x, p, q) => Math.min(Math.max(x, p), q),
    slope: (x, p, q) => (x >= p && x <= q ? 1 : 0),
  },
  { name: 'sigmoid', of: sigmoid, slope: sigmoidSlope },
  { name: 'tanh', of: Math.tanh, slope: (x) => 4 * sigmoidSlope(2 * x) },
  { name: 'softplus', of: softplus, slope: sigmoid },
] as const satisfies readonly ElementMap[];
export type MapName = (typeof MAPS)[number]['name'];

const maps: readonly ElementMap[] = MAPS;

/** out = f(x) */
export const mapElements = kernel({
  parameters: ['x*', 'out*', 'n', 'operation', 'p', 'q'],
  items: (_x, _out, n) => vectors(n),
  grain: vectorGrain,
  define(memory, x, out, n, operation, p, q) {
    const { of } = maps[operation];
    for (let i = 0; i < n; i++) memory[out + i] = of(memory[x + i], p, q);
  },
});

/** out = dy·f′(x) */
export const mapSlopes = kernel({
  parameters: ['x*', 'dy*', 'out*', 'n', 'operation', 'p', 'q'],
  items: (_x, _dy, _out, n) => vectors(n),
  grain: vectorGrain,
  define(memory, x, dy, out, n, operation, p, q) {
    const { slope } = maps[operation];
    for (let i = 0; i < n; i++) memory[out + i] = memory[dy + i] * slope(memory[x + i], p, q);
  },
});
