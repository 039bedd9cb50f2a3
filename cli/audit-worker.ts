/**
 * A thread that judges neurons, so that one that never ends, throws or takes all memory ends with it and nothing else. It imports the parts
 * of the library that it uses, since a thread loads all that it imports anew.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { certify } from '../src/audit/certify.ts';
import { replayDigest } from '../src/audit/replay.ts';
import type { Variant } from '../src/audit/variants.ts';
import { createEngine, type Engine } from '../src/backend/engine.ts';
import { relaxedSimdSupported } from '../src/backend/wasm.ts';
import { type AuditReply, type AuditRequest, type BoxData, DONE, RUNNING } from './audit-box.ts';
import { measureRow, withPrinted } from './audit-row.ts';
import { neuronNamed, textsOfFiles } from './neuron-file.ts';
import { forgetOutside, readOutside, watchOutside } from './watch-outside.ts';

const { files, calls } = workerData as BoxData;

/** The same function; it tells when it begins and comes back, and throws where it has read something outside. */
function within<F>(f: F, owner: object): F {
  if (typeof f !== 'function') return f;
  const told = (...args: unknown[]): unknown => {
    forgetOutside();
    Atomics.add(calls, RUNNING, 1);
    let result: unknown;
    try {
      result = f.apply(owner, args);
    } finally {
      Atomics.sub(calls, RUNNING, 1);
      Atomics.add(calls, DONE, 1);
    }
    const outside = readOutside();
    if (outside !== undefined)
      throw new Error(
        `it reads ${outside}; expected that a neuron depends on what it is given alone, and draws nothing but its noise`,
      );
    return result;
  };
  return told as F;
}

/** An object with all of its functions watched. */
const withWatched = <T extends object>(of: T): T =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [name, within(value, of)])) as T;

/** A neuron whose functions are watched, those of its claims and its opening too. */
function watched({ neuron, ...rest }: Variant): Variant {
  const { claims, opening } = neuron;
  return {
    ...rest,
    neuron: {
      ...withWatched(neuron),
      claims: withWatched(claims),
      ...(opening && { opening: withWatched(opening) }),
    },
  };
}

if (files.length > 0) watchOutside();
let engines: readonly Engine[] | undefined;

async function answer(request: AuditRequest): Promise<AuditReply> {
  if (request.kind === 'list') return { kind: 'list', texts: await textsOfFiles(files) };
  const variant = watched(await neuronNamed(request.text, files));
  if (request.kind === 'digest') return { kind: 'digest', digest: replayDigest(variant.neuron) };
  // Every build of the kernels that this Node runs: Node 20 has no relaxed SIMD.
  const builds = relaxedSimdSupported() ? (['simd', 'relaxed'] as const) : (['simd'] as const);
  engines ??= await Promise.all(builds.map((simd) => createEngine({ simd, threads: 1 })));
  const { flags } = request;
  const verdicts = certify(variant, { engines, seed: flags.seed, thorough: flags.thorough ?? false });
  // What throws or keeps something to itself has no measure.
  if (verdicts[0].verdict === 'refuted' && verdicts[0].claim === 'same input, same output')
    return { kind: 'audit', verdicts, digest: '' };
  const row = measureRow(variant, flags);
  return { kind: 'audit', verdicts: withPrinted(variant, row, verdicts), row, digest: replayDigest(variant.neuron) };
}

parentPort?.on('message', (request: AuditRequest) => {
  answer(request).then(
    (reply) => parentPort?.postMessage(reply),
    (error: Error) => parentPort?.postMessage({ kind: 'error', message: error.message } satisfies AuditReply),
  );
});
parentPort?.postMessage({ kind: 'ready' } satisfies AuditReply);
