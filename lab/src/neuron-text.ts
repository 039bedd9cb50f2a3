/** Neurons as people write them: `name`, or `name:option=value,option=value`. */

/** Neurons separated by commas, each once; their options have commas too. */
export const neuronsIn = (text: string): string[] => [
  ...new Set(text.split(/,(?![^,:]+=)/).filter((neuron) => neuron !== '')),
];

export const nameIn = (text: string): string => text.split(':')[0];

/** What a text says of options, by name. */
export function optionsIn(text: string): Map<string, string> {
  const given = text.includes(':') ? text.slice(text.indexOf(':') + 1).split(',') : [];
  return new Map(given.map((pair) => pair.split('=')).map(([name, value = '']) => [name, value]));
}

/** The same neuron with an option set; undefined takes it away, and leaves the default. */
export function withOption(text: string, option: string, value: string | number | undefined): string {
  const options = optionsIn(text);
  if (value === undefined) options.delete(option);
  else options.set(option, String(value));
  const pairs = [...options].map((pair) => pair.join('='));
  return pairs.length === 0 ? nameIn(text) : `${nameIn(text)}:${pairs.join(',')}`;
}
