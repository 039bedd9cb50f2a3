/** Flags with values, without those that others give: a flag is given once. */
export function flagsUnder(usual: readonly string[], given: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < usual.length; i += 2) if (!given.includes(usual[i])) kept.push(usual[i], usual[i + 1]);
  return [...kept, ...given];
}
