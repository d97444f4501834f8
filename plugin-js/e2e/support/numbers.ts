import type { DirectoryNumbers, NumberedDirectory } from '../../src/access/directoryNumbers';

/** Numbers of directories as the database of the plugin gives them out, for replicas in one process */
export class NumbersInMemory implements DirectoryNumbers {
  row: NumberedDirectory = { epoch: 0, fingerprint: null };

  async newest(): Promise<NumberedDirectory> {
    return this.row;
  }

  async advance(epoch: number, fingerprint: string): Promise<boolean> {
    if (epoch !== this.row.epoch) return false;
    this.row = { epoch: epoch + 1, fingerprint };
    return true;
  }
}
