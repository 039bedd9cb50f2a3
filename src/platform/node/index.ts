/** flipgrad on Node: engines with threads, and data sets from files and the network. */
export { BlasError } from './blas.ts';
export { calibrationFile, readCalibration, saveCalibration } from './calibration.ts';
export { watchLines } from './csv.ts';
export { readDataFile } from './data-file.ts';
export { DATASET_NAMES, dataFolder, type LoadOptions, loadClasses, loadDataset } from './data-folder.ts';
export { DownloadError } from './download.ts';
export { createEngine, nodePlatform } from './engine.ts';
export { nodeFolder } from './folder.ts';
export { packageVersion } from './own-package.ts';
export { readPng } from './png.ts';
export { processorTime } from './processor-time.ts';
export { type Provenance, provenance } from './provenance.ts';
export { readSequences } from './sequence-data.ts';
export { type Loaded, readTable, type TableLoadOptions } from './table-data.ts';
export { dataSources, loadTaskData } from './task-data.ts';
export { isText, TEXT_NAMES } from './text-data.ts';
export { joined, readText, type TextFile, type TextFilesOptions, textFiles } from './text-files.ts';
export type { DownloadProgress } from './transfer.ts';
