import type { Model } from '../nn/model.ts';
import { ExportError } from './export-error.ts';
import {
  type FrozenAffine,
  type FrozenGated,
  type FrozenLstm,
  type FrozenMode,
  type FrozenNetwork,
  freeze,
  readsSequences,
} from './frozen-network.ts';
import { addFiring, firesAlone } from './onnx-firing.ts';
import { modelProto, OPSET } from './onnx-format.ts';
import { OnnxGraph } from './onnx-graph.ts';

export interface OnnxOptions {
  /** Default `threshold`. */
  readonly mode?: FrozenMode;
  /**
   * `skip`: blocks that no row of a batch opens are not computed (weights of the others are gathered): fastest for one row at a
   * time. `plain`: every block is computed in one product: fastest for large batches. Default: `skip` for layers whose gates
   * close in this mode and whose blocks have at least 8 units, else `plain`. Both take batches of any size, and give the same.
   */
  readonly gates?: 'skip' | 'plain';
}

/** An ONNX file, and the gated layers whose closed blocks it skips. */
export interface OnnxFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly skips: readonly string[];
}

/** From this block size on, gathering was faster for one row than computing all (docs/export.md). */
const LEAST_SKIPPED_SIZE = 8;

/** A file by protocol buffers has less than 2 GiB. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * A model as an ONNX file (opset 13, IR version 7). Input `input`: rows × inputs, float, as the network was trained on; outputs
 * `logits` and `probabilities`: rows × classes. The number of rows is free; of a network with LSTM layers they are the points of one
 * sequence (metadata `rows`: "points" or "examples").
 * @throws ExportError for layers and neurons that cannot be told, and networks of 2 GiB and more
 * @throws RangeError for another mode or way of the gates
 */
export function exportOnnx(model: Model, options: OnnxOptions = {}): OnnxFile {
  const { mode = 'threshold', gates } = options;
  if (gates !== undefined && gates !== 'skip' && gates !== 'plain')
    throw new RangeError(`\`gates\` is "${gates}"; "skip" or "plain" would do.`);
  const network = freeze(model, mode);
  const graph = new OnnxGraph();
  const skips = network.layers.flatMap((layer, i) => (skipsBlocks(network, i, gates) ? [layer.name] : []));
  const flow = network.layers.reduce<Flow>(
    (x, layer) => {
      if (layer.kind === 'affine') return dense(layer.units, addAffine(graph, layer, x));
      if (layer.kind === 'lstm') return addLstm(graph, layer, x);
      return skips.includes(layer.name) ? addOpenBlocks(graph, layer, x) : addAllBlocks(graph, layer, x);
    },
    dense(network.inputs, 'input'),
  );
  graph.scope = 'output';
  graph.rename(flow.value, 'logits');
  graph.rename(graph.add('Softmax', [flow.value], { axis: -1 }), 'probabilities');
  return { bytes: encode(graph, network, skips), skips };
}

function encode(graph: OnnxGraph, network: FrozenNetwork, skips: readonly string[]) {
  const { mode, inputs, outputs } = network;
  const info = (name: string, width: number) => ({ name, shape: ['rows', width] });
  const message = modelProto({
    graph: graph.message({
      name: 'flipgrad',
      inputs: [info('input', inputs)],
      outputs: [info('logits', outputs), info('probabilities', outputs)],
    }),
    documentation: `A network of flipgrad in ${mode} mode.`,
    metadata: {
      mode,
      opset: String(OPSET),
      skips: skips.join(', ') || 'none',
      rows: readsSequences(network) ? 'points' : 'examples',
    },
  });
  if (message.byteLength > MOST_BYTES)
    throw new ExportError(
      `The network has ${message.byteLength} bytes as ONNX, which holds less than 2 GiB; safetensors would do.`,
    );
  return message.toBytes();
}

/** Is a gated layer to leave closed blocks out? */
function skipsBlocks({ layers }: FrozenNetwork, index: number, gates: OnnxOptions['gates']): boolean {
  const layer = layers[index];
  // What skips hands on open blocks alone, and somebody must take them; experts that need whole rows need all blocks.
  const above = layers.at(index + 1);
  if (layer.kind !== 'gated' || !above || above.kind === 'lstm' || !firesAlone(layer.experts.firing)) return false;
  return gates ? gates === 'skip' : layer.closes && layer.size >= LEAST_SKIPPED_SIZE;
}

/** What flows between layers: all units (rows × units), or those of open blocks alone (rows × open·size) and which these are. */
interface Flow {
  readonly value: string;
  readonly blocks: number;
  readonly size: number;
  /** Numbers of the open blocks; absent where all are there. */
  readonly open?: string;
}

const dense = (units: number, value: string): Flow => ({ value, blocks: 1, size: units });

/** firing(x·W + b): rows × units. */
function addAffine(graph: OnnxGraph, layer: FrozenAffine, x: Flow): string {
  const { name, inputs, units } = layer;
  graph.scope = name;
  const bias = graph.constant(`${name}.bias`, { shape: [units], values: layer.bias });
  const values = layer.weights;
  if (!x.open) {
    const weights = graph.constant(`${name}.weights`, { shape: [inputs, units], values });
    return addFiring(graph, layer.firing, graph.add('Gemm', [x.value, weights, bias]));
  }
  const weights = graph.constant(`${name}.weights`, { shape: [x.blocks, x.size, units], values });
  const read = graph.add('Reshape', [graph.add('Gather', [weights, x.open]), graph.integers(-1, units)]);
  return addFiring(graph, layer.firing, graph.add('Add', [graph.add('MatMul', [x.value, read]), bias]));
}

