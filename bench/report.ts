/** What every bench does around its groups: how it is called, what it prints, and the file that it leaves behind. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { measureGroup, type GroupPlan, type GroupResult } from './harness';
import { machine } from './machine';
import { seeded } from './random';
import { FULL, QUICK, type Effort } from './sampling';
import { groupTable, machineLines } from './table';

/** `[--quick] [--only TEXT] [--json FILE]` */
export interface Options {
  quick: boolean;
  only: string;
  json?: string;
}

export function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      only: { type: 'string', default: '' },
    },
  });
  return values;
}

export const print = (text: string) => process.stdout.write(`${text}\n`);

/** One run, from the machine as it was before to the load at the end */
export class Report {
  readonly effort: Effort;
  readonly #options: Options;
  readonly #seed: number;
  readonly #before = machine();
  readonly #groups: GroupResult[] = [];
  #versions: Record<string, string> = {};

  /** `full`: how much to measure, unless it is to be quick */
  constructor(options: Options, seed: number, full = FULL) {
    this.#options = options;
    this.#seed = seed;
    this.effort = options.quick ? QUICK : full;
  }

  begin(versions: Record<string, string>): void {
    this.#versions = versions;
    print(machineLines(this.#before, versions));
  }

  /** Those whose name contains what was asked for */
  wanted<T extends { name: string }>(plans: readonly T[]): T[] {
    const only = this.#options.only.toLowerCase();
    return plans.filter(({ name }) => name.toLowerCase().includes(only));
  }

  async measure(plan: GroupPlan): Promise<void> {
    this.add(await measureGroup(plan, this.effort, seeded(this.#seed)));
  }

  /** A group that was measured elsewhere */
  add(result: GroupResult): void {
    this.#groups.push(result);
    print(`\n${groupTable(result)}`);
  }

  end(): void {
    const loadAtEnd = machine().load;
    print(`\nload at the end: ${loadAtEnd.join(' ')}`);
    const { quick, json } = this.#options;
    const report = { machine: this.#before, versions: this.#versions, quick, loadAtEnd, groups: this.#groups };
    if (json) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  }
}
