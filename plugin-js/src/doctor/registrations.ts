import { isGuid } from '../core';
import { notSeen, type Application, type Applications } from './applications';
import { about, error, ok, orOk, skipped, warning, type Check, type Verdict } from './finding';
import { followsDirectory, type Section, type SignIn, type Subject } from './subject';

/** Values of `groupMembershipClaims` with which tokens list groups */
const WITH_GROUPS = ['SecurityGroup', 'ApplicationGroup', 'All'];

/** Whether the app registrations fit the configuration: where people are sent back to, and what their tokens hold */
export function registrationChecks(subject: Subject, applications: Applications): Check[] {
  const { section, signIns, baseUrl } = subject;
  return [
    { id: 'backend.baseUrl', about: 'backend.baseUrl', make: () => baseUrlVerdict(baseUrl) },
    ...(signIns.length === 0
      ? [{ id: 'registration.redirect', about: 'auth.providers.microsoft', make: () => NOT_INTERACTIVE }]
      : signIns.map(signIn => redirectCheck(signIn, applications))),
    ...section.tenants.flatMap(tenant => tokenChecks(tenant, applications, !followsDirectory(section))),
  ];
}

const NOT_INTERACTIVE = skipped(
  'nobody signs in through Backstage itself, so Entra sends nobody back to it',
  'a proxy in front has a redirect URI of its own: look there',
);

function baseUrlVerdict(baseUrl: string | undefined): Verdict {
  const fix = 'set `backend.baseUrl` to the https address by which browsers reach the backend';
  if (baseUrl === undefined || !URL.canParse(baseUrl)) return error('there is no address in it', fix);
  const { protocol, hostname } = new URL(baseUrl);
  if (protocol === 'https:') return ok('an https address');
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (local) return ok('on this machine alone');
  return warning('tokens travel over plain http, and Entra sends nobody back to such an address', fix);
}

function redirectCheck({ place, clientId, redirectUri }: SignIn, applications: Applications): Check {
  return {
    id: 'registration.redirect',
    about: place,
    async make() {
      if (redirectUri === undefined)
        return skipped('where people are sent back to is not known', 'see backend.baseUrl');
      const lookup = await applications.find(clientId);
      return lookup.state === 'here' ? redirectVerdict(lookup.application, redirectUri, clientId) : notSeen(lookup)!;
    },
  };
}

function redirectVerdict({ web, spa, publicClient }: Application, wanted: string, clientId: string): Verdict {
  const has = (platform: typeof web) => platform?.redirectUris?.some(uri => sameUri(uri, wanted)) ?? false;
  const shown = withoutCredentials(wanted);
  if (has(web)) return ok(`${shown} is registered`);
  const add = `add ${shown} to app registration ${clientId} (Authentication, platform Web)`;
  if (has(spa) || has(publicClient)) {
    return error(`${shown} is registered, and not for the platform Web: Entra gives no token for the secret`, add);
  }
  return error(
    `${shown} is not registered: Entra refuses every sign-in (AADSTS50011)`,
    `${add}, or correct \`backend.baseUrl\` or \`callbackUrl\``,
  );
}

/** Entra compares scheme and host in any letter case, the rest exactly */
function sameUri(registered: string, wanted: string): boolean {
  return URL.canParse(registered) && URL.canParse(wanted) && new URL(registered).href === new URL(wanted).href;
}

function withoutCredentials(uri: string): string {
  if (!URL.canParse(uri)) return 'the callback address';
  const { origin, pathname } = new URL(uri);
  return `${origin}${pathname}`;
}

/** One for each client id that is an audience, and one for all App ID URIs */
function tokenChecks(
  { audiences }: Section['tenants'][number],
  applications: Applications,
  groupsNeeded: boolean,
): Check[] {
  const ids = audiences.filter(isGuid);
  return ids.map(clientId => ({
    id: 'registration.tokens',
    about: clientId,
    async make() {
      const lookup = await applications.find(clientId);
      if (lookup.state === 'absent') {
        return error(
          'no tenant knows an application of this client id, so no token for it exists',
          'correct `audiences`',
        );
      }
      if (lookup.state !== 'here') return notSeen(lookup)!;
      return orOk(
        tokenVerdicts(lookup.application, audiences, groupsNeeded),
        groupsNeeded
          ? 'its access tokens list groups, and their audience is accepted'
          : 'the audience of its access tokens is accepted',
      );
    },
  }));
}

function tokenVerdicts(
  { groupMembershipClaims, api, identifierUris }: Application,
  audiences: readonly string[],
  groupsNeeded: boolean,
): Verdict[] {
  const found: Verdict[] = [];
  const claims = (groupMembershipClaims ?? '').split(',').map(each => each.trim());
  if (groupsNeeded && !claims.some(claim => WITH_GROUPS.includes(claim))) {
    const fix = 'set `groupMembershipClaims: SecurityGroup` (Token configuration, Add groups claim)';
    found.push(warning('its tokens list no groups, so Microsoft Graph is asked about every person', fix));
  }
  const version2 = api?.requestedAccessTokenVersion === 2;
  for (const uri of version2 ? [] : (identifierUris ?? []).filter(each => !audiences.includes(each))) {
    const fix = 'set `requestedAccessTokenVersion: 2` in its manifest, or add the App ID URI to `audiences`';
    found.push(
      about(uri, warning('its access tokens are v1.0 and may name this App ID URI, which is no audience here', fix)),
    );
  }
  return found;
}
