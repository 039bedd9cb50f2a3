/**
 * Self-attention of `heads` heads of `size` numbers (Vaswani and others 2017). Rows are points: sequence s has the rows offsets[s] up to, not including,
 * offsets[s + 1]; a row of x is [queries | keys | values], each heads·size wide, head after head.
 *
 *     s_ij = scale·⟨q_i, k_j⟩, j ≤ i where `causal`        p_i = softmax over j        y_i = Σ_j p_ij·v_j
 *
 * logSums[i, head] = log Σ_j e^s_ij: the pullback computes p again from it (Dao and others 2022). A work item is a head of a sequence; scratch
 * memory: see `attentionFits`.
 */
import { kernel, SCRATCH_BYTES } from './kernel.ts';

/** Can a thread hold a head of a sequence of so many points? */
export const attentionFits = (points: number, size: number): boolean =>
  4 * 8 * Math.ceil(points / 8) * (2 * size + 8) <= SCRATCH_BYTES;

export const attention = kernel({
  parameters: ['x*', 'offsets#', 'y*', 'logSums*', 'sequences', 'heads', 'size', 'causal', 'scale'],
  items: (_x, _offsets, _y, _logSums, sequences, heads) => sequences * heads,
  grain: () => 1,
  define(memory, x, offsets, y, logSums, sequences, heads, size, causal, scale) {
    const width = heads * size;
    eachHead(memory, offsets, sequences, heads, (from, to, head) => {
      for (let i = from; i < to; i++) {
        const last = causal ? i + 1 : to;
        const scores = scoresOf(memory, x, { i, from, last, head, heads, size, scale });
        const largest = Math.max(...scores);
        const sum = scores.reduce((total, score) => total + Math.exp(score - largest), 0);
        memory[logSums + i * heads + head] = largest + Math.log(sum);
        for (let c = 0; c < size; c++) {
          let total = 0;
          scores.forEach((score, n) => {
            const value = memory[x + ((from + n) * 3 + 2) * width + head * size + c];
            total += (Math.exp(score - largest) / sum) * value;
          });
          memory[y + i * width + head * size + c] = total;
        }
      }
    });
  },
});

/** dx of the same, from y, logSums and dy. */
export const attentionPullback = kernel({
  parameters: ['x*', 'offsets#', 'y*', 'logSums*', 'dy*', 'dx*', 'sequences', 'heads', 'size', 'causal', 'scale'],
  items: (_x, _offsets, _y, _logSums, _dy, _dx, sequences, heads) => sequences * heads,
  grain: () => 1,
  define(memory, x, offsets, y, logSums, dy, dx, sequences, heads, size, causal, scale) {
    const width = heads * size;
    eachHead(memory, offsets, sequences, heads, (from, to, head) => {
      const at = (row: number, part: number, c: number) => (row * 3 + part) * width + head * size + c;
      for (let row = from; row < to; row++)
        for (let part = 0; part < 3; part++) for (let c = 0; c < size; c++) memory[dx + at(row, part, c)] = 0;
      for (let i = from; i < to; i++) {
        const last = causal ? i + 1 : to;
        const scores = scoresOf(memory, x, { i, from, last, head, heads, size, scale });
        const above = (c: number) => memory[dy + i * width + head * size + c];
        let mean = 0;
        for (let c = 0; c < size; c++) mean += above(c) * memory[y + i * width + head * size + c];
        scores.forEach((score, n) => {
          const j = from + n;
          const p = Math.exp(score - memory[logSums + i * heads + head]);
          let dp = 0;
          for (let c = 0; c < size; c++) dp += above(c) * memory[x + at(j, 2, c)];
          const ds = p * (dp - mean) * scale;
          for (let c = 0; c < size; c++) {
            memory[dx + at(i, 0, c)] += ds * memory[x + at(j, 1, c)];
            memory[dx + at(j, 1, c)] += ds * memory[x + at(i, 0, c)];
            memory[dx + at(j, 2, c)] += p * above(c);
          }
        });
      }
    });
  },
});

function eachHead(
  memory: Float64Array,
  offsets: number,
  sequences: number,
  heads: number,
  visit: (from: number, to: number, head: number) => void,
): void {
  for (let s = 0; s < sequences; s++)
    for (let head = 0; head < heads; head++) visit(memory[offsets + s], memory[offsets + s + 1], head);
}

interface Row {
  readonly i: number;
  readonly from: number;
  readonly last: number;
  readonly head: number;
  readonly heads: number;
  readonly size: number;
  readonly scale: number;
}

function scoresOf(memory: Float64Array, x: number, { i, from, last, head, heads, size, scale }: Row): number[] {
  const width = heads * size;
  return Array.from({ length: last - from }, (_, n) => {
    let dot = 0;
    for (let c = 0; c < size; c++)
      dot += memory[x + 3 * i * width + head * size + c] * memory[x + (3 * (from + n) + 1) * width + head * size + c];
    return scale * dot;
  });
}

/**
 * Rotary positions (Su and others 2021): the first `rotated` of `columns` numbers stand in groups of `size`; pairs (a, b) in a group become
 * (a·cos − b·sin, b·cos + a·sin), the others stay. angles[position] has `size` cosines, one a number, then as many sines; with `backwards` 1 the
 * rotation is the other way round. Items are rows.
 */
export const rotatePairs = kernel({
  parameters: ['x*', 'angles*', 'positionOf#', 'out*', 'rows', 'columns', 'rotated', 'size', 'backwards'],
  items: (_x, _angles, _positionOf, _out, rows) => rows,
  grain: (_x, _angles, _positionOf, _out, _rows, columns) => Math.max(1, Math.ceil(16384 / Math.max(1, columns))),
  define(memory, x, angles, positionOf, out, rows, columns, rotated, size, backwards) {
    for (let r = 0; r < rows; r++) {
      const [from, to] = [x + r * columns, out + r * columns];
      const own = angles + memory[positionOf + r] * 2 * size;
      for (let c = 0; c < columns; c++) {
        if (c >= rotated) {
          memory[to + c] = memory[from + c];
          continue;
        }
        const pair = c % 2 === 0 ? -memory[from + c + 1] : memory[from + c - 1];
        const sine = memory[own + size + (c % size)] * (backwards ? -1 : 1);
        memory[to + c] = memory[from + c] * memory[own + (c % size)] + pair * sine;
      }
    }
  },
});
