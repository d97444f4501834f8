/** The replicas of the backend: processes of their own on one database, killed and started again under load. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import { freePort } from '../freePort';
import type { Address, Upstream } from './address';

const ROOT = join(__dirname, '..', '..', '..');
const BACKEND = join(ROOT, 'plugin-js', 'dev', 'backend.ts');
const READY_MS = 300_000;
/** What Backstage says of every backend on this machine */
const OF_THE_STAGE = /backend\.baseUrl is set to a localhost URL|events backend not found|^Loading config/;

/** What differs from one to the other */
export type Configure = (replica: { name: string; baseUrl: string; port: number }) => object;

interface Running extends Upstream {
  readonly name: string;
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  ready: boolean;
}

export class Replicas {
  readonly #folder = mkdtempSync(join(tmpdir(), 'entra-access-soak-'));
  readonly #running = new Map<string, Running>();
  readonly #address: Address;
  readonly #configure: Configure;
  #output = '';
  #closed = false;

  constructor(address: Address, configure: Configure) {
    this.#address = address;
    this.#configure = configure;
  }

  /** Of those that serve */
  get urls(): string[] {
    return [...this.#running.values()].filter(({ ready }) => ready).map(({ port }) => `http://127.0.0.1:${port}`);
  }

  /** Once it is ready to serve; only then does it get requests */
  async start(name: string): Promise<void> {
    const port = await freePort();
    if (this.#closed) throw new Error('all replicas have ended');
    const baseUrl = `http://127.0.0.1:${port}`;
    const file = join(this.#folder, `${name}.yaml`);
    writeFileSync(file, stringify(this.#configure({ name, baseUrl, port })));
    const env = { ...process.env, LOG_LEVEL: 'warn', NODE_ENV: 'production' };
    const child = spawn(process.execPath, ['--import', 'tsx', BACKEND, '--config', file], { cwd: ROOT, env });
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', line => {
        if (!OF_THE_STAGE.test(line)) this.#output = `${this.#output}${name}: ${line}\n`.slice(-20_000);
      });
    const ended = new Promise(resolve => child.once('close', resolve));
    const replica: Running = { name, port, child, ended, ready: false };
    this.#running.set(name, replica);
    const deadline = Date.now() + READY_MS;
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline)
        throw new Error(`${name} does not serve\n${this.#output}`);
      const answer = await fetch(`${baseUrl}/.backstage/health/v1/readiness`).catch(() => undefined);
      if (answer?.status === 200) break;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    replica.ready = true;
    this.#address.add(replica);
  }

  /** As the kernel does it: the load balancer finds out by itself */
  async kill(name: string): Promise<void> {
    const replica = this.#running.get(name);
    if (!replica) return;
    this.#running.delete(name);
    replica.child.kill('SIGKILL');
    await replica.ended;
    this.#address.remove(replica);
  }

  /** The end of what all of them printed */
  get output(): string {
    return this.#output;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running.keys()].map(name => this.kill(name)));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
