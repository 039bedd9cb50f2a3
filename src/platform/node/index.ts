/** flipgrad on Node: engines with threads, and data sets from files and the network. */
export { DATASET_NAMES, dataFolder, type LoadOptions, loadDataset } from './data-folder.ts';
export { DownloadError } from './download.ts';
export { createEngine, nodePlatform } from './engine.ts';
export type { DownloadProgress } from './transfer.ts';
