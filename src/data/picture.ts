import { DataError, type ImageShape } from './dataset.ts';
import { createGreyTools, type Picture } from './grey-picture.ts';
import { createPictureFitter, type FittedPicture } from './picture-fitter.ts';
import { createInkFinder } from './picture-ink.ts';

const tools = createGreyTools();
const fit = createPictureFitter(tools, createInkFinder(tools));

/**
 * Makes a picture look like MNIST's: bright on dark, the ink's box scaled to 20/28 of the side and its centre of mass in the
 * middle. A picture of the right size is not moved or scaled. A photograph's shadows and grain become ground: what is darker (or
 * brighter) than all that lies within a stroke's width is ink. Source: the preparation of MNIST (LeCun, Cortes, Burges); closing by a flat
 * element (Serra 1982).
 * @throws DataError for a picture without contrast
 */
export function fitPicture(picture: Picture, shape: ImageShape): FittedPicture {
  try {
    return fit(picture, shape);
  } catch (error) {
    throw error instanceof RangeError ? new DataError(error.message) : error;
  }
}
