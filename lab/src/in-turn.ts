let last: Promise<void> = Promise.resolve();

/**
 * Does a piece of work in a task of its own, after those that were asked for before: a page that gets many charts at once answers people
 * between them. @returns a way to call it off
 */
export function inTurn(work: () => void): () => void {
  let wanted = true;
  const turn = (): Promise<void> =>
    new Promise((resolve, reject) => {
      setTimeout(() => {
        try {
          if (wanted) work();
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
  const own = last.then(turn);
  // One that fails is told of by the browser, and holds up no other.
  last = own.catch(() => {});
  return () => {
    wanted = false;
  };
}
