import { type Folder, Run, type RunSummary, summarize } from '../../../src/index.ts';
import { fetchedFolder, pickedFolder } from '../../../src/platform/browser/index.ts';
import { type ReportView, readReport } from './report-view.ts';
import { type RunView, viewRun } from './run-view.ts';

/** Files that a user picked: each with its place in what was picked, `/` between names. */
export interface Picked {
  readonly files: readonly (readonly [string, Blob])[];
  /** Which of several runs: its place. */
  readonly place?: string;
}

/** Several runs in one picked folder. */
export interface RunsView {
  readonly kind: 'runs';
  readonly runs: readonly { readonly place: string; readonly summary: RunSummary }[];
  /** Folders that look like runs and cannot be read, each with the reason. */
  readonly damaged: readonly string[];
}

const MOST_RECORDS = 2 ** 28;
const RUN_FILE = 'run.json';

/** Answers of the page "Runs". */
export const runsAnswers = {
  /** The run that the server of the lab has. */
  servedRun: async ({ address, name }: { address: string; name: string }): Promise<RunView> =>
    viewRun(await Run.open(fetchedFolder(address)), name),
  /** A run, a list of runs, or a report: what the picked files are. */
  pickedFiles: async (picked: Picked): Promise<RunView | RunsView | ReportView> => openPicked(picked),
};

/** The folders of picked files that hold a run: by their places, each with its files. */
export function runFolders({ files }: Picked): Map<string, Folder> {
  const folders = new Map<string, Folder>();
  for (const [path] of files) {
    if (path !== RUN_FILE && !path.endsWith(`/${RUN_FILE}`)) continue;
    const place = path.slice(0, -RUN_FILE.length).replace(/\/$/, '');
    const within = place === '' ? '' : `${place}/`;
    const own = files.filter(([other]) => other.startsWith(within));
    folders.set(
      place,
      pickedFolder(
        place || 'the picked files',
        new Map(own.map(([other, blob]) => [other.slice(within.length), blob])),
      ),
    );
  }
  return folders;
}

/** The one run among picked files, or the one at the place that is named. @throws RangeError for none or several */
export function oneRun(picked: Picked): [string, Folder] {
  const folders = [...runFolders(picked)];
  const [found] = picked.place === undefined ? folders : folders.filter(([place]) => place === picked.place);
  if (!found || (picked.place === undefined && folders.length > 1))
    throw new RangeError(`${namesOf(picked)} holds ${folders.length} runs. Expected the folder of one run.`);
  return found;
}

async function openPicked(picked: Picked): Promise<RunView | RunsView | ReportView> {
  const folders = runFolders(picked);
  if (folders.size === 1 || (folders.size > 1 && picked.place !== undefined)) {
    const [place, folder] = oneRun(picked);
    return viewRun(await Run.open(folder), place || RUN_FILE);
  }
  if (folders.size > 1) return listRuns(folders);
  const records = picked.files.find(([path]) => path.endsWith('.jsonl'));
  if (!records)
    throw new RangeError(
      `${namesOf(picked)} is no run and no report: a run's folder holds ${RUN_FILE}, a report's records end in .jsonl.`,
    );
  const [path, blob] = records;
  if (blob.size > MOST_RECORDS)
    throw new RangeError(`${path} has ${blob.size} bytes; ${MOST_RECORDS} is the most that can be read.`);
  const beside = picked.files.find(([other]) => other === path.replace(/jsonl$/, 'md'));
  return readReport(path.split('/').at(-1) as string, await blob.text(), await beside?.[1].text());
}

async function listRuns(folders: ReadonlyMap<string, Folder>): Promise<RunsView> {
  const runs: RunsView['runs'][number][] = [];
  const damaged: string[] = [];
  for (const [place, folder] of folders)
    try {
      runs.push({ place, summary: await summarize(await Run.open(folder)) });
    } catch (error) {
      damaged.push((error as Error).message);
    }
  return { kind: 'runs', runs, damaged };
}

/** What was picked, in words. */
function namesOf({ files }: Picked): string {
  if (files.length === 0) return 'What was picked';
  const [first] = files[0][0].split('/');
  return files.length === 1 || files.every(([path]) => path.startsWith(`${first}/`)) ? first : `${first} and others`;
}
