/** Milliseconds: work goes on in another task after so long. */
const SLICE = 8;
const waiting = new Set<() => void>();
let going = false;

/**
 * Does a piece of work soon, after those that were asked for before, as many in a task as take little time: a page that gets much at once
 * answers people between them. What fails is an error of the page, and holds up no other. @returns a way to call it off
 */
export function inTurn(work: () => void): () => void {
  const own = (): void => work();
  waiting.add(own);
  if (!going) setTimeout(slice);
  going = true;
  return () => {
    waiting.delete(own);
  };
}

async function slice(): Promise<void> {
  const start = performance.now();
  for (const work of waiting) {
    waiting.delete(work);
    try {
      work();
    } catch (error) {
      reportError(error);
    }
    // What is drawn anew for it is drawn in microtasks, and counts.
    await undefined;
    if (performance.now() - start >= SLICE) break;
  }
  going = waiting.size > 0;
  if (going) setTimeout(slice);
}
