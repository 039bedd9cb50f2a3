/** Block sizes of the map of crossovers. */
const SIZES = [1, 4, 16, 64, 256];

/** Those that divide a layer of that width. */
export const mapSizes = (units: number): number[] => SIZES.filter((size) => units % size === 0);
