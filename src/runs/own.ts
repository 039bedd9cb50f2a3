import { FormatError } from '../io/format-error.ts';
import { asObject, shorten } from '../io/json.ts';
import type { AnyRunRecord } from './record.ts';

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
}

/** More are nothing that a person names. */
const MOST = 100;
const NEURON_FIELDS = ['neuron', 'activation'];

/** `own` of a record of unknown origin. @throws FormatError */
export function checkOwn(value: unknown, where: string): void {
  if (!Array.isArray(value) || value.length > MOST)
    throw new FormatError(`\`own\` of ${where} is ${shorten(value)}. Expected a list of at most ${MOST} files.`);
  for (const [i, entry] of value.entries()) {
    const { file, sha256, network, neurons } = asObject(entry, `\`own[${i}]\` of ${where}`);
    const texts = [file, sha256, network ?? ''];
    const names = Array.isArray(neurons) && neurons.length <= MOST && neurons.every((name) => typeof name === 'string');
    if (!texts.every((text) => typeof text === 'string') || !names)
      throw new FormatError(
        `\`own[${i}]\` of ${where} is ${shorten(entry)}. Expected texts \`file\`, \`sha256\` and \`network\`, and a list of names \`neurons\`.`,
      );
  }
}

/** The files without which a run's model cannot be built. What its layers say in plain JSON needs none. */
export function neededFiles({ model, training, own = [] }: AnyRunRecord): readonly OwnFile[] {
  const parts = [...objectsIn(model.layers)];
  // What a function fires, nobody knows without it.
  if (parts.some(({ layer }) => layer === 'own')) return own;
  const specs = [
    ...parts.flatMap((part) => NEURON_FIELDS.map((field) => part[field])),
    ...(training.basket?.neurons ?? []),
  ];
  const names = new Set(specs.map(nameIn));
  return own.filter(({ neurons }) => neurons.some((name) => names.has(name)));
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
