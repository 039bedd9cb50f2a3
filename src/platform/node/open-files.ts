/** Of a process that may open no more files, or a system. */
const CODES = /\bE[MN]FILE\b/;

/** Is an error that no more files may be opened? Threads that could not start say so in their message. */
export function isOutOfFiles(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, message, cause } = error as NodeJS.ErrnoException;
  return CODES.test(`${code} ${message}`) || isOutOfFiles(cause);
}

/** What was expected then, in a sentence. */
export function outOfFiles(): string {
  const limit = openFiles();
  const known = limit === undefined ? '' : `, ${limit},`;
  return `The limit of open files${known} of this process is reached. Expected a higher one: \`ulimit -n 1024\` before the command.`;
}

/** How many files this process may have open, where the system tells. Node knows it without opening one. */
export function openFiles(): number | undefined {
  // Names of the other ends of connections are not looked up.
  const report = Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const limit = Number(userLimits?.open_files?.soft);
  return Number.isFinite(limit) ? limit : undefined;
}
