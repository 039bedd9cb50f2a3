/** Words of an ImageData for a byte: alpha, blue, green, red from the highest bits (browsers are little-endian). */
export type Ink = (byte: number) => number;

/** White ink on black. */
export const whiteInk: Ink = (byte) => 0xff000000 | (byte * 0x010101);

/** Draws a square of bytes on a canvas as large. */
export function putBytes(canvas: HTMLCanvasElement, bytes: Uint8Array, ink: Ink): void {
  const side = Math.sqrt(bytes.length);
  const image = new ImageData(side, side);
  const words = new Uint32Array(image.data.buffer);
  for (let i = 0; i < words.length; i++) words[i] = ink(bytes[i]);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}
