import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { Neuron } from '../neurons/contract.ts';
import type { Model } from '../nn/model.ts';
import type { Pass } from '../nn/pass.ts';
import { noiseKey } from '../random/stream.ts';
import type { Task, TaskData } from '../tasks/task.ts';
import { allocateState } from '../tensor/fire.ts';
import { applied, evaluateLoss, FiringStates, type TensorsOf, type Values } from '../tensor/gradient.ts';
import { fireTensor } from '../tensor/ops/fire.ts';
import { Tape } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** What one pass of a program made. */
export interface ProgramPass {
  readonly tape: Tape;
  /** One number, or one an example. */
  readonly loss: Tensor;
  /** What gradients go to, by name. */
  readonly parameters: readonly (readonly [string, Tensor])[];
}

/** A stochastic program on an engine: every call starts a step of it. */
export interface Program {
  readonly engine: Engine;
  /** @param firing see `Tape.firing` @param step another one draws other random numbers */
  pass(step: number, firing?: Tape['firing']): ProgramPass;
}

/** A function of tensors, in which neurons fire. */
export function programOf<V extends Values>(
  engine: Engine,
  f: (values: TensorsOf<V>) => Tensor,
  values: V,
  seed: number,
): Program {
  const states = new FiringStates();
  return {
    engine,
    pass(step, firing) {
      engine.beginStep();
      const tape = new Tape(engine);
      tape.firing = firing;
      const { loss, tensors } = applied(tape, f, values, { seed, step, states });
      return { tape, loss, parameters: tensors };
    },
  };
}

/** A model and its task, on the same examples each time; penalties are left out. */
export function programOfModel<D extends TaskData>(
  model: Model,
  { task, data, indices }: { task: Pick<Task<D>, 'gather' | 'run'>; data: D; indices: ArrayLike<number> },
): Program {
  const { engine } = model;
  return {
    engine,
    pass(step, firing) {
      engine.beginStep();
      const batch = task.gather(engine, data, indices);
      const tape = new Tape(engine);
      tape.firing = firing;
      tape.watch(model.parameters.map(({ tensor }) => tensor));
      const source = { key: noiseKey(model.seed), step, draw: 0 };
      const pass: Pass = { tape, mode: 'train', source, penalties: [] };
      const { losses } = task.run(model, pass, batch);
      return {
        tape,
        loss: losses,
        parameters: model.parameters.map(({ name, tensor }) => [name, tape.parameter(tensor)]),
      };
    },
  };
}

/** A program with another neuron wherever one with noise fires. The neuron's states are kept from pass to pass. */
export function withNeuron(program: Program, neuron: Neuron): Program {
  const states = new Map<number, NdArray | undefined>();
  return {
    engine: program.engine,
    pass(step) {
      let places = 0;
      return program.pass(step, (logits, attributes) => {
        if (attributes.neuron.noise === 0) return undefined;
        const { tape, shape } = logits;
        const place = places++;
        const units = shape[shape.length - 1] ?? 1;
        if (!states.has(place)) states.set(place, allocateState(program.engine, neuron, units, attributes.inputs));
        const { firing } = tape;
        tape.firing = undefined;
        const h = fireTensor(logits, { ...attributes, neuron, state: states.get(place) });
        tape.firing = firing;
        return h;
      });
    },
  };
}

/** The gradient of the mean loss at every number of the parameters, one after another. */
export function gradientOf({ tape, parameters }: ProgramPass, examples: number): Float64Array {
  const size = parameters.reduce((sum, [, tensor]) => sum + tensor.size, 0);
  const gradient = new Float64Array(size);
  let at = 0;
  for (const [, tensor] of parameters) {
    const own = tape.gradient(tensor)?.values;
    for (let i = 0; i < tensor.size; i++) gradient[at++] = (own?.[i] ?? 0) / examples;
  }
  return gradient;
}

/** The loss, and its gradient by the learning rules of the neurons that fired. */
export function drawnGradient(pass: ProgramPass): Float64Array {
  const { tape, loss } = pass;
  const { rows } = evaluateLoss(tape, loss);
  tape.backward([{ tensor: loss, cotangent: 1 }], loss.plate && loss);
  return gradientOf(pass, rows);
}
