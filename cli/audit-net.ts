import { basename } from 'node:path';
import {
  auditModel,
  auditProgram,
  classification,
  createModel,
  type Engine,
  makeDataset,
  type ProgramAudit,
  type ProgramAuditOptions,
  type Verdict,
} from '../src/index.ts';
import { createEngine } from '../src/platform/node/index.ts';
import { randomStream } from '../src/random/stream.ts';
import type { Tensor, Values } from '../src/tensor/index.ts';
import { short } from './audit-report.ts';
import { UsageError } from './exit.ts';
import { withOutput } from './network.ts';
import { print, printJson } from './output.ts';
import { type OwnFlags, ownCode } from './own-code.ts';
import { exportsOf, ownModule } from './own-file.ts';
import { duration } from './progress.ts';
import { table } from './table.ts';

/** What the gradients of a network are held against. */
export interface NetFlags extends OwnFlags {
  readonly net: string;
  readonly neuron?: readonly string[];
  readonly inputs: number;
  readonly classes: number;
  readonly examples: number;
  readonly samples: number;
  readonly seed: number;
}

/** One program with one neuron. */
export interface ProgramRow extends ProgramAudit {
  readonly neuron: string;
}

/** A function of tensors that a file exports. */
interface OwnProgram {
  readonly values: Values;
  readonly loss: (values: never) => Tensor;
}

const isProgram = (value: unknown): value is OwnProgram =>
  typeof value === 'object' &&
  value !== null &&
  'values' in value &&
  typeof value.values === 'object' &&
  'loss' in value &&
  typeof value.loss === 'function';

/** The word "audn" in ASCII: the stream of examples that are drawn. */
const EXAMPLES = 0x6175646e;

/** Audits the network or the function of tensors that a file exports, with each of the neurons, or as it stands. */
export async function auditNet(flags: NetFlags, signal: AbortSignal): Promise<ProgramRow[]> {
  const { net, neuron: asked = [undefined] } = flags;
  const audit = await auditOf(flags);
  const engine = await createEngine({ threads: 1 });
  const rows: ProgramRow[] = [];
  try {
    for (const neuron of asked) {
      const { samples, seed } = flags;
      const found = await audit(neuron, { engine, samples, seed, signal });
      rows.push({ neuron: `${basename(net)}${neuron === undefined ? '' : ` with ${neuron}`}`, ...found });
    }
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  } finally {
    engine.close();
  }
  return rows;
}

type Audit = (neuron: string | undefined, options: ProgramAuditOptions) => Promise<ProgramAudit>;

async function auditOf(flags: NetFlags): Promise<Audit> {
  const [, path, name] = /^(.*?)(?:#([^#/\\]*))?$/s.exec(flags.net) as unknown as [string, string, string | undefined];
  const exported = await exportsOf(ownModule(path, 'a network or a program'));
  const program = isProgram(exported[name ?? 'default'])
    ? exported[name ?? 'default']
    : name === undefined
      ? Object.values(exported).find(isProgram)
      : undefined;
  if (isProgram(program)) {
    const { values, loss } = program;
    return (neuron, options) =>
      auditProgram(loss as (values: unknown) => Tensor, values, { ...options, ...(neuron && { neuron }) });
  }
  return auditOfNetwork(flags);
}

/** A network's loss is the cross-entropy of examples that are drawn. */
async function auditOfNetwork({ net, use, inputs, classes, examples, seed }: NetFlags): Promise<Audit> {
  const { network, neurons } = await ownCode({ net, ...(use && { use }) });
  if (!network) throw new UsageError(`${net} exports no network. Expected a module, layers, or { values, loss }.`);
  const random = randomStream(seed, EXAMPLES);
  const data = makeDataset({
    name: 'examples that are drawn',
    features: Float32Array.from({ length: examples * inputs }, () => random.normal()),
    scale: 1,
    labels: Uint8Array.from({ length: examples }, () => random.integer(classes)),
    width: inputs,
    classes,
  });
  const indices = Array.from({ length: examples }, (_, i) => i);
  return (neuron = 'straight-through', options) => {
    const facts = { inputs, classes, outputs: classes, neuron };
    const make = (engine: Engine) =>
      createModel(engine, {
        inputs,
        layers: withOutput(network.layers(facts), classes, neurons).layers,
        seed,
        neurons,
      });
    return auditModel(make, { task: classification, data, indices }, options);
  };
}

/** Rows for people, or as JSON. */
export function reportNet(rows: readonly ProgramRow[], seconds: number, json: boolean): void {
  if (json) {
    const plain = (_: string, value: unknown) => (value instanceof Float64Array ? Array.from(value) : value);
    for (const { sites, ...row } of rows) {
      const told = sites.map(({ name, neuron, bits }) => ({ name, neuron: neuron.name, bits }));
      printJson({ event: 'program', ...row, sites: told }, plain);
    }
    const refuted = rows.filter(({ verdicts }) => isRefuted(verdicts)).map(({ neuron }) => neuron);
    printJson({ event: 'result', programs: rows.length, refuted, seconds });
    return;
  }
  for (const row of rows) {
    const head = ['parameter', 'numbers', '|∂E[loss]|', '|bias|', 'of it, at least'];
    const lines = row.parameters.map(({ name, truth, bias }) => {
      const size = Math.hypot(...truth);
      const share = bias.least === 0 ? '0' : size === 0 ? '∞' : `${Math.round((100 * bias.least) / size)}%`;
      return [name, `${truth.length}`, short(size), short(bias.value), share];
    });
    const known = row.loss === undefined ? '' : `, E[loss] = ${row.loss.toPrecision(6)}`;
    const sites = row.sites.map(({ name, neuron, bits }) => `${name ? `${name}: ` : ''}${neuron.name} (${bits} bits)`);
    const [{ claim, verdict, evidence }] = row.verdicts;
    print(
      `${row.neuron}: ${sites.join(', ') || 'no site with noise'}${known}\n${table([head, ...lines])}\n${claim}: ${verdict}. ${evidence}\n\n`,
    );
  }
  print(`${rows.length} program${rows.length === 1 ? '' : 's'} in ${duration(seconds)}.\n`);
}

export const isRefuted = (verdicts: readonly Verdict[]): boolean =>
  verdicts.some(({ verdict }) => verdict === 'refuted');
