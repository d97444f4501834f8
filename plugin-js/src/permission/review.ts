import { z } from 'zod';
import { pluginOf } from './conditions';
import type { PluginMetadata } from './pluginMetadata';

/** What a plugin declares; `undefined` when it could not be asked, which is no reason to complain */
export type Declared = (pluginId: string) => Promise<PluginMetadata | undefined>;

type Condition =
  | { owned: true }
  | { not: Condition }
  | { allOf: Condition[] }
  | { anyOf: Condition[] }
  | { rule: string; params?: object; resourceType?: string };
type ForeignRule = Extract<Condition, { rule: string }>;

/** A rule that the core has read without a complaint */
interface Rule {
  id: string;
  permissions: string[];
  when?: Condition;
}

/**
 * What in a policy does not fit the plugins that are installed: the core knows neither their permissions nor their rules.
 * Warnings only, as a plugin may come later or live elsewhere; whatever a plugin does not know, it refuses.
 */
export async function reviewPolicy(json: string, declared: Declared): Promise<string[]> {
  const { rules } = JSON.parse(json) as { rules: Rule[] };
  const found = await Promise.all(rules.map(rule => reviewRule(rule, declared)));
  return found.flat();
}

async function reviewRule(rule: Rule, declared: Declared): Promise<string[]> {
  const found: string[] = [];
  const covered: PluginMetadata['permissions'] = [];
  let complete = true;
  for (const pattern of rule.permissions) {
    const plugin = pattern.split('.', 1)[0]!;
    const metadata = pattern === '*' ? undefined : await declared(plugin);
    if (!metadata) {
      complete = false;
      continue;
    }
    const matching = metadata.permissions.filter(({ name }) => matches(pattern, name));
    covered.push(...matching);
    if (matching.length === 0) {
      found.push(`no installed plugin declares ${pattern} (${listed(metadata.permissions, `plugin ${plugin}`)})`);
    }
  }
  const types = new Set(covered.flatMap(({ resourceType }) => resourceType ?? []));
  if (rule.when && complete && covered.length > 0 && types.size === 0) {
    found.push('it asks about a resource, and the permissions that it names have none (leave `when` out)');
  }
  for (const foreign of rule.when ? foreignRules(rule.when) : []) {
    // `*` covers types that are not known here: a rule that names no type is only looked for where one is.
    for (const type of foreign.resourceType ? [foreign.resourceType] : types) {
      const permission = covered.find(({ resourceType }) => resourceType === type)?.name ?? type;
      found.push(...reviewForeign(foreign, type, await declared(pluginOf(permission, type))));
    }
  }
  return found.map(text => `policy: rule ${rule.id}: ${text}`);
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('.*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function foreignRules(condition: Condition): ForeignRule[] {
  if ('rule' in condition) return [condition];
  if ('not' in condition) return foreignRules(condition.not);
  if ('owned' in condition) return [];
  return ('allOf' in condition ? condition.allOf : condition.anyOf).flatMap(foreignRules);
}

function reviewForeign({ rule, params }: ForeignRule, type: string, metadata: PluginMetadata | undefined): string[] {
  if (!metadata) return [];
  const known = metadata.rules.filter(({ resourceType }) => resourceType === type);
  // An entity's plugin is known; of another type the name may not tell it.
  if (known.length === 0) return [];
  const found = known.find(({ name }) => name === rule);
  if (!found) return [`there is no rule ${rule} for ${type} (${listed(known, 'its plugin')})`];
  const refusal = refusalOf(found.paramsSchema, params ?? {});
  return refusal ? [`the params of ${rule} are refused by its plugin: ${refusal}`] : [];
}

/** Why a JSON Schema refuses them, without what they hold; a schema that can't be read refuses nothing here */
function refusalOf(schema: unknown, params: object): string | undefined {
  let parsed;
  try {
    parsed = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(params);
  } catch {
    return undefined;
  }
  return parsed.error?.issues
    .map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '))
    .join('; ');
}

function listed(all: ReadonlyArray<{ name: string }>, who: string): string {
  const names = all.slice(0, 10).map(({ name }) => name);
  if (names.length === 0) return `${who} declares none or is not installed`;
  return `${who} has ${names.join(', ')}${all.length > names.length ? ', ...' : ''}`;
}
