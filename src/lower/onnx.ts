import type { Model } from '../nn/model.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { ExportError } from '../tensor/export-error.ts';
import { blocksOf, canBeZero } from './blocks.ts';
import { type FrozenMode, lower, ofKind, type Program, readsSequences } from './lower.ts';
import { modelProto, OPSET } from './onnx-format.ts';
import type { OnnxGraph } from './onnx-graph.ts';
import { OnnxWriter } from './onnx-writer.ts';
import { isConstant, type NodeOf } from './program.ts';

export interface OnnxOptions {
  /** Default `threshold`. */
  readonly mode?: FrozenMode;
  /**
   * `skip`: blocks that no row of a batch opens are not computed (weights of the others are gathered): fastest for one row at a
   * time. `plain`: every block is computed in one product: fastest for large batches. Default: `skip` for layers whose gates
   * close in this mode, whose blocks have at least 8 units, and which only products with weights read; else `plain`. Both take batches of
   * any size, and give the same.
   */
  readonly gates?: 'skip' | 'plain';
}

/** An ONNX file, and the gated layers whose closed blocks it skips. */
export interface OnnxFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly skips: readonly string[];
}

const NAMES: NamesOf<OnnxOptions> = { mode: true, gates: true };

/** From this block size on, gathering was faster for one row than computing all (docs/export.md). */
const LEAST_SKIPPED_SIZE = 8;

/** A file by protocol buffers has less than 2 GiB. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * A model as an ONNX file (opset 13, IR version 7). Input `input`: rows × inputs, float, as the network was trained on; outputs
 * `logits` and `probabilities`: rows × classes. The number of rows is free; of a network with LSTM layers they are the points of one
 * sequence (metadata `rows`: "points" or "examples").
 * @throws ExportError for operations and neurons that cannot be told, and networks of 2 GiB and more
 * @throws RangeError for another mode or way of the gates
 */
export function exportOnnx(model: Model, options: OnnxOptions = {}): OnnxFile {
  checkNames('exportOnnx', options, NAMES);
  const { mode = 'threshold', gates } = options;
  if (gates !== undefined && gates !== 'skip' && gates !== 'plain')
    throw new RangeError(`\`gates\` is "${gates}"; "skip" or "plain" would do.`);
  const program = lower(model, mode);
  const skipped = ofKind(program.nodes, 'gate').filter((gate) => skipsBlocks(program, gate, gates));
  const writer = new OnnxWriter(program, new Set(skipped));
  const { graph } = writer;
  const logits = writer.whole(program.output);
  graph.scope = 'output';
  graph.rename(logits, 'logits');
  graph.rename(graph.add('Softmax', [logits], { axis: -1 }), 'probabilities');
  const skips = [...new Set(skipped.map(({ layer }) => layer))];
  return { bytes: encode(graph, program, skips), skips };
}

function encode(graph: OnnxGraph, program: Program, skips: readonly string[]) {
  const { mode, inputs, outputs } = program;
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
      rows: readsSequences(program) ? 'points' : 'examples',
    },
  });
  if (message.byteLength > MOST_BYTES)
    throw new ExportError(
      `The network has ${message.byteLength} bytes as ONNX, which holds less than 2 GiB; safetensors would do.`,
    );
  return message.toBytes();
}

function skipsBlocks(program: Program, gate: NodeOf<'gate'>, gates: OnnxOptions['gates']): boolean {
  const { uses, output } = program;
  if (gates === 'plain' || gate === output || !blocksOf(program, gate)) return false;
  if (gates === 'skip') return true;
  const readers = uses.get(gate) ?? [];
  const gathered = readers.every((node) => node.kind === 'product' && node.a === gate && isConstant(node.b));
  return gathered && gate.size >= LEAST_SKIPPED_SIZE && canBeZero(gate.gates);
}
