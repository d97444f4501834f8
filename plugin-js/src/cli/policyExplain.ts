import { ConfigurationError } from '../core';
import { needed, texts, UsageError, type Arguments, type Command } from './command';
import { parseText, Place, readText, type Placed } from './documents';
import { readEntities, type WrittenEntity } from './entities';
import { explanationJson, explanationText } from './explanationText';
import { readPermission } from './permissions';
import { readPrincipal } from './principals';
import { decide } from './question';
import { looksLikeToken, plain } from '../service/text';
import { World } from './world';

/** By result of the core */
const EXIT_CODES = { ALLOW: 0, DENY: 1, CONDITIONAL: 3 } as const;
const MISTAKE = 2;

/** `entra-access policy explain` */
export const policyExplain: Command = {
  usage: `usage: entra-access policy explain FILE --principal FILE|JSON --permission NAME
         [--entity FILE] [--catalog FILE ...] [--config FILE ...] [--json]

Decides a question by a policy file with the same core as the backend, without one, and says why: the answer, the rule that
made it, and every rule that was considered.

  --principal FILE|JSON   who asks, in YAML or JSON:
                          { kind: user, tenantId: <id>, objectId: <id>, groups: [<id>, ...] }
                          kind: user, workload, agent, pipeline. groups: the object ids of all groups, \`unknown\` as in a
                          token that leaves them out, or \`none\`. And where it matters: roles, clientId, entityRef,
                          actor: { clientId, autonomous }, assurance: { authContexts: [c1], mfa: true, signedInAgo: 10m }
  --permission NAME       such as catalog.entity.delete; of other plugins than the catalog as
                          '{ name: ..., action: create|read|update|delete, resourceType: ... }'
  --entity FILE           on what: one entity as in catalog-info.yaml. Conditions are then decided, by the core and by the
                          catalog's own rules; without it they are printed
  --catalog FILE          groups and users (repeat for more files): which Entra group stands for which owner, what is nested
                          in what. Every file named here is TRUSTED to bind Entra ids, which in a backend only the
                          locations that its operator named are. Without it nobody certainly owns anything
  --config FILE           app-config.yaml of the backend, for its tenants and \`groups.mapping\` (repeat as for the backend);
                          its policy and its secrets are not used
  --json                  the same for machines, mistakes included

Exit code 0: allowed, 1: denied, 2: a mistake, or the command was not understood, 3: it depends on the entity.
`,
  options: {
    principal: { type: 'string' },
    permission: { type: 'string' },
    entity: { type: 'string' },
    catalog: { type: 'string', multiple: true },
    config: { type: 'string', multiple: true },
    json: { type: 'boolean' },
  },
  async run(given, { out, complain }) {
    const question = understood(given);
    try {
      const answer = await explain(question);
      out(given.values.json ? `${JSON.stringify(explanationJson(answer), null, 2)}\n` : explanationText(answer));
      if (!given.values.json) for (const problem of answer.problems) complain(`catalog: ${plain(problem)}\n`);
      return EXIT_CODES[answer.explanation.result];
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      if (given.values.json) out(`${JSON.stringify({ error: error.message }, null, 2)}\n`);
      else complain(`${plain(error.message)}\n`);
      return MISTAKE;
    }
  },
};

interface Asked {
  policy: string;
  principal: string;
  permission: string;
  entity?: string;
  catalog?: string[];
  config: string[];
}

function understood({ positionals, values }: Arguments): Asked {
  const [policy, more] = positionals;
  if (policy === undefined) throw new UsageError('no FILE is named');
  if (more !== undefined) throw new UsageError('more than one FILE is named');
  return {
    policy,
    principal: needed(values.principal, 'principal'),
    permission: needed(values.permission, 'permission'),
    entity: values.entity === undefined ? undefined : needed(values.entity, 'entity'),
    catalog: values.catalog === undefined ? undefined : texts(values.catalog),
    config: texts(values.config),
  };
}

async function explain(asked: Asked) {
  const now = Math.floor(Date.now() / 1000);
  const principal = readPrincipal(principalOf(asked.principal), now);
  const permission = readPermission(permissionOf(asked.permission));
  const entity = asked.entity === undefined ? undefined : await onlyEntity(asked.entity);
  const world = await World.open(asked, [principal], now);
  try {
    const caller = world.signIn(principal);
    const study = decide(world, { caller, permission, entity, place: new Place('--permission') });
    const { catalogKnown, problems } = world;
    return {
      ...study,
      caller,
      permission,
      entity,
      catalogKnown,
      problems,
      allRules: world.core.ruleIds,
      epoch: world.core.epoch,
    };
  } finally {
    world.close();
  }
}

/** What is found about a question */
export type Explained = Awaited<ReturnType<typeof explain>>;

function principalOf(text: string): Placed {
  if (text.trimStart().startsWith('{')) return parseText(text, '--principal');
  if (looksLikeToken(text)) {
    throw new Place('--principal').mistake('looks like a token', 'describe who asks; tokens are for `tokens/inspect`');
  }
  return parseText(readText(text), text);
}

function permissionOf(text: string): Placed {
  return text.trimStart().startsWith('{')
    ? parseText(text, '--permission')
    : { value: text, place: new Place('--permission') };
}

async function onlyEntity(file: string): Promise<WrittenEntity> {
  const [entity, another] = await readEntities(file);
  if (another)
    throw another.place.mistake('there is more than one entity in it', 'name a file with the one that is asked about');
  return entity!;
}
