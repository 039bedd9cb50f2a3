/** Milliseconds that this process has had a processor: the clock does not run on while other processes have it. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
