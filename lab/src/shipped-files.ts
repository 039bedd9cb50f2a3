let folder: string | undefined;

/** Says where the files stand that come with the lab, for a page that is not the lab's. */
export function shipFrom(address: string): void {
  folder = address;
}

/** The address of a file that comes with the lab: beside its page, unless `shipFrom` has said another place. */
export const addressOfShipped = (file: string): string => new URL(file, folder ?? document.baseURI).href;
