/** Where and with what it was measured. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem, type } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');

const PEERS = [
  '@backstage/plugin-catalog-backend',
  '@backstage/plugin-permission-node',
  '@casl/ability',
  '@cedar-policy/cedar-wasm',
  'casbin',
  'fast-jwt',
  'graphology',
  'jose',
  'jose6',
  'jsonwebtoken',
];

export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  system: string;
  node: string;
  openssl: string;
  /** 1, 5 and 15 minutes: above the number of cores, absolute times mean little */
  load: number[];
}

export function machine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${process.arch}`,
    node: process.versions.node,
    openssl: process.versions.openssl,
    load: loadavg().map(load => Math.round(load * 100) / 100),
  };
}

/** As installed, not as asked for */
export function versions(packages: readonly string[] = PEERS): Record<string, string> {
  const read = (...path: string[]) => JSON.parse(readFileSync(join(ROOT, ...path, 'package.json'), 'utf8')).version;
  return {
    'entra-access': read('plugin-js'),
    v8: process.versions.v8,
    ...Object.fromEntries(packages.map(name => [name, read('node_modules', name)])),
  };
}
