/**
 * `GET /ci/mint?job=gitlab-staging[&audience=X][&variant=expired]`: a token as plain text for a curl line. The real services
 * have nothing like it; there a job finds its token in its environment.
 */
import { text, type Reply, type Route, type RouteRequest } from '../tenant/routes';
import type { Tenant } from '../tenant/tenant';
import { jobs } from './jobs';
import { forgeVariant, variantNames } from './variants';

export const mintRoutes: Route[] = [{ name: 'ci.mint', method: 'GET', path: '/ci/mint', handle: mint }];

function mint({ query }: RouteRequest, { ci }: Tenant): Reply {
  const variant = query.get('variant');
  if (variant !== null) {
    if (!variantNames.includes(variant)) return text(400, `variant: one of ${variantNames.join(', ')}\n`);
    return text(200, forgeVariant(ci, variant).token);
  }
  const job = jobs.find(({ key }) => key === query.get('job'));
  if (!job) return text(400, `job: one of ${jobs.map(({ key }) => key).join(', ')}\n`);
  const audiences = query.getAll('audience');
  return text(
    200,
    ci.mint(job, audiences.length > 0 ? { audience: audiences.length > 1 ? audiences : audiences[0] } : {}),
  );
}
