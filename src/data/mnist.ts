/** Where MNIST and Fashion-MNIST are found, and how their files are known to be the right ones. Facts only. */

/**
 * How a file is checked: the SHA-256 of its contents once decompressed (any compression level passes),
 * or the MD5 of the file as published. Lower-case hexadecimal.
 */
export type FileCheck = { sha256OfContents: string } | { md5OfFile: string };

/** One of the four files of a data set. */
export interface PublishedFile {
  file: string;
  check: FileCheck;
  /** Bytes of its contents, decompressed. */
  size: number;
}

/** A published data set of four gzipped IDX files: 60,000 training and 10,000 test images of 28 × 28 pixels, 10 classes. */
export interface PublishedDataset {
  title: string;
  source: string;
  /** Base addresses that end in a slash, in the order to try. */
  mirrors: readonly string[];
  files: {
    trainImages: PublishedFile;
    trainLabels: PublishedFile;
    testImages: PublishedFile;
    testLabels: PublishedFile;
  };
  classes: readonly string[];
}

/** The names of the published data sets. */
export type PublishedName = 'mnist' | 'fashion-mnist';

/** The last this many training examples are the validation part. */
export const VALIDATION_COUNT = 10_000;

const TRAIN_IMAGES = 'train-images-idx3-ubyte.gz';
const TRAIN_LABELS = 'train-labels-idx1-ubyte.gz';
const TEST_IMAGES = 't10k-images-idx3-ubyte.gz';
const TEST_LABELS = 't10k-labels-idx1-ubyte.gz';

/** Headers of IDX files, and a byte a pixel or label. */
const SIZES: Readonly<Record<string, number>> = {
  [TRAIN_IMAGES]: 16 + 60_000 * 28 * 28,
  [TRAIN_LABELS]: 8 + 60_000,
  [TEST_IMAGES]: 16 + 10_000 * 28 * 28,
  [TEST_LABELS]: 8 + 10_000,
};

function contents(file: string, sha256OfContents: string): PublishedFile {
  return { file, check: { sha256OfContents }, size: SIZES[file] };
}

function published(file: string, md5OfFile: string): PublishedFile {
  return { file, check: { md5OfFile }, size: SIZES[file] };
}

/**
 * MNIST's SHA-256 were computed from decompressed files, three of which have the published MD5 (torchvision's list);
 * all four stand in other projects' public lists. Fashion-MNIST's MD5 stand in its README and in torchvision.
 */
export const PUBLISHED_DATASETS = {
  mnist: {
    title: 'MNIST handwritten digits',
    source: 'LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998',
    mirrors: ['https://storage.googleapis.com/cvdf-datasets/mnist/', 'https://ossci-datasets.s3.amazonaws.com/mnist/'],
    files: {
      trainImages: contents(TRAIN_IMAGES, 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db'),
      trainLabels: contents(TRAIN_LABELS, '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5'),
      testImages: contents(TEST_IMAGES, '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7'),
      testLabels: contents(TEST_LABELS, 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2'),
    },
    classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  },
  'fashion-mnist': {
    title: 'Fashion-MNIST',
    source: 'Xiao, Rasul, Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking", 2017',
    mirrors: [
      'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
      'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
    ],
    files: {
      trainImages: published(TRAIN_IMAGES, '8d4fb7e6c68d591d4c3dfef9ec88bf0d'),
      trainLabels: published(TRAIN_LABELS, '25c81989df183df01b3e8a0aad5dffbe'),
      testImages: published(TEST_IMAGES, 'bef4ecab320f06d8554ea6380940ec79'),
      testLabels: published(TEST_LABELS, 'bb300cfdad3c16e7a12a480ee83cd310'),
    },
    classes: ['T-shirt', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
  },
} as const satisfies Record<PublishedName, PublishedDataset>;
