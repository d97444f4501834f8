// One set-up at a time: `npm start` and `npm test` side by side would build into the same folders.
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { STAMPS } from './paths.mjs';
import { onInterrupt } from './run.mjs';

const HEARTBEAT_MS = 5_000;
// A holder that neither ends nor beats for this long is another program that got a dead holder's process id.
const DEAD_AFTER_MS = 60_000;
const POLL_MS = 200;

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** The process id in the lock if it is held, `undefined` if it is free, 'stale' if its holder is gone. */
export function holder(path, nowMs = Date.now()) {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    // Asked only while waiting: a lock with our own id is a dead process's, whose id we got.
    return pid !== process.pid && isAlive(pid) && nowMs - statSync(path).mtimeMs < DEAD_AFTER_MS ? pid : 'stale';
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function tryTake(path) {
  // Made beside and linked into place: the lock appears with its owner's id already in it.
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

function clearStale(path) {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
    // Between the look and the rename another process may have taken the lock over: then it is given back.
    if (holder(aside) !== 'stale') linkSync(aside, path);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  rmSync(aside, { force: true });
}

export async function withLock(body, path = join(STAMPS, 'lock')) {
  mkdirSync(STAMPS, { recursive: true });
  let told;
  while (!tryTake(path)) {
    const other = holder(path);
    if (other === 'stale') clearStale(path);
    else if (other !== undefined && other !== told) {
      told = other;
      process.stdout.write(`waiting for the set-up that process ${other} is doing ...\n`);
    }
    if (other !== 'stale') await new Promise(resolve => setTimeout(resolve, POLL_MS));
  }
  // After a long suspension (Ctrl-Z, a laptop's sleep) the lock may be another's by now.
  const isMine = () => existsSync(path) && readFileSync(path, 'utf8') === String(process.pid);
  const release = () => isMine() && rmSync(path, { force: true });
  const withdraw = onInterrupt(release);
  const heartbeat = setInterval(() => isMine() && utimesSync(path, new Date(), new Date()), HEARTBEAT_MS);
  try {
    return await body();
  } finally {
    clearInterval(heartbeat);
    withdraw();
    release();
  }
}
