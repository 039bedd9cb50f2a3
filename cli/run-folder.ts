import { appendFileSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EpochEvent, ResultEvent } from '../src/index.ts';
import { UsageError } from './exit.ts';

/** The folder of one run: metrics.jsonl grows an event a line; run.json stands complete at the end. */
export class RunFolder {
  private readonly folder: string;
  private readonly config: unknown;

  /** Makes the folder. @throws UsageError when it holds something already, or cannot be made */
  constructor(folder: string, config: unknown) {
    this.folder = folder;
    this.config = config;
    if (existsSync(folder) && readdirSync(folder).length > 0)
      throw new UsageError(`--out ${folder} holds files already; name a new or empty folder.`);
    mkdirSync(folder, { recursive: true });
  }

  append(event: EpochEvent | ResultEvent): void {
    appendFileSync(join(this.folder, 'metrics.jsonl'), `${JSON.stringify(event)}\n`);
  }

  finish(result: ResultEvent): void {
    const path = join(this.folder, 'run.json');
    writeFileSync(`${path}.part`, `${JSON.stringify({ config: this.config, result }, null, 2)}\n`);
    renameSync(`${path}.part`, path);
  }
}
