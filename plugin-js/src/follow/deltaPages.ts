/** Pages of Microsoft Graph's delta queries, read strictly: what a page is not sure of is not written down */
import { z } from 'zod';
import { isGuid, momentSeconds } from '../core';
import { GraphError } from '../graph/graphError';
import { memberKey, type MemberKey } from './memberList';

/** What a page says of one group; later entries come after earlier ones */
export interface GroupChange {
  id: string;
  /** Deleted, or to be had again */
  removed: boolean;
  members: ReadonlyArray<{ key: MemberKey; gone: boolean }>;
}

/** What a page says of one account; what it leaves out is as it was */
export interface AccountChange {
  id: string;
  removed?: 'changed' | 'deleted';
  enabled?: boolean | null;
  validFrom?: string | null;
}

const guid = z
  .string()
  .refine(isGuid)
  .transform(id => id.toLowerCase());
const removal = z.object({ reason: z.enum(['changed', 'deleted']) });

const memberSchema = z.object({ '@odata.type': z.string(), id: guid, '@removed': z.object({}).optional() });
const groupsSchema = z.object({
  value: z.array(
    z.object({ id: guid, 'members@delta': z.array(memberSchema).optional(), '@removed': removal.optional() }),
  ),
});

/** As the core reads it: what was written down and could not be read would stop every replica */
const moment = z.string().refine(time => momentSeconds(time) !== undefined);
const usersSchema = z.object({
  value: z.array(
    z.object({
      id: guid,
      accountEnabled: z.boolean().nullish(),
      signInSessionsValidFromDateTime: moment.nullish(),
      '@removed': removal.optional(),
    }),
  ),
});

/** @throws GraphError for what is no page of `/groups/delta?$select=members` */
export function readGroups(page: unknown): GroupChange[] {
  return parse(groupsSchema, page).value.map(group => ({
    id: group.id,
    removed: group['@removed'] !== undefined,
    members: (group['members@delta'] ?? []).map(member => ({
      key: memberKey(member['@odata.type'] === '#microsoft.graph.group', member.id),
      gone: member['@removed'] !== undefined,
    })),
  }));
}

/** @throws GraphError for what is no page of `/users/delta` */
export function readUsers(page: unknown): AccountChange[] {
  return parse(usersSchema, page).value.map(user => ({
    id: user.id,
    removed: user['@removed']?.reason,
    enabled: user.accountEnabled,
    validFrom: user.signInSessionsValidFromDateTime,
  }));
}

function parse<T>(schema: z.ZodType<T>, page: unknown): T {
  const parsed = schema.safeParse(page);
  if (parsed.success) return parsed.data;
  // Where, not what: it may be a name.
  const path = parsed.error.issues[0]?.path.filter(step => typeof step === 'string').join('.') || 'the page';
  throw new GraphError(`the answer of Microsoft Graph is refused: \`${path}\` has another form`, { scope: 'tenant' });
}
