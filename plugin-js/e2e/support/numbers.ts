import type { DirectoryNumbers, NumberedDirectory } from '../../src/access/directoryNumbers';

/** Numbers of directories as the database of the plugin gives them out, for replicas in one process */
export class NumbersInMemory implements DirectoryNumbers {
  row: NumberedDirectory = { epoch: 0, fingerprint: null, catalog: 0 };

  async newest(): Promise<NumberedDirectory> {
    return this.row;
  }

  async advance(newest: NumberedDirectory, fingerprint: string): Promise<NumberedDirectory | undefined> {
    if (newest.catalog !== this.row.catalog) return undefined;
    this.row = { ...this.row, epoch: this.row.epoch + 1, catalog: newest.catalog + 1, fingerprint };
    return this.row;
  }
}
