import type { BlockMask } from '../backend/block-mask.ts';
import type { Engine } from '../backend/engine.ts';
import type { Behind, NdArray } from '../backend/nd-array.ts';
import { RULE_NUMBERS, type UpdatePlace } from '../kernels/optimizers.ts';

/** Steps that a block may be behind. */
const ROOM = 256;

/**
 * A parameter of which a step updates only the blocks that some example has opened, at once with their gradient. The others are left as
 * they are. What those steps would have done to them (the moments fade and go on to move the weights) is done at their next
 * read, with the operations of one step after another, so that the bits are those of an update of everything in every step.
 */
export class BlockUpdates implements Behind {
  private readonly engine: Engine;
  private readonly parameter: NdArray;
  private readonly slots: readonly NdArray[];
  readonly blocks: number;
  /** Row n mod ROOM: the rule of step n. */
  private readonly history: NdArray;
  /** The last step that each block has had. */
  private readonly last: NdArray;
  private now = 0;
  /** Blocks that are behind may have had this step last. */
  private oldest = 0;
  /** Is any block behind? */
  private lagging = false;

  /** @param blocks equal stretches of the parameter */
  constructor(engine: Engine, parameter: NdArray, slots: readonly NdArray[], blocks: number) {
    this.engine = engine;
    this.parameter = parameter;
    this.slots = slots;
    this.blocks = blocks;
    this.history = engine.parameter([ROOM, RULE_NUMBERS], 'rules of steps');
    this.last = engine.parameter([blocks], 'the last steps of blocks');
  }

  settle(): void {
    if (!this.lagging) return;
    this.lagging = false;
    this.catchUp(0);
    this.last.integers.fill(this.now);
    this.oldest = this.now;
  }

  settleBlocks(mask: BlockMask): void {
    if (!this.lagging) return;
    if (mask.blocks !== this.blocks) {
      this.settle();
      return;
    }
    const { last, now } = this;
    const starts = mask.blockStarts();
    const steps = last.integers;
    for (let k = 0; k < this.blocks; k++)
      if (starts[k] !== starts[k + 1] && steps[k] !== now) {
        this.catchUp(mask.blockStart);
        this.mark(mask);
        return;
      }
  }

  /** The update of one step. @param rule see kernels/optimizers.ts @param run applies it to the gradients of open blocks */
  step(rule: readonly number[], mask: BlockMask, run: (place: UpdatePlace) => void): void {
    this.prepare();
    const weights = this.parameter.pointerOfBlocks(mask);
    const [first = 0, second = 0] = this.slots.map((slot) => slot.pointerOfBlocks(mask));
    run({ weights, first, second, rule: this.record(rule) });
    this.mark(mask);
  }

  /** One step in which no gradient came to any block. */
  skip(rule: readonly number[]): void {
    this.prepare();
    this.record(rule);
    this.lagging = true;
  }

  private prepare(): void {
    if (this.parameter.behind !== this) this.attach();
    if (this.now + 1 - this.oldest >= ROOM) this.settle();
  }

  /** Begins a step. @returns where its rule stands */
  private record(rule: readonly number[]): number {
    this.now++;
    const row = (this.now % ROOM) * RULE_NUMBERS;
    const { values, pointer } = this.history;
    values.fill(0, row, row + RULE_NUMBERS);
    values.set(rule, row);
    return pointer + 4 * row;
  }

  /** From now on it is this that knows which blocks are behind. */
  private attach(): void {
    for (const array of [this.parameter, ...this.slots]) {
      array.behind?.settle();
      array.behind = this;
    }
  }

  /** The blocks with an open pair have had all steps. */
  private mark(mask: BlockMask): void {
    const { blocks, last, now } = this;
    const starts = mask.blockStarts();
    const { integers } = last;
    let behind = 0;
    for (let k = 0; k < blocks; k++)
      if (starts[k] !== starts[k + 1]) integers[k] = now;
      else if (integers[k] !== now) behind++;
    this.lagging = behind > 0;
    if (behind === 0) this.oldest = now;
  }

  private catchUp(blockStart: number): void {
    const { engine, parameter, slots, history, last, blocks, now } = this;
    // So that the pointers of what is being settled are given.
    this.lagging = false;
    const [first = 0, second = 0] = slots.map(({ pointer }) => pointer);
    const pointers = [parameter.pointer, first, second, history.pointer, last.pointer, blockStart] as const;
    engine.backend.run('catchUp', ...pointers, blocks, parameter.size / blocks, now, ROOM);
  }
}
