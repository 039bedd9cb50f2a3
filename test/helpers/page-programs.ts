import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A TypeScript program of a page of docs, what the page says that it prints, and what it printed. */
export interface PageProgram {
  readonly says: string;
  readonly printed: string;
}

/** Runs every program of a page that has its output beneath it. */
export function runPagePrograms(page: string): PageProgram[] {
  const text = readFileSync(join(root, page), 'utf8');
  const folder = mkdtempSync(join(root, 'test', '.page-'));
  try {
    return [...text.matchAll(/```ts\n([\s\S]*?)```[\s\S]*?```text\n([\s\S]*?)```/g)].map(([, code, says], number) => {
      const file = join(folder, `program-${number}.ts`);
      writeFileSync(file, code);
      const printed = execFileSync(process.execPath, ['--conditions=flipgrad-source', file], { encoding: 'utf8' });
      return { says, printed };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
