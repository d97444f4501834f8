import { readFileSync } from 'node:fs';
import type { RootConfigService } from '@backstage/backend-plugin-api';
import { z } from 'zod';
import { ConfigurationError, type LocationRefs } from '../core';
import { readGraphSettings, readStaleAfter, withoutSecrets, type GraphSettings } from '../graph/settings';
import { readBreakGlass, withPeople, type BreakGlassEntry } from './breakGlass';
import { readFollowSettings, type FollowSettings } from '../follow/settings';
import { findFile } from './configFiles';
import { readLimits, type Limits } from './limits';
import { firstLine, parsePolicy, type PolicyText } from './policyText';
import { staticLocations } from './staticLocations';

const ROOT = 'entraAccess';
const EXAMPLE = 'see app-config.example.yaml in the repository, or the README of backstage-plugin-entra-access-backend';

/** What the core is told at the start */
export interface Configuration {
  /** The section `entraAccess` as JSON text, without its secrets; the core is its strict reader */
  json: string;
  /** Where Microsoft Graph is to be asked for groups */
  graph?: GraphSettings;
  /** Absent: the usual ones */
  limits?: Limits;
  /** For how many seconds what is known of a tenant counts, where the directory is the source of groups */
  staleAfter?: number;
  /** Who is let in while the directory has no word */
  breakGlass?: readonly BreakGlassEntry[];
  /** How it is followed, where it is the source of groups */
  follow?: FollowSettings;
  policy: PolicyText & { /** Where it comes from a file, which is followed */ source?: { file: string; text: string } };
  /** What the operator named in `catalog.locations` */
  staticLocations?: Array<Required<LocationRefs>>;
}

const policySchema = z.union([
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({ rules: z.array(z.unknown()) }),
]);

/**
 * Reads the section `entraAccess` and the policy file that it names.
 * @throws ConfigurationError with the place and the fix
 */
export function readConfiguration(config: RootConfigService, argv: readonly string[] = process.argv): Configuration {
  const section = readSection(config);
  return {
    ...settingsOf(section, argv),
    limits: readLimits(section),
    policy: readPolicy(section, argv),
    staticLocations: staticLocations(config),
  };
}

/**
 * The same without the policy: of a running backend, whose policy may have changed since.
 * @throws ConfigurationError with the place and the fix
 */
export function readSettings(
  config: Pick<RootConfigService, 'getOptional'>,
  argv: readonly string[] = process.argv,
): Pick<Configuration, 'json' | 'graph'> {
  return settingsOf(readSection(config), argv);
}

function settingsOf(section: object, argv: readonly string[]) {
  const breakGlass = readBreakGlass(section);
  return {
    json: JSON.stringify(withPeople(withoutSecrets(section), breakGlass)),
    breakGlass,
    staleAfter: readStaleAfter(section),
    graph: readGraphSettings(section, argv),
    follow: readFollowSettings(section),
  };
}

function readSection(config: Pick<RootConfigService, 'getOptional'>): object {
  const section = config.getOptional(ROOT);
  if (section === undefined || section === null) {
    throw new ConfigurationError({
      path: ROOT,
      message: 'the section is missing',
      hint: EXAMPLE,
    });
  }
  if (typeof section !== 'object' || Array.isArray(section)) {
    throw new ConfigurationError({ path: ROOT, message: 'the section must be a mapping', hint: EXAMPLE });
  }
  return section;
}

function readPolicy(section: unknown, argv: readonly string[]): Configuration['policy'] {
  const place = `${ROOT}.policy`;
  const policy = (section as { policy?: unknown }).policy;
  if (policy === undefined) {
    throw new ConfigurationError({
      path: place,
      message: 'the policy is missing',
      hint: 'name a `file`, or write `rules` inline; without a policy nobody is allowed anything',
    });
  }
  const parsed = policySchema.safeParse(policy);
  if (!parsed.success) {
    throw new ConfigurationError({ path: place, message: 'either `file: <path>` or `rules: [...]`, and nothing else' });
  }
  if ('rules' in parsed.data) return { json: JSON.stringify(parsed.data), place };
  return readPolicyFile(parsed.data.file, `${place}.file`, argv);
}

function readPolicyFile(file: string, path: string, argv: readonly string[]): Configuration['policy'] {
  const { found, folders } = findFile(file, argv);
  if (!found) {
    throw new ConfigurationError({
      path,
      message: `there is no file ${file}`,
      hint: `looked in ${folders.join(', ')}`,
    });
  }
  let text: string;
  try {
    text = readFileSync(found, 'utf8');
  } catch (error) {
    throw new ConfigurationError({ path, message: `${found} could not be read: ${firstLine(error)}` });
  }
  return { ...parsePolicy(text, found), source: { file: found, text } };
}
