import { featureNames, type TableReading } from '../data/table-reading.ts';
import type { Model } from '../nn/model.ts';
import { checkNames, checkOneOf, type NamesOf } from '../schema/names.ts';
import type { LinkName } from '../tasks/link.ts';
import { ExportError } from '../tensor/export-error.ts';
import { blocksOf, canBeZero } from './blocks.ts';
import { type FrozenMode, lower, ofKind, type Program, readsSequences } from './lower.ts';
import { modelProto, OPSET } from './onnx-format.ts';
import type { OnnxGraph } from './onnx-graph.ts';
import { OnnxWriter } from './onnx-writer.ts';
import { isConstant, type NodeOf } from './program.ts';
import { type Outputs, outputsOf, type RunFacts } from './run-facts.ts';

/** Options of `exportOnnx`. */
export interface OnnxOptions extends RunFacts {
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

const NAMES: NamesOf<OnnxOptions> = { mode: true, gates: true, table: true, task: true };

/** From this block size on, gathering was faster for one row than computing all (docs/export.md). */
const LEAST_SKIPPED_SIZE = 8;

/** A file by protocol buffers has less than 2 GiB. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * A model as an ONNX file (opset 13, IR version 7). Input `input`: rows × inputs, float, as the network was trained on; with a `table` as the
 * table has them (missing numbers NaN, each category a feature of 0 or 1), named by the metadata `features`. Outputs `logits` and
 * `probabilities`: rows × classes or labels, or, of numbers, `values` in the targets' units; their names are the metadata `classes` or `targets`.
 * The number of rows is free; of a network with layers that read sequences they are the points of one sequence (metadata `rows`: "points" or "examples").
 * @throws ExportError for operations and neurons that cannot be told, networks of 2 GiB and more, and a table that is not the network's
 * @throws RangeError for another mode or way of the gates
 */
export function exportOnnx(model: Model, options: OnnxOptions = {}): OnnxFile {
  checkNames('exportOnnx', options, NAMES);
  const { mode = 'threshold', gates, table } = options;
  if (gates !== undefined) checkOneOf('gates', gates, ['skip', 'plain'], 'exportOnnx');
  const program = lower(model, mode);
  const skipped = ofKind(program.nodes, 'gate').filter((gate) => skipsBlocks(program, gate, gates));
  const facts = outputsOf(program, model, options);
  const writer = new OnnxWriter(program, new Set(skipped), table && ((graph) => standardized(graph, table)));
  const { graph } = writer;
  const logits = writer.whole(program.output);
  graph.scope = 'output';
  const names = OUTPUTS[facts.link](graph, logits, facts);
  const skips = [...new Set(skipped.map(({ layer }) => layer))];
  return { bytes: encode(graph, program, { skips, names, table, facts }), skips };
}

/** The outputs of each link, written: their names. */
const OUTPUTS: Readonly<Record<LinkName, (graph: OnnxGraph, logits: string, facts: Outputs) => readonly string[]>> = {
  classes(graph, logits) {
    graph.rename(logits, 'logits');
    graph.rename(graph.add('Softmax', [logits], { axis: -1 }), 'probabilities');
    return ['logits', 'probabilities'];
  },
  labels(graph, logits) {
    graph.rename(logits, 'logits');
    graph.rename(graph.add('Sigmoid', [logits]), 'probabilities');
    return ['logits', 'probabilities'];
  },
  numbers(graph, logits, { units }) {
    const own = units
      ? graph.add('Add', [
          graph.add('Mul', [logits, row(graph, 'units.spread', units.spread)]),
          row(graph, 'units.center', units.center),
        ])
      : logits;
    graph.rename(own, 'values');
    return ['values'];
  },
};

const row = (graph: OnnxGraph, name: string, values: readonly number[]): string =>
  graph.constant(name, { shape: [values.length], values: Float32Array.from(values) });

/** What a table holds as what the network reads: what is missing filled, standardised, scaled. */
function standardized(graph: OnnxGraph, { fill, center, spread, scale }: TableReading): string {
  graph.scope = 'table';
  let value = 'input';
  if (fill) value = graph.add('Where', [graph.add('IsNaN', [value]), row(graph, 'table.fill', fill), value]);
  if (center && spread) {
    const distance = graph.add('Sub', [value, row(graph, 'table.center', center)]);
    value = graph.add('Div', [distance, row(graph, 'table.spread', spread)]);
  }
  return scale === 1 ? value : graph.add('Mul', [value, graph.number(scale)]);
}

interface Told {
  readonly skips: readonly string[];
  /** Of the outputs. */
  readonly names: readonly string[];
  readonly table: TableReading | undefined;
  readonly facts: Outputs;
}

function encode(graph: OnnxGraph, program: Program, { skips, names, table, facts }: Told) {
  const { mode, inputs, outputs } = program;
  const info = (name: string, width: number) => ({ name, shape: ['rows', width] });
  const message = modelProto({
    graph: graph.message({
      name: 'flipgrad',
      inputs: [info('input', inputs)],
      outputs: names.map((name) => info(name, outputs)),
    }),
    documentation: `A network of flipgrad in ${mode} mode.`,
    metadata: {
      mode,
      opset: String(OPSET),
      skips: skips.join(', ') || 'none',
      rows: readsSequences(program) ? 'points' : 'examples',
      ...(table && { features: JSON.stringify(featureNames(table)) }),
      ...(facts.names && { [facts.link === 'classes' ? 'classes' : 'targets']: JSON.stringify(facts.names) }),
    },
  });
  if (message.byteLength > MOST_BYTES)
    throw new ExportError(
      `The network has ${message.byteLength} bytes as ONNX, which holds less than 2 GiB. Export safetensors instead.`,
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
