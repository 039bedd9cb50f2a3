import { kernel } from './kernel.ts';

/** Elements that one work item of an element-wise kernel covers. */
const VECTOR = 4;
/** Vectors that a thread takes at a time: 64 KiB of one operand. */
const GRAIN = 4096;

export const vectors = (n: number): number => Math.ceil(n / VECTOR);
export const vectorGrain = (): number => GRAIN;

/** out = x + y */
export const add = kernel({
  parameters: ['x*', 'y*', 'out*', 'n'],
  items: (_x, _y, _out, n) => vectors(n),
  grain: vectorGrain,
  define(memory, x, y, out, n) {
    for (let i = 0; i < n; i++) memory[out + i] = memory[x + i] + memory[y + i];
  },
});

/** out = x ⊙ y */
export const multiply = kernel({
  parameters: ['x*', 'y*', 'out*', 'n'],
  items: (_x, _y, _out, n) => vectors(n),
  grain: vectorGrain,
  define(memory, x, y, out, n) {
    for (let i = 0; i < n; i++) memory[out + i] = memory[x + i] * memory[y + i];
  },
});

/** out = α·x */
export const scale = kernel({
  parameters: ['x*', 'out*', 'n', 'alpha'],
  items: (_x, _out, n) => vectors(n),
  grain: vectorGrain,
  define(memory, x, out, n, alpha) {
    for (let i = 0; i < n; i++) memory[out + i] = alpha * memory[x + i];
  },
});

/** out = out + α·x */
export const addScaled = kernel({
  parameters: ['x*', 'out*', 'n', 'alpha'],
  items: (_x, _out, n) => vectors(n),
  grain: vectorGrain,
  define(memory, x, out, n, alpha) {
    for (let i = 0; i < n; i++) memory[out + i] += alpha * memory[x + i];
  },
});

/** out = value */
export const fill = kernel({
  parameters: ['out*', 'n', 'value'],
  items: (_out, n) => vectors(n),
  grain: vectorGrain,
  define(memory, out, n, value) {
    memory.fill(value, out, out + n);
  },
});