/** The points of a sequence, read by ONNX's LSTM: a batch of one. Its parts come in the order input, output, forget, candidate. */
function addLstm(graph: OnnxGraph, { name, inputs, units, directions }: FrozenLstm, x: Flow): Flow {
  graph.scope = name;
  const stacked = (part: string, shape: readonly number[], of: (one: FrozenLstm['directions'][number]) => number[]) =>
    graph.constant(`${name}.${part}`, {
      shape: [directions.length, ...shape],
      values: Float32Array.from(directions.flatMap(of)),
    });
  // Transposed: row by row of 4·units.
  const turned = (values: Float32Array, rows: number): number[] =>
    ONNX_PARTS.flatMap((part) =>
      Array.from({ length: units * rows }, (_, i) => {
        const [unit, row] = [Math.floor(i / rows), i % rows];
        return values[row * 4 * units + part * units + unit];
      }),
    );
  const weights = stacked('weights', [4 * units, inputs], (one) => turned(one.weights, inputs));
  const recurrent = stacked('recurrent', [4 * units, units], (one) => turned(one.recurrent, units));
  const bias = stacked('bias', [8 * units], (one) => [...turned(one.bias, 1), ...Array<number>(4 * units).fill(0)]);
  const points = graph.add('Unsqueeze', [x.value, graph.integers(1)]);
  const direction = directions.length === 2 ? 'bidirectional' : 'forward';
  // points × directions × 1 × units
  const read = graph.add('LSTM', [points, weights, recurrent, bias], { hidden_size: units, direction });
  const wide = directions.length * units;
  return dense(wide, graph.add('Reshape', [read, graph.integers(-1, wide)]));
}

/** Which of our parts (input, forget, candidate, output) stand in ONNX's order. */
const ONNX_PARTS = [0, 3, 1, 2];

const addGates = (graph: OnnxGraph, { gater }: FrozenGated, x: Flow): Flow =>
  gater.reduce((below, stage) => dense(stage.units, addAffine(graph, stage, below)), x);

/** Every block, each times its gate. */
function addAllBlocks(graph: OnnxGraph, layer: FrozenGated, x: Flow): Flow {
  const { blocks, size, experts } = layer;
  const gates = addGates(graph, layer, x).value;
  const all = addAffine(graph, experts, x);
  if (size === 1) return dense(blocks, graph.add('Mul', [all, gates]));
  const inBlocks = graph.add('Reshape', [all, graph.integers(0, blocks, size)]);
  const gated = graph.add('Mul', [inBlocks, graph.add('Unsqueeze', [gates, graph.integers(2)])]);
  return dense(blocks * size, graph.add('Reshape', [gated, graph.integers(0, blocks * size)]));
}

/**
 * Blocks that some row opens. Block 0 comes once more at the end, with a gate of 0, since products of no blocks at all are an
 * error in onnxruntime.
 */
function addOpenBlocks(graph: OnnxGraph, layer: FrozenGated, x: Flow): Flow {
  const { blocks, size, experts, blockWeights, name } = layer;
  const gates = addGates(graph, layer, x).value;
  graph.scope = name;
  const largest = graph.add('ReduceMax', [graph.add('Abs', [gates])], { axes: [0], keepdims: 0 });
  const opened = graph.add('Squeeze', [graph.add('NonZero', [largest]), graph.integers(0)]);
  const open = graph.add('Concat', [opened, graph.integers(0)], { axis: 0 });
  const shape = [blocks, experts.inputs, size];
  const weights = graph.constant(`${experts.name}.weights`, { shape, values: blockWeights });
  const bias = graph.constant(`${experts.name}.bias`, { shape: [blocks, 1, size], values: experts.bias });
  const read = readOpenInputs(graph, graph.add('Gather', [weights, open]), x, size);
  const products = graph.add('Add', [graph.add('MatMul', [x.value, read]), graph.add('Gather', [bias, open])]);
  // open blocks × rows × size, each times its gate.
  const values = addFiring(graph, experts.firing, products);
  const padded = graph.add('Pad', [graph.add('Transpose', [gates], { perm: [1, 0] }), graph.integers(0, 0, 1, 0)]);
  const openGates = graph.add('Concat', [opened, graph.integers(blocks)], { axis: 0 });
  const factors = graph.add('Unsqueeze', [graph.add('Gather', [padded, openGates]), graph.integers(2)]);
  const byRow = graph.add('Transpose', [graph.add('Mul', [values, factors])], { perm: [1, 0, 2] });
  return { value: graph.add('Reshape', [byRow, graph.integers(0, -1)]), blocks, size, open };
}

/** Of weights open blocks × inputs × size, the rows of those inputs that are there. */
function readOpenInputs(graph: OnnxGraph, weights: string, x: Flow, size: number): string {
  if (!x.open) return weights;
  const byBlock = graph.add('Reshape', [weights, graph.integers(0, x.blocks, x.size * size)]);
  return graph.add('Reshape', [graph.add('Gather', [byBlock, x.open], { axis: 1 }), graph.integers(0, -1, size)]);
}
