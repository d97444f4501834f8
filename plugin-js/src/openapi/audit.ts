/** The audit trail: what is asked and answered */
import { z } from 'zod';
import type { AuditRecord } from '../audit/records';
import type { AuditProblem, VerifiedChain, VerifyStep } from '../audit/verify';
import { effect } from './explanation';
import { count, named, schemaOf, searched, timeAnswer } from './schema';

/** Most records of a page */
export const MAX_PAGE = 1_000;

const time = z.iso.datetime({ offset: true });
const event = z.enum(['start', 'sign-in', 'token-refused', 'decision', 'reads', 'lost', 'checkpoint']);
const place = z
  .string()
  .regex(/^[0-9a-f-]{36}:\d{1,10}:[0-9a-f]{64}$/, 'expected <chain>:<number>:<hash>')
  .describe('`<chain>:<number>:<hash>` of a record');

export const entriesQuery = z.strictObject({
  principal: searched
    .optional()
    .describe('Who asked: an entity ref, or the subject of a service, such as `plugin:catalog`'),
  resource: searched.optional(),
  result: effect.optional(),
  rule: searched.optional(),
  event: event.optional(),
  reference: z
    .string()
    .regex(/^[0-9A-Za-z]{10}$/, 'expected ten letters and digits')
    .optional()
    .describe('What a refused caller was told, in letters of either case'),
  from: time.optional().describe('Not before'),
  to: time.optional().describe('Before, this time itself not included'),
  limit: z.int().min(1).max(MAX_PAGE).optional().describe('Most records of a page. Default: 100'),
  cursor: z
    .string()
    .regex(/^\d{1,15}\.[0-9a-f-]{36}\.\d{1,10}$/, 'not one that this route has given')
    .optional()
    .describe('`nextCursor` of the page before'),
});

export const verifyQuery = z.strictObject({
  head: z.array(place).max(100).optional().describe('What the chains had reached, as known from elsewhere'),
  after: place.optional().describe('Goes on with one chain behind a record that was verified before'),
});

/** A record as it is kept, with its hash */
export type AuditEntry = Omit<AuditRecord, 'at'> & { at: string; chain: string; seq: number; hash: string };

const text = z.string().optional();

export const auditEntry = named(
  'AuditEntry',
  schemaOf<AuditEntry>()(
    z.strictObject({
      at: timeAnswer,
      chain: z.string(),
      seq: count,
      hash: z.string(),
      event,
      result: effect.optional(),
      principal: text.describe('Entity ref, or the subject of a service (kind `service`), such as `plugin:catalog`'),
      kind: text,
      identity: text.describe('`<tenant id>/<object id>`: of an agent, the person for whom it acts'),
      client: text.describe('Client id'),
      agent: text.describe('Client id of an agent'),
      issuer: text,
      job: z.record(z.string(), z.string()).optional().describe('A CI job, by the names that its issuer uses'),
      permission: text,
      action: text,
      resourceType: text,
      resource: text,
      rule: text,
      code: text.describe('A stable code'),
      reasons: z.array(z.string()).optional(),
      reference: text.describe('What a refused caller was told'),
      epoch: count.optional(),
      request: text.describe('Of the HTTP request'),
      plugin: text.describe('Which plugin asked'),
      count: count.optional(),
      since: z.number().optional().describe('From when on was counted, in milliseconds since the epoch'),
      heads: z
        .array(z.string())
        .optional()
        .describe('`<chain> <number> <hash>`: how far other chains reached, or were removed'),
    }),
  ),
);

export const auditPage = named(
  'AuditPage',
  z.strictObject({
    items: z.array(auditEntry),
    nextCursor: z.string().nullable().describe('Of the next page; null: this was the last'),
  }),
);

const verifiedChain = named(
  'VerifiedChain',
  schemaOf<VerifiedChain>()(
    z.strictObject({ chain: z.string(), from: z.int(), to: count, records: count, hash: z.string() }),
  ),
);

const auditProblem = named(
  'AuditProblem',
  schemaOf<AuditProblem>()(
    z.strictObject({
      chain: z.string(),
      seq: z.int().describe('Number of the first record that does not fit'),
      finding: z.enum(['missing', 'misplaced', 'altered', 'unreadable', 'columns', 'cut', 'unnamed']),
      message: z.string(),
    }),
  ),
);

const verdictFields = { whole: z.boolean(), records: count };

export const auditVerdict = named(
  'AuditVerdict',
  z.strictObject({ ...verdictFields, chains: z.array(verifiedChain), problems: z.array(auditProblem) }),
);

const verifyStep = schemaOf<VerifyStep>()(
  z.union([
    z.strictObject({ progress: verifiedChain }),
    z.strictObject({ chain: verifiedChain }),
    z.strictObject({ problem: auditProblem }),
  ]),
);

export const verifyLine = named(
  'AuditVerifyLine',
  z.union([verifyStep, z.strictObject(verdictFields)]).describe('A step; the verdict is the last line'),
);

export type AuditPage = z.output<typeof auditPage>;
export type AuditVerdict = z.output<typeof auditVerdict>;
