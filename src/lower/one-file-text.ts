/** JSON in a program that may stand in a page: no name in it ends the script. */
export const jsonText = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

/** Names are anybody's text: a line of a comment stays one. */
export const commented = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ').replaceAll('</', '< /');

/** A step as JavaScript; what stands under `of` is a function's text. */
export function textOf(value: unknown, key?: string): string {
  if (typeof value === 'string' && key === 'of') return value;
  if (Array.isArray(value)) return `[${value.map((part) => textOf(part)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return jsonText(value);
  return `{ ${Object.entries(value)
    .map(([name, part]) => `${name}: ${textOf(part, name)}`)
    .join(', ')} }`;
}

/** A function's text without the blanks that types leave behind when Node strips them. */
export function tidy(text: string): string {
  return text
    .replace(/(\S) {2,}(?=\S)/g, '$1 ')
    .replace(/ +([,;)])/g, '$1')
    .replace(/ +$/gm, '');
}
