import { defineOp } from '../define-op.ts';

/** The columns of a, then those of b: shapes [m] and [n] → [m + n]. @throws RangeError when they have other numbers of rows */
export const joinColumns = defineOp({
  name: 'joinColumns',
  showsThrough: true,
  forward(engine, [a, b]) {
    if (a.rows !== b.rows) throw new RangeError(`joinColumns: ${a.rows} and ${b.rows} rows do not fit.`);
    const width = a.columns + b.columns;
    const output = engine.allocate([a.rows, width], 'joined columns');
    engine.backend.run('copyColumns', a.pointer, output.pointer, a.rows, a.columns, a.columns, 0, width, 0);
    engine.backend.run('copyColumns', b.pointer, output.pointer, b.rows, b.columns, b.columns, 0, width, a.columns);
    return { output };
  },
  pullback(engine, { inputs: [a, b] }, dy) {
    return [a, b].map(({ shape, rows, columns }, i) => {
      const part = engine.allocate(shape, 'the gradient of joined columns');
      const first = i === 0 ? 0 : a.columns;
      engine.backend.run('copyColumns', dy.pointer, part.pointer, rows, columns, dy.columns, first, columns, 0);
      return part;
    });
  },
});
