import { list, open, optional, text } from '../schema/schema.ts';
import { isShippedTask } from '../tasks/index.ts';
import type { RunRecord } from './record.ts';

/** More are nothing that a person names. */
const MOST = 100;
const NEURON_FIELDS = ['neuron', 'activation'];

/** A file of the user's own code that a run began with. A record only names it: no folder of a run makes anybody import it. */
export interface OwnFile {
  /** Its path on the machine where the run began. */
  readonly file: string;
  /** Of the file itself, not of what it imports. */
  readonly sha256: string;
  /** The export that is the network, where it is. */
  readonly network?: string;
  /** Names of the neurons that it exports. */
  readonly neurons: readonly string[];
  /** And of the tasks. */
  readonly tasks?: readonly string[];
}

/** `own` of a record. */
export const ownFiles = list(
  open({
    file: text,
    sha256: text,
    network: optional(text),
    neurons: list(text, 'names', MOST),
    tasks: optional(list(text, 'names', MOST)),
  }),
  'files',
  MOST,
);

/** The files without which a run can be neither trained nor asked. What its layers and its task say in plain JSON needs none. */
export function neededFiles({ model, task, training, own = [] }: RunRecord): readonly OwnFile[] {
  const parts = [...objectsIn(model.layers)];
  // What a function fires, nobody knows without it.
  if (parts.some(({ layer }) => layer === 'own')) return own;
  const specs = [
    ...parts.flatMap((part) => NEURON_FIELDS.map((field) => part[field])),
    ...(training.estimatorProbe?.neurons ?? []),
  ];
  const names = new Set(specs.map(nameIn));
  return own.filter(
    ({ neurons, tasks = [] }) =>
      neurons.some((name) => names.has(name)) || (!isShippedTask(task.name) && tasks.includes(task.name)),
  );
}

function nameIn(spec: unknown): string {
  const name = typeof spec === 'object' && spec !== null ? (spec as { name?: unknown }).name : spec;
  return String(name).split(':')[0];
}

function* objectsIn(value: unknown): Generator<Readonly<Record<string, unknown>>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const inner of Object.values(value)) yield* objectsIn(inner);
}
