import type { Response } from 'express';
import type { EntraCore } from '../core';
import { MAX_PAGE, type AuditEntry } from '../openapi/audit';
import { CSV, NDJSON } from '../openapi/document';
import type { Handlers } from '../openapi/handlers';
import { csvHeader, csvLine } from './csv';
import type { AuditRecord, AuditRow } from './records';
import type { AuditCursor, AuditFilter, AuditStore } from './store';
import type { AuditTrail } from './trail';
import { verifyAudit, type AuditProblem, type KnownHead, type VerifiedChain } from './verify';

const PAGE = 100;

/** What the routes need */
export interface AuditRouterOptions {
  core: Pick<EntraCore, 'audit'>;
  audit: AuditTrail;
  store: AuditStore;
}

/** Routes below `/api/entra-access/v1/audit` */
export function auditHandlers({
  core,
  audit,
  store,
}: AuditRouterOptions): Pick<Handlers, 'listAuditEntries' | 'verifyAudit'> {
  /** Everything that fits, page by page: the client's reading speed is the limit */
  async function exported(
    response: Response,
    type: string,
    filter: AuditFilter,
    start: AuditCursor | undefined,
    header: string,
    lineOf: (row: AuditRow) => string,
  ): Promise<undefined> {
    let rows = await store.entries(filter, MAX_PAGE, start);
    response.setHeader('Content-Type', `${type}; charset=utf-8`);
    await write(response, header);
    while (rows.length > 0 && !response.destroyed) {
      await write(response, rows.map(lineOf).join(''));
      rows = rows.length < MAX_PAGE ? [] : await store.entries(filter, MAX_PAGE, rows.at(-1));
    }
    response.end();
  }

  return {
    async listAuditEntries({ request, response, query }) {
      const { limit = PAGE, cursor, from, to, ...equal } = query;
      // As somebody may have typed it.
      const reference = equal.reference?.toUpperCase();
      const filter = { ...equal, reference, from: millisecondsOf(from), to: millisecondsOf(to) };
      const after = cursor === undefined ? undefined : readCursor(cursor);
      const type = request.accepts(['application/json', NDJSON, CSV]);
      if (type === NDJSON)
        return exported(response, NDJSON, filter, after, '', row => `${JSON.stringify(entryOf(row))}\n`);
      if (type === CSV) return exported(response, CSV, filter, after, csvHeader, csvLine);
      const rows = await store.entries(filter, limit, after);
      const last = rows.length === limit ? rows.at(-1) : undefined;
      return { items: rows.map(entryOf), nextCursor: last ? writeCursor(last) : null };
    },

    async verifyAudit({ request, response, query: { head = [], after } }) {
      const heads = [...head.map(placeOf), { chain: audit.chain, ...audit.head }];
      const streams = request.accepts(['application/json', NDJSON]) === NDJSON;
      const [chains, problems]: [VerifiedChain[], AuditProblem[]] = [[], []];
      if (streams) response.setHeader('Content-Type', `${NDJSON}; charset=utf-8`);
      for await (const step of verifyAudit({ core, store, heads, after: after ? placeOf(after) : undefined })) {
        if (response.destroyed) return undefined;
        if ('chain' in step) chains.push(step.chain);
        if ('problem' in step) problems.push(step.problem);
        if (streams) await write(response, `${JSON.stringify(step)}\n`);
      }
      // Its absence says that not everything was verified.
      const verdict = { whole: problems.length === 0, records: chains.reduce((sum, { records }) => sum + records, 0) };
      if (!streams) return { ...verdict, chains, problems };
      response.end(`${JSON.stringify(verdict)}\n`);
      return undefined;
    },
  };
}

/** A record as it is kept, with its hash */
function entryOf({ hash, record }: AuditRow): AuditEntry {
  const { at, ...rest } = JSON.parse(record) as AuditRecord & { chain: string; seq: number };
  return { at: new Date(at).toISOString(), ...rest, hash };
}

const millisecondsOf = (time?: string) => (time === undefined ? undefined : Date.parse(time));

/** Of `<chain>:<number>:<hash>` */
function placeOf(text: string): KnownHead {
  const [chain = '', seq, hash = ''] = text.split(':');
  return { chain, seq: Number(seq), hash };
}

/** Waits where the client reads slowly */
async function write(response: Response, part: string): Promise<void> {
  if (part === '' || response.write(part)) return;
  await new Promise<void>(resolve => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

function writeCursor({ at, chain, seq }: AuditCursor): string {
  return [at, chain, seq].join('.');
}

function readCursor(cursor: string): AuditCursor {
  const [at, chain = '', seq] = cursor.split('.');
  return { at: Number(at), chain, seq: Number(seq) };
}
