/**
 * `GET /mint?as=olivia[&variant=expired]`: a token as plain text for a curl line. The real service has nothing like
 * it; there a person would sign in.
 */
import { attackNames, forgeAttack } from './attacks';
import { workloads } from './applications';
import { agents, people, type Principal } from './people';
import { text, type Reply, type Route, type RouteRequest } from './routes';
import type { Tenant } from './tenant';

const principals: ReadonlyMap<string, Principal> = new Map(
  [...Object.values(people), ...Object.values(agents), ...Object.values(workloads)].map(
    (principal): [string, Principal] => [principal.key, principal],
  ),
);

export const mintRoutes: Route[] = [{ name: 'mint', method: 'GET', path: '/mint', handle: mint }];

function mint({ query }: RouteRequest, tenant: Tenant): Reply {
  const principal = principals.get(query.get('as') ?? '');
  if (!principal) return text(400, `as: one of ${[...principals.keys()].join(', ')}\n`);

  const variant = query.get('variant');
  if (!variant) return text(200, tenant.mintAccessToken(principal));
  if (variant === 'v1') return text(200, tenant.mintAccessToken(principal, { version: '1.0' }));
  if (principal.kind !== 'user' || !attackNames.includes(variant)) {
    return text(400, `variant: v1 or, for people, one of ${attackNames.join(', ')}\n`);
  }
  return text(200, forgeAttack(tenant, variant, principal).token);
}
