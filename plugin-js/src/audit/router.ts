import { InputError } from '@backstage/errors';
import type { Request, Response, Router } from 'express';
import PromiseRouter from 'express-promise-router';
import { z } from 'zod';
import type { EntraCore } from '../core';
import { coded } from '../service/coded';
import { csvHeader, csvLine } from './csv';
import type { AuditRow } from './records';
import type { AuditCursor, AuditFilter, AuditStore } from './store';
import type { AuditTrail } from './trail';
import { verifyAudit, type AuditProblem, type VerifiedChain } from './verify';

const PAGE = 100;
const MAX_PAGE = 1_000;
const NDJSON = 'application/x-ndjson';
const CSV = 'text/csv';

/** What the routes need */
export interface AuditRouterOptions {
  core: Pick<EntraCore, 'audit'>;
  audit: AuditTrail;
  store: AuditStore;
  /** @throws NotAllowedError where the caller may not read the audit trail */
  allowed(request: Request): Promise<unknown>;
}

const text = z.string().min(1).max(1024);
const time = z.iso.datetime({ offset: true }).transform(value => Date.parse(value));
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const chain = z.string().regex(/^[0-9a-f-]{36}$/);
const whole = z
  .string()
  .regex(/^\d{1,10}$/)
  .transform(Number);
const place = z.string().transform((value, context) => {
  const [one, seq, sum, ...more] = value.split(':');
  const parsed = z.strictObject({ chain, seq: whole, hash }).safeParse({ chain: one, seq, hash: sum });
  if (parsed.success && more.length === 0) return parsed.data;
  context.addIssue({ code: 'custom', message: 'not <chain>:<number>:<hash>' });
  return z.NEVER;
});

const entriesSchema = z.strictObject({
  principal: text.optional(),
  resource: text.optional(),
  result: z.enum(['ALLOW', 'DENY', 'CONDITIONAL']).optional(),
  rule: text.optional(),
  event: z.enum(['start', 'sign-in', 'token-refused', 'decision', 'reads', 'lost', 'checkpoint']).optional(),
  // As somebody may have typed it.
  reference: z
    .string()
    .regex(/^[0-9A-Za-z]{10}$/)
    .transform(reference => reference.toUpperCase())
    .optional(),
  from: time.optional(),
  to: time.optional(),
  limit: whole.pipe(z.number().min(1).max(MAX_PAGE)).optional(),
  cursor: z.string().max(256).optional(),
});
const cursorSchema = z.strictObject({ at: z.int(), chain, seq: z.int() });
const verifySchema = z.strictObject({
  head: z.union([place.transform(one => [one]), z.array(place).max(100)]).optional(),
  after: place.optional(),
});

/** Routes below `/api/entra-access/v1/audit` */
export function createAuditRouter({ core, audit, store, allowed }: AuditRouterOptions): Router {
  const router = PromiseRouter();

  router.get('/entries', async (request, response) => {
    await allowed(request);
    const { limit = PAGE, cursor, ...filter } = parse(entriesSchema, request.query);
    const after = cursor === undefined ? undefined : readCursor(cursor);
    const type = request.accepts(['application/json', NDJSON, CSV]);
    if (type === NDJSON)
      return exported(response, NDJSON, filter, after, '', row => `${JSON.stringify(entryOf(row))}\n`);
    if (type === CSV) return exported(response, CSV, filter, after, csvHeader, csvLine);
    const rows = await store.entries(filter, limit, after);
    const last = rows.length === limit ? rows.at(-1) : undefined;
    response.json({ items: rows.map(entryOf), nextCursor: last ? writeCursor(last) : null });
  });

  /** Everything that fits, page by page: the client's reading speed is the limit */
  async function exported(
    response: Response,
    type: string,
    filter: AuditFilter,
    start: AuditCursor | undefined,
    header: string,
    lineOf: (row: AuditRow) => string,
  ): Promise<void> {
    let rows = await store.entries(filter, MAX_PAGE, start);
    response.setHeader('Content-Type', `${type}; charset=utf-8`);
    await write(response, header);
    while (rows.length > 0 && !response.destroyed) {
      await write(response, rows.map(lineOf).join(''));
      rows = rows.length < MAX_PAGE ? [] : await store.entries(filter, MAX_PAGE, rows.at(-1));
    }
    response.end();
  }

  router.get('/verify', async (request, response) => {
    await allowed(request);
    const { head = [], after } = parse(verifySchema, request.query);
    const heads = [...head, { chain: audit.chain, ...audit.head }];
    const streams = request.accepts(['application/json', NDJSON]) === NDJSON;
    const [chains, problems]: [VerifiedChain[], AuditProblem[]] = [[], []];
    if (streams) response.setHeader('Content-Type', `${NDJSON}; charset=utf-8`);
    for await (const step of verifyAudit({ core, store, heads, after })) {
      if (response.destroyed) return;
      if ('chain' in step) chains.push(step.chain);
      if ('problem' in step) problems.push(step.problem);
      if (streams) await write(response, `${JSON.stringify(step)}\n`);
    }
    // Its absence says that not everything was verified.
    const verdict = { whole: problems.length === 0, records: chains.reduce((sum, { records }) => sum + records, 0) };
    if (streams) response.end(`${JSON.stringify(verdict)}\n`);
    else response.json({ ...verdict, chains, problems });
  });

  return router;
}

/** A record as it is kept, with its hash */
function entryOf({ hash: sum, record }: AuditRow): object {
  const { at, ...rest } = JSON.parse(record) as { at: number };
  return { at: new Date(at).toISOString(), ...rest, hash: sum };
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

function writeCursor({ at, chain: of, seq }: AuditCursor): string {
  return Buffer.from(JSON.stringify({ at, chain: of, seq })).toString('base64url');
}

function readCursor(cursor: string): AuditCursor {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw coded('request_invalid', new InputError('cursor: not one that this route has given'));
  }
}

function parse<T>(schema: z.ZodType<T>, query: unknown): T {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'query'}: ${message}`);
  throw coded('request_invalid', new InputError(`the query is not as expected: ${issues.join('; ').slice(0, 500)}`));
}
