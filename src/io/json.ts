import { shorten } from '../math/text.ts';
import { isObject } from '../schema/is-object.ts';
import { FormatError } from './format-error.ts';

export { shorten };

/** Deeper JSON is nothing that we wrote, and costs far more memory than its bytes. */
const DEEPEST = 64;
const [QUOTE, BACKSLASH, COLON] = [34, 92, 58];

/**
 * JSON of unknown origin. Unlike `JSON.parse` it refuses two names that are equal in one object, and deep nesting.
 * @param where what the text is, for messages
 * @throws FormatError when it is no such JSON
 */
export function parseJson(text: string, where: string): unknown {
  const twice = scan(text, where);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${where} is not JSON: ${(error as Error).message}.`, { cause: error });
  }
  if (twice !== undefined) throw new FormatError(`${where} holds the name ${shorten(twice)} twice.`);
  return value;
}

/** UTF-8 of unknown origin. @throws FormatError when it is none */
export function decodeText(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new FormatError(`${where} is not text in UTF-8.`, { cause: error });
  }
}

/** An object, not an array and not null. @throws FormatError when the value is none */
export function asObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (isObject(value) && !Array.isArray(value)) return value;
  throw new FormatError(`${where} is ${Array.isArray(value) ? 'an array' : String(value)}. Expected an object.`);
}

/** The first name, as it is written, that an object holds twice. @throws FormatError for nesting that is too deep */
function scan(text: string, where: string): string | undefined {
  const names: Set<string>[] = [];
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      const end = endOfString(text, i + 1);
      const name = nameOf(text.slice(i, end + 1));
      i = end;
      if (!followedByColon(text, end + 1)) continue;
      const seen = (names[depth] ??= new Set());
      if (seen.has(name)) return name;
      seen.add(name);
    } else if (code === 123 || code === 91) {
      if (++depth > DEEPEST) throw new FormatError(`${where} is nested deeper than ${DEEPEST} objects or arrays.`);
      names[depth] = new Set();
    } else if (code === 125 || code === 93) depth = Math.max(0, depth - 1);
  }
  return undefined;
}

function endOfString(text: string, from: number): number {
  let i = from;
  for (; i < text.length && text.charCodeAt(i) !== QUOTE; i++) if (text.charCodeAt(i) === BACKSLASH) i++;
  return i;
}

function followedByColon(text: string, from: number): boolean {
  let i = from;
  while (i < text.length && text.charCodeAt(i) <= 32) i++;
  return text.charCodeAt(i) === COLON;
}

/** Two ways of writing the same name are the same name. */
function nameOf(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return String(JSON.parse(literal));
  } catch {
    // Not JSON: the parser will say so.
    return literal;
  }
}
