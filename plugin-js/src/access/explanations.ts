import type { BackstageCredentials, PermissionsService } from '@backstage/backend-plugin-api';
import { RELATION_OWNED_BY } from '@backstage/catalog-model';
import { NotFoundError } from '@backstage/errors';
import { AuthorizeResult, type BasicPermission } from '@backstage/plugin-permission-common';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import { isGuid, type Answered, type Audience, type PermissionInput, type ResourceInput } from '../core';
import type { ExplainedDecision } from '../explain/explained';
import { coded } from '../service/coded';
import type { EntraAccess } from '../service/entraAccess';
import { groupsReadPermission, policyReadPermission } from './permissions';
import { RESOURCE_TYPE, type ResourceRules } from './resourceRules';
import { notSignedIn } from './views';

const GROUP_ID_ANNOTATION = 'graph.microsoft.com/group-id';

/** What explaining over HTTP needs */
export interface ExplanationsOptions {
  entraAccess: EntraAccess;
  catalog: CatalogService;
  permissions: PermissionsService;
  resourceRules: Pick<ResourceRules, 'ask'>;
}

/** A question, by whoever may ask it */
export interface ExplainQuestion {
  /** About whom: an entity ref */
  about: string;
  permission: PermissionInput;
  /** An entity ref */
  resourceRef?: string;
  /** Whether whoever asks is the one asked about */
  own: boolean;
  /** Of whoever asks */
  credentials: BackstageCredentials;
}

/** Explains decisions to whoever asks, with no more than they may know */
export class Explanations {
  readonly #options: ExplanationsOptions;

  constructor(options: ExplanationsOptions) {
    this.#options = options;
  }

  /** @throws NotFoundError about nobody, or about an entity that whoever asks cannot read */
  async answer(question: ExplainQuestion): Promise<ExplainedDecision> {
    const resource = question.resourceRef === undefined ? undefined : await this.#read(question.resourceRef, question);
    await this.#options.entraAccess.completed(question.about);
    const answered = resource && (await this.#answered(question, resource));
    const explain = (audience: Audience) => this.#explain(question, resource, { audience, answered }).answer;
    // As little as there is to know first: of most that is enough, and nobody need be asked what they may know.
    const least: Audience = { policy: false, groups: false, own: question.own, known: [] };
    let answer = explain(least);
    if (answer.withheld.length === 0) return answer;
    const known = resource ? await this.#groupsReadBy(question, resource.owners) : [];
    answer = known.length > 0 ? explain({ ...least, known }) : answer;
    const groups = answer.withheld.includes('groups') && (await this.#may(question, groupsReadPermission));
    const policy = answer.withheld.includes('rules') && (await this.#may(question, policyReadPermission));
    return groups || policy ? explain({ ...least, known, groups, policy }) : answer;
  }

  #explain(
    { about, permission }: ExplainQuestion,
    resource: ResourceInput | undefined,
    options: { answered?: Answered; audience?: Audience },
  ) {
    const { entraAccess } = this.#options;
    const explained = entraAccess.explainAsking(about, permission, resource, options);
    if (!explained) throw notSignedIn(entraAccess, about);
    return explained;
  }

  /** What the resource's plugin says of it: first for the rules that bear on the question, then for those that could */
  async #answered(question: ExplainQuestion, resource: ResourceInput): Promise<Answered> {
    let answered: Answered = { holds: [], fails: [] };
    // The catalog knows nothing of what other plugins call by the same name.
    if (question.permission.resourceType !== RESOURCE_TYPE) return answered;
    for (let round = 0; round < 2; round += 1) {
      const { answer, asks } = this.#explain(question, resource, { answered });
      const facts = (answer.wouldAllow?.ways ?? []).flatMap(way => way.facts);
      const possible = facts.flatMap(fact => (fact.fact === 'rule' && fact.rule ? [ruleText(fact)] : []));
      const known = new Set([...answered.holds, ...answered.fails]);
      const open = [...new Set([...asks, ...possible])].filter(text => !known.has(text));
      if (open.length === 0) break;
      const more = await this.#options.resourceRules.ask(open, resource.entityRef);
      answered = { holds: [...answered.holds, ...more.holds], fails: [...answered.fails, ...more.fails] };
    }
    return answered;
  }

  /** With the eyes of whoever asks: what they may not read is not there */
  async #read(entityRef: string, { credentials }: ExplainQuestion): Promise<ResourceInput> {
    const entity = await this.#options.catalog.getEntityByRef(entityRef, { credentials });
    if (!entity) {
      const reason = `${entityRef} does not exist, or the caller may not read it`;
      throw coded('entity_not_found', new NotFoundError(reason));
    }
    const owners = (entity.relations ?? []).filter(({ type }) => type === RELATION_OWNED_BY);
    return { entityRef, owners: owners.map(({ targetRef }) => targetRef) };
  }

  /** Entra groups that whoever asks finds in the catalog anyway, at the owners */
  async #groupsReadBy({ credentials }: ExplainQuestion, owners: readonly string[]): Promise<string[]> {
    const entityRefs = owners.filter(owner => /^group:/i.test(owner));
    if (entityRefs.length === 0) return [];
    const fields = ['kind', 'metadata'];
    const { items } = await this.#options.catalog.getEntitiesByRefs({ entityRefs, fields }, { credentials });
    const ids = items.map(group => String(group?.metadata.annotations?.[GROUP_ID_ANNOTATION] ?? '').toLowerCase());
    return ids.filter(isGuid);
  }

  async #may({ credentials }: ExplainQuestion, permission: BasicPermission): Promise<boolean> {
    const [decision] = await this.#options.permissions.authorize([{ permission }], { credentials });
    return decision?.result === AuthorizeResult.ALLOW;
  }
}

/** As the core writes it: the name, and then the params as they are in the policy */
function ruleText({ rule, params }: { rule?: string; params?: object }): string {
  return JSON.stringify(params === undefined ? { rule } : { rule, params });
}
