/** What a gate makes of blocks: which units need not be computed where it is closed. */
import { evaluateFormula, type Formula } from '../neurons/formula.ts';
import { sizeOf } from '../tensor/shape.ts';
import { ofKind, type Program } from './lower.ts';
import { type Constant, isConstant, type Node, type NodeOf, type Value } from './program.ts';

/** A formula of units, one by one, with constants beside them. */
export interface UnitStep {
  readonly formula: Formula;
  /** Constants of one number a unit, or of one for all; undefined is the unit itself. */
  readonly operands: readonly (Constant | undefined)[];
}

/** The values of a gate as what each block is made of by itself: steps(x·W). */
export interface Blocks {
  readonly x: Node;
  /** inputs × units. */
  readonly weights: Constant;
  readonly steps: readonly UnitStep[];
  /** The nodes that nothing else reads. */
  readonly nodes: readonly Node[];
}

/** The blocks of a gate; undefined where its units are made in another way, look at each other, or are read elsewhere. */
export function blocksOf({ uses }: Program, gate: NodeOf<'gate'>): Blocks | undefined {
  const steps: UnitStep[] = [];
  const nodes: Node[] = [];
  let value: Value = gate.values;
  while (value.kind === 'elementwise') {
    const made: Node[] = value.operands.filter((operand) => !isConstant(operand));
    const alone = made.length === 1 && uses.get(value)?.length === 1;
    if (!alone || value.operands.some((operand) => isConstant(operand) && !fits(operand, gate))) return undefined;
    const { formula, operands } = value;
    steps.unshift({ formula, operands: operands.map((operand) => (isConstant(operand) ? operand : undefined)) });
    nodes.push(value);
    value = made[0];
  }
  if (value.kind !== 'product' || uses.get(value)?.length !== 1) return undefined;
  const { a, b } = value;
  if (isConstant(a) || !isConstant(b) || a.shape.length !== 1) return undefined;
  return { x: a, weights: b, steps, nodes: [...nodes, value] };
}

const fits = ({ values }: Constant, { shape }: Node): boolean => values.length === 1 || values.length === shape[0];

/** Weights inputs × units as blocks × inputs × size. */
export function inBlocks({ shape: [inputs, units], values }: Constant, size: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let k = 0, at = 0; k < units / size; k++)
    for (let i = 0; i < inputs; i++, at += size)
      out.set(values.subarray(i * units + k * size, i * units + (k + 1) * size), at);
  return out;
}

/** Can the elements of a value be 0? As its last formula says, for operands from −30 to 30. */
export function canBeZero(value: Value): boolean {
  if (value.kind !== 'elementwise') return true;
  const samples = value.operands.map((operand) => {
    if (isConstant(operand)) return [operand.values[0]];
    return operand.kind === 'largest' ? [0, 1] : LOGITS;
  });
  const combinations = samples.reduce<number[][]>(
    (all, numbers) => all.flatMap((before) => numbers.map((number) => [...before, number])),
    [[]],
  );
  return combinations.some((numbers) => evaluateFormula(value.formula, ...numbers) === 0);
}

const LOGITS = Array.from({ length: 163 }, (_, i) => -30 + 0.37 * i);

/** A gate in front of a node: where it is 0, nothing reads what the node gives. */
export interface Guard {
  readonly gates: Node;
  /** Its number among them. */
  readonly gate: number;
}

/** The gate that each node stands behind, the nearest of several: nodes of whole parts, which nothing but the part's gate reads. */
export function guardsOf(program: Program): ReadonlyMap<Node, Guard> {
  const { nodes } = program;
  const parts = ofKind(nodes, 'gate').flatMap((gate) => {
    const { gates } = gate;
    if (isConstant(gates) || blocksOf(program, gate)) return [];
    return rootsOf(gate).map((root, k) => ({ gates, gate: k, nodes: behind(program, root, gates) }));
  });
  const guards = new Map<Node, Guard>();
  // Parts within parts have fewer nodes.
  for (const part of parts.toSorted((a, b) => b.nodes.length - a.nodes.length))
    for (const node of part.nodes) guards.set(node, part);
  return guards;
}

/** What a gate multiplies, gate by gate, where each is a node of its own. */
function rootsOf({ gates, values, size }: NodeOf<'gate'>): readonly Value[] {
  const [count] = gates.shape;
  if (count === 1) return [values];
  let joined: Value = values;
  while (joined.kind === 'reshape') joined = joined.x;
  if (joined.kind !== 'concatenate' || joined.axis !== 0 || joined.values.length !== count) return [];
  return joined.values.every(({ shape }) => sizeOf(shape) === size) ? joined.values : [];
}

/** The nodes that nothing but a root reads, all of them after the gates. */
function behind({ nodes, uses }: Program, root: Value, gates: Node): readonly Node[] {
  if (isConstant(root) || uses.get(root)?.length !== 1) return [];
  const found = new Set<Node>([root]);
  const after = nodes.slice(nodes.indexOf(gates) + 1);
  for (const node of after.toReversed()) if (uses.get(node)?.every((use) => found.has(use))) found.add(node);
  return after.filter((node) => found.has(node));
}
