let last: Promise<void> = Promise.resolve();

/**
 * Does a piece of work in a task of its own, after those that were asked for before: a page that gets many charts at once answers people
 * between them. What fails is an error of the page, and holds up no other. @returns a way to call it off
 */
export function inTurn(work: () => void): () => void {
  let wanted = true;
  const turn = (): Promise<void> =>
    new Promise((resolve) => {
      setTimeout(() => {
        try {
          if (wanted) work();
        } finally {
          resolve();
        }
      });
    });
  last = last.then(turn);
  return () => {
    wanted = false;
  };
}
