import type { CatalogService } from '@backstage/plugin-catalog-node';
import { RELATION_OWNED_BY } from '@backstage/catalog-model';
import { NotFoundError } from '@backstage/errors';
import { isGuid, type Answered, type Audience, type PermissionInput, type ResourceInput } from '../core';
import type { ExplainedDecision, ExplainOptions } from '../explain/explained';
import { GROUP_ID_ANNOTATION } from '../service/catalogChanges';
import { coded } from '../service/coded';
import type { EntraAccess } from '../service/entraAccess';
import type { Asker } from './asker';
import { groupsReadPermission, policyReadPermission } from './permissions';
import { RESOURCE_TYPE, type ResourceRules } from './resourceRules';
import { notSignedIn } from './views';

/** What explaining over HTTP needs */
export interface ExplanationsOptions {
  entraAccess: Pick<EntraAccess, 'completed' | 'explainAsking' | 'sessions' | 'asksFallback'>;
  catalog: Pick<CatalogService, 'getEntityByRef' | 'getEntitiesByRefs'>;
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
  asker: Pick<Asker, 'credentials' | 'may'>;
}

/** Explains decisions to whoever asks, with no more than they may know */
export class Explanations {
  readonly #options: ExplanationsOptions;

  constructor(options: ExplanationsOptions) {
    this.#options = options;
  }

  /**
   * Asks the core once, and up to twice again: with what was asked of the catalog, and with what the asker may know in addition.
   * @throws NotFoundError about nobody, or about an entity that whoever asks cannot read
   */
  async answer(question: ExplainQuestion): Promise<ExplainedDecision> {
    const { own, asker, about, permission } = question;
    const resource = question.resourceRef === undefined ? undefined : await this.#read(question.resourceRef, asker);
    await this.#options.entraAccess.completed(about);
    // As little as there is to know first: of most that is enough, and nobody need be asked what they may know.
    let audience: Audience = { policy: false, groups: false, own, known: [] };
    let { answer, asks } = this.#explain(question, resource, { audience });
    let answered: Answered | undefined;
    // The catalog knows nothing of what other plugins call by the same name.
    const rules = resource && permission.resourceType === RESOURCE_TYPE ? asks : [];
    // To whom memberships are withheld no group is named, wherever else they may find it.
    const unread = own && (withholds(answer, 'groups') || (rules.length > 0 && answer.result !== 'ALLOW'));
    if (resource && (rules.length > 0 || unread)) {
      const [said, known] = await Promise.all([
        rules.length > 0 ? this.#options.resourceRules.ask(rules, resource.entityRef) : undefined,
        unread ? this.#groupsReadBy(asker, resource.owners) : [],
      ]);
      [answered, audience] = [said, { ...audience, known }];
      if (said || known.length > 0) ({ answer } = this.#explain(question, resource, { audience, answered }));
    }
    const [groups, policy] = await Promise.all([
      withholds(answer, 'groups') && asker.may(groupsReadPermission),
      withholds(answer, 'rules') && asker.may(policyReadPermission),
    ]);
    if (!groups && !policy) return answer;
    return this.#explain(question, resource, { audience: { ...audience, groups, policy }, answered }).answer;
  }

  #explain({ about, permission }: ExplainQuestion, resource: ResourceInput | undefined, options: ExplainOptions) {
    const { entraAccess } = this.#options;
    const explained = entraAccess.explainAsking(about, permission, resource, options);
    if (!explained) throw notSignedIn(entraAccess, about);
    return explained;
  }

  /** With the eyes of whoever asks: what they may not read is not there */
  async #read(entityRef: string, { credentials }: ExplainQuestion['asker']): Promise<ResourceInput> {
    const entity = await this.#options.catalog.getEntityByRef(entityRef, { credentials });
    if (!entity) {
      const reason = `${entityRef} does not exist, or the caller may not read it`;
      throw coded('entity_not_found', new NotFoundError(reason));
    }
    const owners = (entity.relations ?? []).filter(({ type }) => type === RELATION_OWNED_BY);
    return { entityRef, owners: owners.map(({ targetRef }) => targetRef) };
  }

  /** Entra groups that whoever asks finds in the catalog anyway, at the owners */
  async #groupsReadBy({ credentials }: ExplainQuestion['asker'], owners: readonly string[]): Promise<string[]> {
    const entityRefs = owners.filter(owner => /^group:/i.test(owner));
    if (entityRefs.length === 0) return [];
    const fields = ['kind', 'metadata'];
    const { items } = await this.#options.catalog.getEntitiesByRefs({ entityRefs, fields }, { credentials });
    const ids = items.map(group => String(group?.metadata.annotations?.[GROUP_ID_ANNOTATION] ?? '').toLowerCase());
    return ids.filter(isGuid);
  }
}

const withholds = ({ withheld }: ExplainedDecision, what: ExplainedDecision['withheld'][number]) =>
  withheld.includes(what);
