import { readFileSync } from 'node:fs';
import type { Blas } from '../../backend/blas.ts';
import type { Sgemm } from '../../backend/blas-block-tools.ts';

/** A BLAS was asked for by name and cannot be used. */
export class BlasError extends Error {
  override name = 'BlasError';
}

/** Libraries to look for, in order, on each operating system. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  darwin: ['/System/Library/Frameworks/Accelerate.framework/Accelerate', 'libopenblas.dylib'],
  linux: ['libmkl_rt.so.2', 'libmkl_rt.so', 'libopenblas.so.0', 'libopenblas.so', 'libblis.so.4', 'libblis.so'],
  win32: ['mkl_rt.2.dll', 'libopenblas.dll', 'openblas.dll'],
};

/** Functions by which libraries are told to use one thread of their own. */
const SET_THREADS = ['openblas_set_num_threads', 'MKL_Set_Num_Threads', 'bli_thread_set_num_threads'];

const ROW_MAJOR = 101;
const NO_TRANSPOSE = 111;
const TRANSPOSE = 112;

type Koffi = typeof import('koffi').default;

/**
 * Finds and tries a BLAS. `auto`: $FLIPGRAD_BLAS, else the first of the usual libraries that loads; undefined when there is none
 * or the optional dependency koffi is not installed.
 * @throws BlasError when a library that was named (by the argument or $FLIPGRAD_BLAS) cannot be used
 */
export async function findBlas(choice: string): Promise<Blas | undefined> {
  const named = choice === 'auto' ? process.env.FLIPGRAD_BLAS : choice;
  if (named === 'off') return undefined;
  let koffi: Koffi;
  try {
    koffi = (await import('koffi')).default;
  } catch (error) {
    if (!named) return undefined;
    throw new BlasError(
      `BLAS "${named}" needs the optional package koffi, which does not load here (${messageOf(error)}). Try \`npm install koffi\`.`,
    );
  }
  for (const library of named ? [named] : (LIBRARIES[process.platform] ?? [])) {
    try {
      return loadBlas(koffi, library);
    } catch (error) {
      if (named)
        throw new BlasError(
          `BLAS "${named}" cannot be used: ${messageOf(error)}. Expected the path of a library with cblas_sgemm.`,
        );
    }
  }
  return undefined;
}

/**
 * OpenBLAS 0.3.21 does not know Intel CPUs newer than itself and falls back to kernels a quarter as fast (measured here:
 * 32 in place of 144 GFLOP/s); this names a core that every CPU with AVX-512 can stand in for. An own setting is kept.
 */
function nameCoreForOpenBlas(): void {
  if (process.platform !== 'linux' || process.env.OPENBLAS_CORETYPE !== undefined) return;
  const facts = readFileSync('/proc/cpuinfo', 'utf8');
  if (/GenuineIntel/.test(facts) && /\bavx512vl\b/.test(facts)) process.env.OPENBLAS_CORETYPE = 'SkylakeX';
}

/** Loads a library, sets it to one thread and tries it on a product. @throws Error when any of it fails */
export function loadBlas(koffi: Koffi, library: string): Blas {
  if (/openblas/i.test(library)) nameCoreForOpenBlas();
  const lib = koffi.load(library);
  const call = lib.func(
    'void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, void *a, int lda, void *b, int ldb, float beta, void *c, int ldc)',
  );
  for (const name of SET_THREADS) {
    try {
      lib.func(`void ${name}(int n)`)(1);
    } catch {
      // Another vendor's function.
    }
  }
  const sgemm = (memory: WebAssembly.Memory): Sgemm => {
    // A shared memory is reserved at its maximum and never moves, so its address holds while it grows.
    const base = BigInt(koffi.address(new Uint8Array(memory.buffer)));
    return (ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) => {
      const [left, right, out] = [base + BigInt(a), base + BigInt(b), base + BigInt(c)];
      call(
        ROW_MAJOR,
        ta ? TRANSPOSE : NO_TRANSPOSE,
        tb ? TRANSPOSE : NO_TRANSPOSE,
        m,
        n,
        k,
        alpha,
        left,
        lda,
        right,
        ldb,
        beta,
        out,
        ldc,
      );
    };
  };
  tryProduct(sgemm);
  return { name: nameOf(library), library, sgemm };
}

/** [1 2; 3 4]·[5 6; 7 8] = [19 22; 43 50] */
function tryProduct(sgemm: Blas['sgemm']): void {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const floats = new Float32Array(memory.buffer);
  floats.set([1, 2, 3, 4, 5, 6, 7, 8]);
  sgemm(memory)(false, false, 2, 2, 2, 1, 0, 2, 16, 2, 0, 32, 2);
  if (floats.slice(8, 12).join() !== '19,22,43,50') throw new Error('its cblas_sgemm gives wrong products');
}

function nameOf(library: string): string {
  const file = library.split(/[\\/]/).at(-1) ?? library;
  return file
    .replace(/^lib/, '')
    .replace(/\.(so|dylib|dll)\b.*$/, '')
    .toLowerCase();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
}
