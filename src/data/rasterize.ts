import { IMAGE_SIZE, type Trajectory } from './pen.ts';

/**
 * Draws the segment from (x0, y0) to (x1, y1) into an image of bytes. A pixel's ink is clamp(radius + ½ − distance, 0, 1)
 * of its centre, which is the coverage of the pixel by a line's straight edge; where segments meet the darker one stays.
 */
function drawSegment(
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  radius: number,
  image: Uint8Array,
  offset: number,
): void {
  const reach = radius + 0.5;
  const top = Math.max(0, Math.ceil(Math.min(y0, y1) - reach - 0.5));
  const bottom = Math.min(IMAGE_SIZE - 1, Math.floor(Math.max(y0, y1) + reach - 0.5));
  const left = Math.max(0, Math.ceil(Math.min(x0, x1) - reach - 0.5));
  const right = Math.min(IMAGE_SIZE - 1, Math.floor(Math.max(x0, x1) + reach - 0.5));
  const dx = x1 - x0;
  const dy = y1 - y0;
  const square = dx * dx + dy * dy;
  for (let row = top; row <= bottom; row++)
    for (let column = left; column <= right; column++) {
      const x = column + 0.5 - x0;
      const y = row + 0.5 - y0;
      const along = square > 0 ? Math.min(1, Math.max(0, (x * dx + y * dy) / square)) : 0;
      const offX = x - along * dx;
      const offY = y - along * dy;
      const ink = reach - Math.sqrt(offX * offX + offY * offY);
      const byte = ink >= 1 ? 255 : ink <= 0 ? 0 : Math.round(255 * ink);
      const at = offset + row * IMAGE_SIZE + column;
      if (byte > image[at]) image[at] = byte;
    }
}

/**
 * Draws a trajectory as an antialiased line with round ends: 0 is paper, 255 ink.
 * @param image receives 28 × 28 bytes, row-major, from `offset` on; must be zero there
 */
export function rasterize({ points, penUp, radius }: Trajectory, image: Uint8Array, offset: number): void {
  for (let i = 0; i + 1 < penUp.length; i++)
    if (!penUp[i])
      drawSegment(points[2 * i], points[2 * i + 1], points[2 * i + 2], points[2 * i + 3], radius, image, offset);
}
