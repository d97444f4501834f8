import { RESOURCE_TYPE_CATALOG_ENTITY as ENTITY } from '@backstage/plugin-catalog-common/alpha';
import { z } from 'zod';
import { ConfigurationError, type Mistake } from '../core';
import type { PolicyText } from '../service/policyText';
import { pluginOf } from './conditions';
import type { Declared, PluginMetadata } from './pluginMetadata';

/** So many names fit into a hint */
const LISTED = 10;

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
  effect: 'allow' | 'deny';
  permissions: string[];
  actions?: string[];
  principals?: unknown[];
  requires?: object;
  when?: Condition;
}

/** What does not fit, at a step below the rule */
type Finding = Pick<Mistake, 'message' | 'hint'> & { at: string };

/** What the plugins have told about the permissions that a rule speaks about */
interface Covered {
  permissions: PluginMetadata['permissions'];
  /** Types of their resources */
  types: ReadonlySet<string>;
  /** Whether there are no others */
  complete: boolean;
}

/**
 * What in a policy does not fit the plugins that are installed: the core knows neither their permissions nor their rules.
 * Warnings only, as a plugin may come later or live elsewhere; whatever a plugin does not know, it refuses.
 *
 * @returns each with its place, and its line where the policy is a file
 */
export async function reviewPolicy(policy: PolicyText, declared: Declared): Promise<string[]> {
  const { rules } = JSON.parse(policy.json) as { rules: Rule[] };
  const wallOf = walls(rules);
  const found = await Promise.all(rules.map(rule => reviewRule(rule, wallOf, declared)));
  return found.flatMap((findings, index) =>
    findings.map(({ at, message, hint }) => {
      const path = `${policy.place}.rules[${index}]${at}`;
      const mistake = new ConfigurationError({ path, message: `rule \`${rules[index]!.id}\`: ${message}`, hint });
      return (policy.locate?.(mistake) ?? mistake).message;
    }),
  );
}

async function reviewRule(rule: Rule, wallOf: WallOf, declared: Declared): Promise<Finding[]> {
  const { found, named, complete } = await reviewPermissions(rule, declared);
  const permissions = named.filter(permission => speaksAbout(rule, permission));
  if (complete && named.length > 0) {
    if (permissions.length === 0) return [...found, unmatched(named)];
    if (rule.effect === 'allow') found.push(...reviewDenies(permissions, wallOf));
  }
  // Whatever else `*` covers, entities of the catalog are among it, if only for some actions.
  const everything = rule.permissions.includes('*') && !rule.actions ? [ENTITY] : [];
  const types = new Set([...permissions.flatMap(({ resourceType }) => resourceType ?? []), ...everything]);
  if (rule.when) found.push(...(await reviewCondition(rule.when, { permissions, types, complete }, declared)));
  return found;
}

/** The permissions that it names, whatever their actions, and the names that nobody declares */
async function reviewPermissions(
  rule: Rule,
  declared: Declared,
): Promise<{ found: Finding[]; named: PluginMetadata['permissions']; complete: boolean }> {
  const found: Finding[] = [];
  const named: PluginMetadata['permissions'] = [];
  let complete = true;
  for (const [index, pattern] of rule.permissions.entries()) {
    const plugin = pattern.split('.', 1)[0]!;
    const metadata = pattern === '*' ? undefined : await declared(plugin);
    if (!metadata) {
      complete = false;
      continue;
    }
    const matching = metadata.permissions.filter(({ name }) => matches(pattern, name));
    named.push(...matching);
    if (matching.length === 0) {
      // The plugin may live elsewhere: nothing else is said of the rule for want of these.
      complete = false;
      found.push({
        at: `.permissions[${index}]`,
        message: `no installed plugin declares ${pattern}`,
        hint: listed(metadata.permissions, `plugin ${plugin}`),
      });
    }
  }
  return { found, named, complete };
}

function unmatched(named: PluginMetadata['permissions']): Finding {
  const message = 'it can never match: none of the permissions that it names has one of its actions';
  const has = named.slice(0, LISTED).map(({ name, attributes }) => `${name}: ${attributes.action ?? 'none'}`);
  return { at: '.actions', message, hint: has.join(', ') };
}

/** A deny of a permission for everybody, always */
type WallOf = (permission: Covered['permissions'][number]) => Rule | undefined;

/** Looked for once for each permission: of ten thousand rules many name the same */
function walls(rules: readonly Rule[]): WallOf {
  const all = rules.filter(
    ({ effect, principals, requires, when }) => effect === 'deny' && !principals && !requires && !when,
  );
  const known = new Map<string, Rule | undefined>();
  return permission => {
    const { name } = permission;
    if (known.has(name)) return known.get(name);
    const wall = all.find(deny => speaksAbout(deny, permission));
    known.set(name, wall);
    return wall;
  };
}

