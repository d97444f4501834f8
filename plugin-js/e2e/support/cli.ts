import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/main';

/** Runs a command of `entra-access` in this process */
export async function said(...args: string[]): Promise<{ code: number; out: string; complaints: string }> {
  let [out, complaints] = ['', ''];
  const code = await run(args, { out: text => void (out += text), complain: text => void (complaints += text) });
  return { code, out, complaints };
}

/** A folder of files, by name */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'entra-access-cli-'));

  /** Writes a file; @returns its path */
  write(name: string, text: string): string {
    const file = join(this.path, name);
    writeFileSync(file, text);
    return file;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
