/** Thrown when a value stops being a finite number; says where it was first seen. */
export class NonFiniteError extends Error {
  override name = 'NonFiniteError';
}
