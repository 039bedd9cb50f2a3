import { asObject } from '../io/json.ts';

/** The format before this one: runs of classifiers, and of autoencoders with `"kind": "vae"`. */
export const FORMAT_1 = 'flipgrad run 1';

type Json = Readonly<Record<string, unknown>>;

/**
 * A record of that format, or the settings that a checkpoint kept, with a task in the place of the kind; what is wrong with it is found
 * later. @throws FormatError for what is no object
 */
export function upgraded({ kind, ...record }: Json, where: string): Json {
  const training = asObject(record.training, `\`training\` of ${where}`);
  const data = asObject(record.data, `\`data\` of ${where}`);
  if (kind === undefined)
    return { ...record, task: { name: 'classification' }, data: { ...data, outputs: data.classes } };
  const { samples, ...others } = training;
  return {
    ...record,
    task: { name: kind, options: { samples } },
    training: others,
    data: { ...data, outputs: data.width },
  };
}
