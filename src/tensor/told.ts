import { shorten } from '../math/text.ts';

/** A value from a caller without types, for messages: objects are not written out, which may hold an engine's memory or themselves. */
export function told(value: unknown): string {
  if (value instanceof Promise) return 'a promise';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `the bigint ${value}`;
  return typeof value === 'object' && value !== null ? 'an object' : shorten(value);
}
