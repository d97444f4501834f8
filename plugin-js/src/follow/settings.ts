import { z } from 'zod';
import { ConfigurationError } from '../core';
import { isAllowed } from '../http/bounded';

const PLACE = 'entraAccess.groups.graph.directory';

/** How Microsoft Graph is followed */
export interface FollowSettings {
  /** Seconds in which a change is in force where Graph tells nobody of it */
  pollSeconds: number;
  /** All groups, or those that the policy, the mapping and the catalog name, with the groups in them */
  groups: 'all' | 'matter';
  /** A full load that lacks a greater share of what is known is not taken */
  maxRemovedShare: number;
  /** Public address of this backend's route for change notifications */
  notificationUrl?: string;
}

const DEFAULTS: FollowSettings = { pollSeconds: 60, groups: 'all', maxRemovedShare: 0.2 };

const url = z.string().refine(text => URL.canParse(text) && isAllowed(new URL(text)) && new URL(text).search === '');
const schemas = {
  poll: { schema: z.int().min(10).max(3600), expected: 'seconds, 10 to 3600' },
  groups: { schema: z.enum(['all', 'matter']), expected: '`all` or `matter`' },
  maxRemovedShare: { schema: z.number().min(0).max(1), expected: 'a share from 0 to 1, such as 0.2' },
  notifications: {
    schema: z.strictObject({ url }),
    expected: '`url: https://...`, the public address of /api/entra-access/v1/notifications',
  },
};

type Section = { groups?: { source?: unknown; graph?: { directory?: unknown } } };

/**
 * How the directory is followed, with `groups.source: graph`; `undefined` where it is not.
 * @throws ConfigurationError with the place and what is expected
 */
export function readFollowSettings(section: object): FollowSettings | undefined {
  const { groups } = section as Section;
  const given = groups?.graph?.directory;
  const on = groups?.source === 'graph';
  if (given === undefined) return on ? DEFAULTS : undefined;
  if (!on) throw mistake('', 'nothing uses this section', 'set `groups.source: graph`, or remove it');
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw mistake('', 'this must be a mapping');
  const values = given as Record<string, unknown>;
  const unknown = Object.keys(values).find(name => !(name in schemas));
  if (unknown !== undefined) {
    throw mistake(`.${unknown}`, 'unknown key', `known are ${Object.keys(schemas).join(', ')}`);
  }
  const read = <K extends keyof typeof schemas>(name: K): z.infer<(typeof schemas)[K]['schema']> | undefined => {
    const { schema, expected } = schemas[name];
    if (values[name] === undefined) return undefined;
    const parsed = schema.safeParse(values[name]);
    if (!parsed.success) throw mistake(`.${name}`, `invalid value, expected ${expected}`);
    return parsed.data as never;
  };
  return {
    pollSeconds: read('poll') ?? DEFAULTS.pollSeconds,
    groups: read('groups') ?? DEFAULTS.groups,
    maxRemovedShare: read('maxRemovedShare') ?? DEFAULTS.maxRemovedShare,
    notificationUrl: read('notifications')?.url,
  };
}

function mistake(path: string, message: string, hint?: string): ConfigurationError {
  return new ConfigurationError({ path: `${PLACE}${path}`, message, ...(hint ? { hint } : {}) });
}
