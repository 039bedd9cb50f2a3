import type { Schema } from '../schema/schema.ts';

/** A setting of a training: its values, its flag, its help and what a sweep may do with it. All of them follow from this one declaration. */
export interface SettingSpec {
  readonly of: Schema;
  /** What help says of it. */
  readonly meaning: string;
  /** What stands for its value in help; a switch has none, and one that is on when nothing is said is `--no-…`. */
  readonly argument?: string;
  /** What it has where nothing is said. */
  readonly usual?: unknown;
  /** The same for help, where it is not one value. */
  readonly usualText?: string;
  /** What of a value on the command line is one of several: by default a comma separates them. */
  readonly separator?: RegExp;
  /** Given again, it adds: default, it is refused. */
  readonly adds?: true;
  /** The option of `train` that it is. */
  readonly trains?: string;
  /** The name that it had in the version before: a flag of that name still sets it, and says so. */
  readonly formerly?: string;
  /** May a sweep search a range of it? */
  readonly range?: true;
  /** Does it name a file of the machine that runs the trial? */
  readonly path?: true;
  /** What it may be in a sweep, where that is less; false: nothing. */
  readonly sweep?: Schema | false;
}
