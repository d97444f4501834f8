import type { AuditStore } from './store';
import type { AuditTrail } from './trail';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Links removed in one transaction */
const AT_ONCE = 1_000;

/**
 * Removes records whose time is over, from the beginning of each chain on. The last one that goes is named in a record of the running
 * chain, and in a checkpoint with which verifying begins: what remains is as provable as before.
 */
export async function pruneAudit(
  store: AuditStore,
  trail: Pick<AuditTrail, 'commit'>,
  days: number,
  signal?: AbortSignal,
  now = Date.now(),
): Promise<number> {
  let pruned = 0;
  for (const { chain } of await store.chains()) {
    for (let last = await expired(chain); last && !signal?.aborted; last = await expired(chain)) {
      // First the record: nothing is removed that is not written down, also where answers do not wait for theirs.
      const head = `${chain} ${last.seq} ${last.hash}`;
      await trail.commit({ event: 'checkpoint', heads: [head] });
      await store.prune(chain, last, now);
      pruned += 1;
    }
  }
  return pruned;

  function expired(chain: string) {
    return store.expired(chain, now - days * DAY_MS, AT_ONCE);
  }
}

/**
 * Names the checkpoint that stands for all records of an idle process's chain, in its own chain. Whoever removed them has named it, too,
 * but in a record that goes after its time, while this process may still be idle.
 *
 * Not where records went before their time: nobody but who tampers with the trail removes those.
 */
export async function nameOwnCheckpoint(
  store: Pick<AuditStore, 'checkpoint'>,
  trail: Pick<AuditTrail, 'chain' | 'head' | 'headAt' | 'commit'>,
  days: number,
  now = Date.now(),
): Promise<void> {
  const { chain, head, headAt } = trail;
  if (headAt >= now - days * DAY_MS) return;
  const checkpoint = await store.checkpoint(chain);
  if (checkpoint?.seq !== head.seq || checkpoint.hash !== head.hash) return;
  await trail.commit({ event: 'checkpoint', heads: [`${chain} ${head.seq} ${head.hash}`] });
}
