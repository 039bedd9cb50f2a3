/** A sweep that cannot go on: the message says why and what was expected. */
export class SweepError extends Error {
  override name = 'SweepError';
}

/** Loads a package that only sweeps need. @throws SweepError that says what to install where it is absent */
export async function needed<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new SweepError(
      `Sweeps need the package ${name}, which is not installed: run npm install pg-boss pg @electric-sql/pglite.`,
    );
  }
}
