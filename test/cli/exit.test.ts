/** What an error that reached the top becomes: a sentence for the user's fault, a stack for our own. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ExitCode, explain } from '../../cli/exit.ts';

function caught(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown.');
}

test('errors of the operating system are sentences', () => {
  const { text, code } = explain(caught(() => readFileSync('/no/such/file')));
  assert.match(text, /^flipgrad: ENOENT: no such file or directory, open '\/no\/such\/file'$/);
  assert.equal(code, ExitCode.badUsage);
});

test('errors with codes of Node or of the web are our own, and have a stack', () => {
  for (const action of [
    () => structuredClone(() => {}),
    () => Buffer.alloc('1' as unknown as number),
    () => new URL('no address'),
  ]) {
    const error = caught(action);
    assert.notEqual((error as NodeJS.ErrnoException).code, undefined);
    const { text, code } = explain(error);
    assert.match(text, /^flipgrad: an error of its own, not of your input:\n.*exit\.test\.ts/s, error.message);
    assert.equal(code, ExitCode.badUsage);
  }
});
