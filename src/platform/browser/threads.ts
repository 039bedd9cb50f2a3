/** How many threads a page may have, and what stands in the way of more. */
export interface BrowserThreads {
  readonly threads: number;
  /** Why there is one thread only; a sentence for people. */
  readonly reason?: string;
}

/** Looks for what threads need: memory that workers share, which a page has only when it is cross-origin isolated. */
export function browserThreads(
  scope: { crossOriginIsolated?: boolean; navigator?: { hardwareConcurrency?: number } } = globalThis,
): BrowserThreads {
  const cores = scope.navigator?.hardwareConcurrency ?? 1;
  if (scope.crossOriginIsolated !== true)
    return {
      threads: 1,
      reason:
        'This page runs on one thread: it is not cross-origin isolated, so workers cannot share memory. `flipgrad lab` sends the headers that do it (Cross-Origin-Opener-Policy: same-origin, Cross-Origin-Embedder-Policy: require-corp).',
    };
  return cores > 1 ? { threads: cores } : { threads: 1, reason: 'This machine has one core.' };
}
