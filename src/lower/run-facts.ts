import { MISSING_WORDS } from '../data/table-cells.ts';
import { type TableReading, widthOf } from '../data/table-reading.ts';
import type { Model } from '../nn/model.ts';
import type { LinkName } from '../tasks/link.ts';
import type { Task } from '../tasks/task.ts';
import { ExportError } from '../tensor/export-error.ts';
import { type Program, readsSequences } from './lower.ts';
import type { PortableTable } from './one-file-row.ts';

/** What exports know of a run beside its network. */
export interface RunFacts {
  /** How the run reads tables: inputs are then rows as those have them, and answers have names. */
  readonly table?: TableReading | undefined;
  /** What the run minimises: what its outputs are. Default: logits of classes. */
  readonly task?: Pick<Task, 'name' | 'link' | 'data'> | undefined;
}

/** What the outputs of a network are, and what they are called. */
export interface Outputs {
  readonly link: LinkName;
  readonly names?: readonly string[];
  /** Do the outputs of a point tell the next one, and not the label of a string? */
  readonly continues?: true;
  /** A number that is given is this times the output, and that more. */
  readonly units?: { readonly center: readonly number[]; readonly spread: readonly number[] };
}

/**
 * What the outputs of a program are.
 * @throws ExportError for a task whose link has no name, and a table of another width than the model's
 */
export function outputsOf(program: Program, model: Model, { table, task }: RunFacts): Outputs {
  if (table && widthOf(table) !== model.inputs)
    throw new ExportError(
      `The table has ${widthOf(table)} features, and the network takes ${model.inputs} numbers. Expected the table that it was trained on.`,
    );
  const link = !task || readsSequences(program) ? 'classes' : task.link ? task.link.name : 'numbers';
  if (link === undefined)
    throw new ExportError(
      `The link of the task "${task?.name}" has no name. Expected \`name\`: "classes", "labels" or "numbers", whose forms exports know.`,
    );
  const names = link === 'classes' ? table?.targets[0]?.classes : table?.targets.map(({ name }) => name);
  const { targetCenter: center, targetSpread: spread } = table ?? {};
  return {
    link,
    ...(names?.length === model.outputs && { names }),
    ...(readsSequences(program) && task?.data === 'tokens' && { continues: true }),
    ...(link === 'numbers' && center && spread && { units: { center, spread } }),
  };
}

/** What a file needs to read the rows of a table. */
export const portableTable = ({ columns, scale, fill, center, spread }: TableReading): PortableTable => ({
  columns,
  scale,
  ...(fill && { fill }),
  ...(center && spread && { center, spread }),
  missing: MISSING_WORDS,
});
