import {
  directoryRoles,
  groupsDelta,
  memberGroups,
  servicePrincipalOf,
  usersDelta,
  type GraphTenant,
} from '../graph/addresses';
import type { GraphRequest } from '../graph/graphRequest';
import { error, skipped, warning, type Verdict } from './finding';
import { followsDirectory, type Section } from './subject';

/** A call of the backend, with the permissions any of which is enough; of each list one is needed */
export interface Need {
  call: string;
  request: (graph: GraphTenant) => GraphRequest;
  oneOfEach: ReadonlyArray<readonly string[]>;
  /** What goes wrong without it, and how bad that is */
  lacking: (section: Section) => (fix: string) => Verdict;
}

/** What Microsoft Graph is asked for, which hangs on where groups come from */
export interface Needs {
  calls: readonly Need[];
  /** Of use without being needed, or contained in what is needed */
  beside: readonly string[];
  /** Where the permissions stand */
  page: string;
}

/** An object that exists nowhere: asking for it takes the permission all the same, and harms nobody */
const NOBODY = '00000000-0000-4000-8000-000000000000';

const ALL = ['Directory.Read.All'];
const READ_GROUPS = ['GroupMember.Read.All', 'Group.Read.All', ...ALL];
const READ_ROLES = ['RoleManagement.Read.Directory', ...ALL];
const READ_APPLICATIONS = ['Application.Read.All', ...ALL];

/** Also asked first of all: whether there is a token, and an answer */
export const ROLES: Need = {
  call: 'directory roles',
  request: graph => ({ url: directoryRoles(graph) }),
  oneOfEach: [READ_ROLES],
  lacking: section => fix =>
    followsDirectory(section)
      ? skipped('whether a rule names a directory role, which is no group, is not known', fix)
      : warning('directory roles pass for groups', `${fix}, or list the roles under \`groups.directoryRoles\``),
};

const OF_TOKENS: Needs = {
  calls: [
    {
      call: 'groups of people',
      request: graph => ({ url: memberGroups(graph, 'users', NOBODY), body: { securityEnabledOnly: true } }),
      oneOfEach: [['User.ReadBasic.All', 'User.Read.All', ...ALL], READ_GROUPS],
      lacking: () => fix => error('the groups of people with more than 200 stay unknown', fix),
    },
    {
      call: 'groups of applications, app registrations',
      request: graph => ({ url: servicePrincipalOf(graph, NOBODY) }),
      oneOfEach: [READ_APPLICATIONS],
      lacking: section => {
        const grade = unmapped(section).length > 0 ? error : warning;
        return fix => grade('the groups of applications stay unknown, and no app registration can be looked at', fix);
      },
    },
    ROLES,
  ],
  beside: [],
  page: 'docs/groups.md',
};

const OF_DIRECTORY: Needs = {
  calls: [
    {
      call: 'accounts that are followed',
      request: graph => ({ url: usersDelta(graph, [NOBODY]) }),
      // `accountEnabled` is none of the basic properties.
      oneOfEach: [['User.Read.All', ...ALL]],
      lacking: () => fix =>
        error('accounts cannot be followed: who is disabled is not refused, and the groups of all stay unknown', fix),
    },
    {
      call: 'groups that are followed',
      request: graph => ({ url: groupsDelta(graph, [NOBODY]) }),
      oneOfEach: [READ_GROUPS],
      lacking: () => fix => error('groups cannot be followed: those of all stay unknown', fix),
    },
    {
      call: 'app registrations',
      request: graph => ({ url: servicePrincipalOf(graph, NOBODY) }),
      oneOfEach: [READ_APPLICATIONS],
      lacking: () => fix => skipped('no app registration can be looked at; nothing else needs it', fix),
    },
    ROLES,
  ],
  beside: ['Member.Read.Hidden', 'User.ReadBasic.All'],
  page: 'docs/directory.md',
};

/** What is asked with this configuration */
export function needsOf(section: Section): Needs {
  return followsDirectory(section) ? OF_DIRECTORY : OF_TOKENS;
}

/** Applications that are let in and whose groups nobody has written down */
function unmapped({ tenants, groups }: Section): string[] {
  const mapped = new Set((groups?.workloads ?? []).map(({ client }) => client.toLowerCase()));
  return tenants.flatMap(({ clients = [] }) => clients.filter(client => !mapped.has(client.toLowerCase())));
}