/** Whether denies leave nothing of an allow rule, which the core can tell only where they name no actions */
function reviewDenies(permissions: Covered['permissions'], wallOf: WallOf): Finding[] {
  const ids = new Set<string>();
  for (const permission of permissions) {
    const wall = wallOf(permission);
    if (!wall) return [];
    ids.add(`\`${wall.id}\``);
  }
  const message = `it can never allow: ${[...ids].join(' and ')} ${ids.size === 1 ? 'denies' : 'deny'} all of it`;
  return [{ at: '', message, hint: 'remove one of them, or narrow the deny' }];
}

function speaksAbout({ permissions, actions }: Rule, { name, attributes }: Covered['permissions'][number]): boolean {
  if (!permissions.some(pattern => matches(pattern, name))) return false;
  return !actions || actions.includes(attributes.action ?? '');
}

async function reviewCondition(condition: Condition, covered: Covered, declared: Declared): Promise<Finding[]> {
  const { permissions, types, complete } = covered;
  const about = [...types].join(', ');
  if (complete && permissions.length > 0 && types.size === 0) {
    const message = 'it asks about a resource, and the permissions that it names have none';
    return [{ at: '.when', message, hint: 'leave `when` out' }];
  }
  const found: Finding[] = [];
  const { owned, rules } = partsOf(condition);
  if (complete && types.size > 0 && !types.has(ENTITY)) {
    const message = `it asks for an owner, which only a ${ENTITY} has; its permissions are about ${about}`;
    found.push(...owned.map(at => ({ at, message, hint: 'leave `owned` out, or use a rule of that plugin' })));
  }
  for (const part of rules) {
    const { rule, resourceType } = part.foreign;
    if (resourceType && complete && types.size > 0 && !types.has(resourceType)) {
      const message = `${rule} is asked of ${resourceType}, and none of its permissions is about that`;
      found.push({ at: `${part.at}.resourceType`, message, hint: `they are about ${about}` });
      continue;
    }
    for (const type of resourceType ? [resourceType] : types) {
      const permission = permissions.find(each => each.resourceType === type)?.name;
      // Which plugin has another type is told only by a permission.
      if (permission === undefined && type !== ENTITY) continue;
      const plugin = pluginOf(permission ?? '', type);
      found.push(...(await reviewForeign(part, type, plugin, declared)));
    }
  }
  return found;
}

function matches(pattern: string, name: string): boolean {
  if (pattern === '*') return true;
  return pattern.endsWith('.*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** What a condition asks, with places below the rule: for an owner, and for rules of plugins */
interface Parts {
  owned: string[];
  rules: Array<{ foreign: ForeignRule; at: string }>;
}

function partsOf(condition: Condition, at = '.when'): Parts {
  if ('rule' in condition) return { owned: [], rules: [{ foreign: condition, at }] };
  if ('owned' in condition) return { owned: [`${at}.owned`], rules: [] };
  if ('not' in condition) return partsOf(condition.not, `${at}.not`);
  const [word, inner] = 'allOf' in condition ? ['allOf', condition.allOf] : ['anyOf', condition.anyOf];
  const parts = inner.map((part, index) => partsOf(part, `${at}.${word}[${index}]`));
  return { owned: parts.flatMap(({ owned }) => owned), rules: parts.flatMap(({ rules }) => rules) };
}

async function reviewForeign(
  { foreign: { rule, params }, at }: Parts['rules'][number],
  type: string,
  plugin: string,
  declared: Declared,
): Promise<Finding[]> {
  const metadata = await declared(plugin);
  if (!metadata) return [];
  const known = metadata.rules.filter(({ resourceType }) => resourceType === type);
  // A plugin may name no rules, or not the ones of this type.
  if (known.length === 0) return [];
  const found = known.find(({ name }) => name === rule);
  if (!found) {
    const hint = listed(known, `plugin ${plugin}`);
    return [{ at: `${at}.rule`, message: `there is no rule ${rule} for ${type}`, hint }];
  }
  const refusal = refusalOf(found.paramsSchema, params ?? {});
  if (!refusal) return [];
  const hint = `/api/${plugin}/.well-known/backstage/permissions/metadata has their schema`;
  return [{ at: `${at}.params`, message: `the params of ${rule} are refused by its plugin: ${refusal}`, hint }];
}

/** Why a JSON Schema refuses them, without what they hold; a schema that can't be read refuses nothing here */
function refusalOf(schema: unknown, params: object): string | undefined {
  let parsed;
  try {
    parsed = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(params);
  } catch {
    return undefined;
  }
  return parsed.error && issuesText(parsed.error.issues);
}

/** What zod found, in one line; it names properties and types, and no value */
export function issuesText(issues: ReadonlyArray<{ path: readonly PropertyKey[]; message: string }>): string {
  return issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': ')).join('; ');
}

function listed(all: ReadonlyArray<{ name: string }>, who: string): string {
  const names = all.slice(0, LISTED).map(({ name }) => name);
  if (names.length === 0) return `${who} declares none or is not installed`;
  return `${who} has ${names.join(', ')}${all.length > names.length ? ', ...' : ''}`;
}
