/** A PostgreSQL server of the machine's own, for one test file: nothing is left of it */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../../dev/freePort';

/** A running server, whose superuser needs no password from this machine */
export interface Postgres {
  connection: { host: string; port: number; user: string; password: string };
  /** As a crash would; {@link resume} brings it back */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** The folder with `initdb` and `postgres`; Debian keeps them off the PATH */
const BIN = folders().find(folder => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));

/** Why a test with PostgreSQL is skipped; `false` where there is a server */
export const WITHOUT_POSTGRES = BIN === undefined && 'no PostgreSQL server is installed here (initdb, postgres)';

/** Makes a cluster and starts it */
export async function startPostgres(): Promise<Postgres> {
  if (BIN === undefined) throw new Error(String(WITHOUT_POSTGRES));
  const folder = mkdtempSync(join(tmpdir(), 'entra-access-postgres-'));
  const account = unprivileged();
  if (account) chownSync(folder, account.uid, account.gid);
  chmodSync(folder, 0o700);
  const data = join(folder, 'data');
  const options = { ...account, cwd: folder, env: { LC_ALL: 'C.UTF-8', TZ: 'UTC' } };
  const made = spawnSync(join(BIN, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync'], options);
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr?.toString() ?? made.error?.message}`);
  const port = await freePort();
  const settings = [`listen_addresses=127.0.0.1`, `port=${port}`, `unix_socket_directories=${folder}`, 'fsync=off'];
  const args = ['-D', data, ...settings.flatMap(setting => ['-c', setting])];

  let end: () => Promise<void>;
  async function start(): Promise<void> {
    const server = spawn(join(BIN ?? '', 'postgres'), args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise<void>(resolve => server.once('close', () => resolve()));
    let output = '';
    const ready = new Promise<void>((resolve, reject) => {
      server.stderr.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.includes('ready to accept connections')) resolve();
      });
      server.once('error', reject);
      void ended.then(() => reject(new Error(`postgres ended: ${output}`)));
    });
    end = async () => {
      // Immediate: without waiting for clients to leave.
      server.kill('SIGQUIT');
      await ended;
    };
    await ready;
  }
  await start();
  return {
    connection: { host: '127.0.0.1', port, user: 'postgres', password: '' },
    pause: () => end(),
    resume: start,
    async stop() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function folders(): string[] {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  return [...(process.env.PATH ?? '').split(delimiter), ...versions.map(version => join(debian, version, 'bin'))];
}

/** The server refuses to run as root */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(spawnSync('id', [flag, 'postgres']).stdout.toString().trim() || Number.NaN);
  const [uid, gid] = [id('-u'), id('-g')];
  // `nobody` of every Linux.
  return Number.isInteger(uid) && Number.isInteger(gid) ? { uid, gid } : { uid: 65534, gid: 65534 };
}
