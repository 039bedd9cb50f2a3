import type { LinkName } from '../tasks/link.ts';

/** What a primitive reads: the number of a step, or a place in the file's array of parameters and how many numbers stand there. */
export type PortableOperand = number | { readonly at: number; readonly length: number };

/** A formula of elements, one operand after another; shorter operands are repeated. */
export interface PortableFormula {
  readonly of: (...elements: number[]) => number;
  readonly operands: readonly PortableOperand[];
}

/** A gate that a step stands behind: where it is 0, so are the `size` numbers of the step, and they are not computed. */
export interface PortableGuard {
  readonly gates: number;
  readonly gate: number;
  readonly size: number;
}

/** Steps of a network on one row. Step 0 is the input; every other one reads steps before it. */
export type PortableStep = { readonly behind?: PortableGuard } & PortableKind;

type PortableKind =
  | { readonly kind: 'input' }
  | ({ readonly kind: 'elementwise'; readonly size: number } & PortableFormula)
  | {
      readonly kind: 'view';
      readonly x: number;
      readonly shape: number[];
      readonly strides: number[];
      readonly offset: number;
    }
  | { readonly kind: 'sum' | 'max'; readonly x: number; readonly count: number }
  /** `batch` products m×k by k×n; where a side has fewer matrices, they are repeated. */
  | {
      readonly kind: 'product';
      readonly a: PortableOperand;
      readonly b: PortableOperand;
      readonly batch: number;
      readonly m: number;
      readonly k: number;
      readonly n: number;
    }
  /** Of every part `outer` runs, in turn. */
  | { readonly kind: 'concatenate'; readonly values: readonly PortableOperand[]; readonly outer: number }
  | { readonly kind: 'largest'; readonly x: number; readonly units: number; readonly count: number }
  | {
      readonly kind: 'gate';
      readonly layer: string;
      readonly gates: PortableOperand;
      readonly values: PortableOperand;
      readonly size: number;
    }
  /** Gates times blocks of units, formulas(x·W); of a formula the operand −1 is the unit. The weights stand block by block. */
  | {
      readonly kind: 'blocks';
      readonly layer: string;
      readonly gates: PortableOperand;
      readonly x: number;
      readonly weights: number;
      readonly inputs: number;
      readonly blocks: number;
      readonly size: number;
      readonly formulas: readonly PortableFormula[];
    }
  | {
      readonly kind: 'lstm';
      readonly x: number;
      readonly recurrent: number;
      readonly units: number;
      readonly backwards: boolean;
    }
  | {
      readonly kind: 'attention';
      readonly x: number;
      readonly width: number;
      readonly heads: number;
      readonly causal: boolean;
    }
  /** The place of the point in its sequence. */
  | { readonly kind: 'place' }
  /** Rows of a table of so many, by whole numbers. */
  | {
      readonly kind: 'gather';
      readonly layer: string;
      readonly x: number;
      readonly table: number;
      readonly rows: number;
      readonly width: number;
    };

/** A network as plain JSON beside its parameters: what an exported file computes. Numbers of steps are places in `steps`. */
export interface PortableNetwork {
  readonly inputs: number;
  /** A byte times this is an input. */
  readonly byteScale: number;
  /** Multiply-adds a row besides those of products. */
  readonly otherWork: number;
  /** The last one gives the logits. */
  readonly steps: readonly PortableStep[];
  /** What its outputs are: logits of classes that exclude each other, logits of labels that do not, or numbers. */
  readonly link: LinkName;
  /** Of classes that are words, of labels or of numbers. */
  readonly names?: readonly string[];
  /** Do the outputs of a point tell the next one? Else those of a sequence tell a string of labels, the last class blank. */
  readonly continues?: boolean;
  /** A number that is given is this times the output, and that more; default: 1 and 0. */
  readonly units?: { readonly center: readonly number[]; readonly spread: readonly number[] };
}
