/**
 * Everything that is served below `/api/entra-access`, once: requests are read by these schemas (`request.ts`), the document is made
 * of them (`document.ts`), and so are the types of the client.
 */
import type { z } from 'zod';
import { ownersAnswerSchema, ownersQuestionSchema } from '../service/ownersQuestion';
import { auditEntry, auditPage, auditVerdict, entriesQuery, verifyLine, verifyQuery } from './audit';
import type { RefusalName } from './errors';
import { decisionQuestion, explanation } from './explanation';
import { inspection, inspectionQuestion } from './inspection';
import { changeNotifications, notificationsQuery } from './notifications';
import type { OperationId } from './routes';
import { named } from './schema';
import { statusAnswer } from './status';
import { whoamiAnswer } from './whoami';

/** One operation; method and path are in `routes.ts` */
export interface Operation {
  summary: string;
  description?: string;
  tag: 'tokens' | 'decisions' | 'caller' | 'status' | 'audit' | 'internal' | 'document';
  /**
   * Who may: whoever has the permission of this name, everybody, the plugin `catalog` alone, or Microsoft Graph, which has no token:
   * the handler tells what is genuine
   */
  access: { permission: string } | 'public' | 'catalog' | 'graph';
  /** The setting without which it is not there */
  setting?: string;
  query?: z.ZodObject;
  body?: z.ZodObject;
  /** The body may be left out */
  bodyOptional?: true;
  /** Absent: the document itself */
  answer?: z.ZodType;
  /** The same line by line, for whoever asks for it by `Accept` */
  lines?: z.ZodType;
  /** The same as a table, for whoever asks for it by `Accept` */
  table?: boolean;
  /** The same in words, for whoever asks for it by `Accept`; `only`: there is nothing else */
  text?: boolean | 'only';
  /** What 202 says, with nothing in it */
  accepted?: string;
  /** What an answer leads to, by the name of the link */
  links?: Readonly<Record<string, { operationId: OperationId; parameters: Readonly<Record<string, string>> }>>;
  /** Which number of `entraAccess.limits` bounds it */
  limit?: 'inspect' | 'explain';
  /** Beyond what every operation can answer */
  refusals: readonly RefusalName[];
}

export const OPERATIONS = {
  getOpenApi: {
    summary: 'This document',
    tag: 'document',
    access: 'public',
    refusals: [],
  },
  inspectToken: {
    summary: 'Every check of a token',
    description:
      'What was expected, what the token says, the outcome, and the setting to change. The token is not sent back.',
    tag: 'tokens',
    access: { permission: 'entra-access.token.inspect' },
    body: inspectionQuestion,
    answer: inspection,
    limit: 'inspect',
    refusals: ['InvalidRequest', 'BodyTooLarge', 'BodyUnreadable'],
  },
  explainDecision: {
    summary: 'Why a permission is granted or not',
    description:
      'Result, rule, reasons and groups, read with the eyes of the caller: an entity that the caller may not read is not there. ' +
      'About somebody else `entra-access.decision.explain-others` is needed as well, rules that are for others are told with ' +
      '`entra-access.policy.read`, and what hangs on the groups of others, but for the answer and the rule that made it, with ' +
      '`entra-access.groups.read`; `withheld` names what is left out.',
    tag: 'decisions',
    access: { permission: 'entra-access.decision.explain' },
    body: decisionQuestion,
    answer: explanation,
    text: true,
    limit: 'explain',
    refusals: ['InvalidQuestion', 'NotFound', 'BodyTooLarge', 'BodyUnreadable'],
  },
  whoami: {
    summary: 'The caller as the core sees it',
    tag: 'caller',
    access: { permission: 'entra-access.whoami.read' },
    answer: whoamiAnswer,
    refusals: ['InvalidRequest', 'NotFound'],
  },
  getStatus: {
    summary: 'Ages of keys and directory, epoch, and what is wrong',
    tag: 'status',
    access: { permission: 'entra-access.status.read' },
    answer: statusAnswer,
    refusals: ['InvalidRequest'],
  },
  listAuditEntries: {
    summary: 'Records of the audit trail, the youngest first',
    description:
      'Page by page as JSON. As NDJSON and CSV, asked for by `Accept`, everything that fits comes at once, and `limit` is of no effect.',
    tag: 'audit',
    access: { permission: 'entra-access.audit.read' },
    query: entriesQuery,
    answer: auditPage,
    lines: auditEntry,
    table: true,
    links: {
      nextPage: { operationId: 'listAuditEntries', parameters: { 'query.cursor': '$response.body#/nextCursor' } },
    },
    refusals: ['InvalidRequest', 'QueryTooLong'],
  },
  verifyAudit: {
    summary: 'Whether the audit trail is whole',
    description:
      'As NDJSON, asked for by `Accept`, step by step; where the verdict is missing at the end, not everything was verified.',
    tag: 'audit',
    access: { permission: 'entra-access.audit.read' },
    query: verifyQuery,
    answer: auditVerdict,
    lines: verifyLine,
    refusals: ['InvalidRequest', 'QueryTooLong'],
  },
  receiveNotifications: {
    summary: 'Change notifications of Microsoft Graph, and the handshake before them',
    description:
      'Not part of the public contract: Microsoft Graph sends them, and what does not carry the secret of a subscription is answered ' +
      'alike and not heard. It is a hint to ask what has changed, never data.',
    tag: 'internal',
    access: 'graph',
    setting: 'entraAccess.groups.graph.directory.notifications',
    query: notificationsQuery,
    body: changeNotifications,
    bodyOptional: true,
    text: 'only',
    accepted: 'It has come, whatever becomes of it',
    refusals: ['InvalidRequest', 'NotifiedTooMuch', 'BodyUnreadable'],
  },
  findOwners: {
    summary: 'Which owners count as a principal’s',
    description: 'Not part of the public contract: the catalog in another process asks it, and nobody else may.',
    tag: 'internal',
    access: 'catalog',
    body: named('OwnersQuestion', ownersQuestionSchema),
    answer: named('OwnersAnswer', ownersAnswerSchema),
    refusals: ['InvalidRequest', 'BodyTooLarge', 'BodyUnreadable'],
  },
} as const satisfies Record<OperationId, Operation>;

type Operations = typeof OPERATIONS;
/** What Graph sends its handler reads */
type Read<Id extends OperationId> = Operations[Id] extends { access: 'graph' } ? object : Operations[Id];

/** What an operation is asked with beside the caller, after it was read */
export type QueryOf<Id extends OperationId> =
  Read<Id> extends { query: infer Q extends z.ZodType } ? z.output<Q> : undefined;
export type BodyOf<Id extends OperationId> =
  Read<Id> extends { body: infer B extends z.ZodType } ? z.output<B> : undefined;
/** What it answers as JSON */
export type AnswerOf<Id extends OperationId> = Operations[Id] extends { answer: infer A extends z.ZodType }
  ? z.output<A>
  : object;
