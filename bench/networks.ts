/** Larger layers and whole networks as work for a benchmark. */
import type { Engine } from '../src/backend/engine.ts';
import {
  adam,
  attention,
  convolution,
  createModel,
  dense,
  embedding,
  experts,
  type LayerSpec,
  makeTokens,
  nextToken,
  norm,
  residual,
  sequential,
  sgd,
  Tape,
} from '../src/index.ts';
import { reshape } from '../src/nn/reshape.ts';
import { randomStream } from '../src/random/stream.ts';
import type { Task, TaskBatch } from '../src/tasks/task.ts';
import { multiply } from '../src/tensor/ops/arithmetic.ts';
import { mean } from '../src/tensor/ops/reductions.ts';
import { Stepper } from '../src/train/step.ts';

/** What one go at the work took, and its multiply-adds forward where they are of interest. */
export interface Go {
  readonly milliseconds: number;
  readonly multiplyAdds?: number;
}

/** Does the work once. */
type Work = () => Go;

/** Is a part behind gates replaced by the dense layers of the same units? */
type Make = (engine: Engine, dense: boolean) => Work;

const numbers = (length: number): Float32Array => {
  const random = randomStream(1, 97);
  return Float32Array.from({ length }, () => 2 * random.uniform() - 1);
};

/** Forward, and the gradients of the input and of all parameters, on `rows` examples, or on `rows` sequences of `points` points. */
function gradients(
  engine: Engine,
  { inputs, rows, points }: { readonly inputs: number; readonly rows: number; readonly points?: number },
  layers: readonly LayerSpec[],
): Work {
  const model = createModel(engine, { inputs, layers });
  const offsets = points && Int32Array.from({ length: rows + 1 }, (_, i) => i * points);
  const all = rows * (points ?? 1);
  const values = numbers(all * inputs);
  return () => {
    engine.beginStep();
    const x = engine.tensor(values, [all, inputs]);
    const start = performance.now();
    const tape = new Tape(engine);
    tape.watch(model.parameters.map(({ tensor }) => tensor));
    const plate = offsets ? tape.plates.points(offsets) : tape.plates.examples(rows);
    const source = { key: [1, 2], step: 0, draw: 0 } as const;
    const y = model.apply({ tape, mode: 'train', source, penalties: [] }, tape.input(x, plate, true));
    tape.backward([{ tensor: y, cotangent: 1e-3 }]);
    return { milliseconds: performance.now() - start };
  };
}

const WIDTH = 256;
const EXPERTS = 64;
const HIDDEN = 64;

/** The feed-forward part of a transformer, 256 → 64 experts of 64 → 256, two open: a step of gradient descent, the input's gradient too. */
const feedForward: Make = (engine, asDense) => {
  const ROWS = 1024;
  const layers = asDense
    ? [dense(EXPERTS * HIDDEN, 'rectifier'), dense(WIDTH)]
    : [experts(WIDTH, { experts: EXPERTS, hidden: HIDDEN, open: 2 })];
  const model = createModel(engine, { inputs: WIDTH, layers });
  const optimizer = sgd({ learningRate: 1e-4 });
  const squares: Pick<Task, 'run'> = {
    run(own, pass, batch) {
      const { x } = batch as TaskBatch & { x: ReturnType<Engine['tensor']> };
      const output = own.apply(pass, pass.tape.input(x, pass.tape.plates.examples(ROWS), true));
      return { output, losses: mean(multiply(output, output)) };
    },
  };
  const stepper = new Stepper(model, optimizer, squares);
  const values = numbers(ROWS * WIDTH);
  return () => {
    engine.beginStep();
    const batch = { x: engine.tensor(values, [ROWS, WIDTH]), rows: ROWS };
    const start = performance.now();
    const { multiplyAdds } = stepper.run(batch, { optimizer, learningRate: 1e-4 });
    return { milliseconds: performance.now() - start, multiplyAdds };
  };
};

/** A training step of a causal transformer of two blocks on 4 × 128 bytes, Adam; 16 experts in each feed-forward part, two open. */
const languageModel: Make = (engine, asDense) => {
  const [width, context, sequences, count, bytes] = [128, 128, 4, 16, 256];
  const part = asDense
    ? sequential(dense(count * 4 * width, 'rectifier'), dense(width))
    : experts(width, { experts: count, open: 2 });
  const block = [residual(sequential(norm(), attention(4))), residual(sequential(norm(), part))];
  const model = createModel(engine, {
    inputs: 1,
    layers: [embedding(bytes, width), ...block, ...block, norm(), dense(bytes)],
  });
  const random = randomStream(1, 96);
  const lines = Array.from({ length: 64 }, () =>
    Int32Array.from({ length: context + 1 }, () => Math.floor(random.uniform() * bytes)),
  );
  const data = makeTokens('random bytes', bytes, lines);
  const optimizer = adam({ learningRate: 1e-3 });
  const stepper = new Stepper(model, optimizer, nextToken as unknown as Pick<Task, 'run'>);
  let first = 0;
  return () => {
    const indices = Int32Array.from({ length: sequences }, (_, i) => (first + i) % lines.length);
    first += sequences;
    const start = performance.now();
    engine.beginStep();
    const { multiplyAdds } = stepper.run(nextToken.gather(engine, data, indices), { optimizer, learningRate: 1e-3 });
    return { milliseconds: performance.now() - start, multiplyAdds };
  };
};

export const networks: Readonly<Record<string, Make>> = {
  /** 8 sequences of 128 points of 256 numbers, 4 heads, with the products before and after. */
  attention: (engine) =>
    gradients(engine, { inputs: 256, rows: 8, points: 128 }, [attention(4, { positions: 'none' })]),
  /** 3×3, 32 → 32 channels, 32 pictures of 28×28. */
  convolution: (engine) =>
    gradients(engine, { inputs: 28 * 28 * 32, rows: 32 }, [reshape([28, 28, 32]), convolution(32, 3)]),
  'feed-forward': feedForward,
  'language-model': languageModel,
};
