import type { Issuer } from '../core';
import { readDiscovery } from '../keys/discovery';
import { DocumentError, fetchDocument, type FetchedDocument } from '../keys/fetchDocument';
import { error, ok, once, skipped, warning, type Check, type Verdict } from './finding';
import type { Section, Subject } from './subject';

/** A clock that is off by less is as good as right: the header `Date` tells whole seconds */
const NOTICED_SECONDS = 30;
/** `leeway` where none is set */
const LEEWAY = { entra: 300, pipeline: 60 };

/** What became of asking for a document */
type Fetched =
  | { ok: true; document: FetchedDocument; keysUrl?: string; refused?: string }
  | { ok: false; status?: number; why: string };

/** Whether each issuer can be reached, its keys are good, and its clock agrees with ours */
export function issuerChecks({ issuers, section, judgeKeys }: Subject): Check[] {
  return issuers
    .filter(issuer => matters(issuer, section))
    .flatMap(issuer => {
      const discovery = once(() => discover(issuer));
      const check = (id: string, make: Check['make']): Check => ({ id, about: issuer.id, make });
      return [
        check('issuer.discovery', async () => graded(issuer, discoveryVerdict(issuer, await discovery()))),
        check('issuer.keys', async () => graded(issuer, await keysVerdict(issuer, await discovery(), judgeKeys))),
        check('issuer.clock', async () => clockVerdict(await discovery(), leewayOf(issuer, section))),
      ];
    });
}

/** Where only client ids are audiences, v1.0 tokens are an exception, and some clouds issue none */
function matters({ id, tenantId }: Issuer, { tenants }: Section): boolean {
  if (!isVersion1(id)) return true;
  return tenants.some(tenant => tenant.tenantId.toLowerCase() === tenantId && tenant.audiences.some(isUri));
}

function isVersion1(id: string): boolean {
  return id.startsWith('entra-v1:');
}

function isUri(audience: string): boolean {
  return audience.includes(':');
}

async function discover(issuer: Issuer): Promise<Fetched> {
  const fetched = await ask(issuer.discoveryUrl);
  if (!fetched.ok) return fetched;
  try {
    return { ...fetched, keysUrl: readDiscovery(fetched.document.text, issuer) };
  } catch (failure) {
    return { ...fetched, refused: failure instanceof Error ? failure.message : 'not a discovery document' };
  }
}

async function ask(address: string): Promise<Fetched> {
  try {
    return { ok: true, document: await fetchDocument(address) };
  } catch (failure) {
    if (!(failure instanceof DocumentError)) throw failure;
    return { ok: false, status: failure.status, why: failure.message };
  }
}

function discoveryVerdict(issuer: Issuer, discovery: Fetched): Verdict {
  if (!discovery.ok) {
    const unknownTenant = !issuer.pipeline && (discovery.status === 400 || discovery.status === 404);
    if (unknownTenant) {
      const fix = 'correct `tenantId` (Entra ID: Overview) and `cloud` of this entry under `entraAccess.tenants`';
      return error(`${discovery.why}: there is no such tenant in this cloud`, fix);
    }
    const wrong = issuer.pipeline && discovery.status !== undefined ? `correct ${placeOf(issuer)}; or ` : '';
    return error(discovery.why, `${wrong}${hadBack(discovery, issuer.discoveryUrl)}`);
  }
  if (discovery.refused === undefined) return ok("the document answers, and is the issuer's own");
  return error(
    discovery.refused,
    `set ${placeOf(issuer)} to what the document names as \`issuer\`, if that is the one you trust`,
  );
}

async function keysVerdict(issuer: Issuer, discovery: Fetched, judge: Subject['judgeKeys']): Promise<Verdict> {
  if (!discovery.ok || discovery.keysUrl === undefined) {
    return skipped('only a good discovery document says where the keys are', 'see issuer.discovery');
  }
  const keys = await ask(discovery.keysUrl);
  if (!keys.ok) return error(keys.why, hadBack(keys, discovery.keysUrl));
  const outcome = judge(issuer, keys.document.text);
  const theirs = `ask who runs the issuer what is wrong with its key set; see what a proxy on the way to ${new URL(discovery.keysUrl).origin} makes of it`;
  if (!outcome.ok) return error(`the key set is refused: ${outcome.error}`, theirs);
  const { usable, refused } = outcome.value;
  if (usable === 0) return error('none of its keys can be used, so no token of it is accepted', theirs);
  if (refused.length > 0) {
    const [first] = refused;
    return warning(`${usable} keys can be used, ${refused.length} cannot (${first?.reason})`, theirs);
  }
  return ok(`${usable} keys, all of them good`);
}

/** v1.0 tokens may well be none of what callers send */
function graded(issuer: Issuer, verdict: Verdict): Verdict {
  if (!isVersion1(issuer.id) || verdict.outcome !== 'error') return verdict;
  const fix = `${verdict.fix}; or have only v2.0 tokens issued (\`requestedAccessTokenVersion: 2\`) and leave App ID URIs out of \`audiences\``;
  return warning(`${verdict.what}; v1.0 tokens are refused`, fix);
}

function clockVerdict(discovery: Fetched, leeway: number): Verdict {
  const aheadMs = discovery.ok ? discovery.document.aheadMs : undefined;
  if (aheadMs === undefined) {
    return skipped(
      'the issuer has not told its time',
      'see issuer.discovery; where it answers, a proxy removes the header `Date`',
    );
  }
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  if (seconds < NOTICED_SECONDS) return ok('agrees with the clock of this machine');
  const fix = 'synchronise the clock of this machine (NTP)';
  const tolerated = `${leeway} s are tolerated`;
  if (aheadMs < 0) {
    const early = seconds < leeway ? tolerated : `${tolerated}: tokens end ${seconds - leeway} s too early`;
    return warning(`the clock of this machine is ${seconds} s ahead of the issuer's; ${early}`, fix);
  }
  const what = `the clock of this machine is ${seconds} s behind the issuer's`;
  if (seconds < leeway) return warning(`${what}; ${tolerated}`, fix);
  return error(`${what}, and ${tolerated}: tokens that are just issued are refused`, fix);
}

function leewayOf({ pipeline, id, tenantId }: Issuer, { tenants, pipelines = [] }: Section): number {
  if (!pipeline) return tenants.find(tenant => tenant.tenantId.toLowerCase() === tenantId)?.leeway ?? LEEWAY.entra;
  return pipelines.find(each => `pipeline:${each.id}` === id)?.leeway ?? LEEWAY.pipeline;
}

function hadBack({ status }: Extract<Fetched, { ok: false }>, address: string): string {
  const { origin } = new URL(address);
  const consequence = 'without its keys every token of the issuer is refused';
  if (status !== undefined) {
    return `ask for the address from this machine: either ${origin} is in trouble, or a proxy answers in its place; ${consequence}`;
  }
  return `let this machine reach ${origin} (firewall, proxy, DNS, certificates); ${consequence}`;
}

function placeOf({ pipeline }: Issuer): string {
  return pipeline ? '`issuer` under `entraAccess.pipelines`' : '`authority` of the cloud under `entraAccess.clouds`';
}
