import { catalogGroup } from '../access/directory';
import { ConfigurationError, EntraCore } from '../core';
import {
  examine,
  misread,
  readWell,
  subjectOf,
  worstOf,
  type CatalogLook,
  type Finding,
  type PolicyReview,
} from '../doctor';
import { GroupResolver } from '../graph';
import { readConfiguration, type Configuration } from '../service/configuration';
import { setPolicy } from '../service/policyFile';
import { firstLine } from '../service/policyText';
import { argumentsOf, openConfiguration } from './backendConfiguration';
import { texts, UsageError, type Arguments, type Command } from './command';
import { doctorJson, doctorText } from './doctorText';
import { readEntities } from './entities';
import type { RunningBackend } from './runningBackend';
import { plain } from '../service/text';
import { locationOf } from './world';

const MISTAKE = 2;
/** Where the token for the backend is looked for: a command line is seen by everybody on the machine */
const TOKEN_VARIABLE = 'ENTRA_ACCESS_TOKEN';

/** `entra-access doctor` */
export const doctor: Command = {
  usage: `usage: entra-access doctor --config FILE [--config FILE ...] [--catalog FILE ...] [--backend URL] [--json]

Checks the configuration of a backend and all that it hangs on: whether issuers and their keys can be reached, the clock, the
app registrations with the end of their secrets and certificates, redirect URIs, permissions on Microsoft Graph, groups of
Entra and of the catalog, and the policy. Each finding is ok, a warning, an error, or skipped where it could not be checked,
and says what to change. Nothing is changed, and no token, secret or e-mail address is shown. docs/doctor.md tells each check.

  --config FILE   app-config.yaml of the backend (repeat as for the backend), with the same environment variables: its
                  credentials are used
  --catalog FILE  groups of the catalog (repeat for more files), each trusted as if it stood in \`catalog.locations\`
  --backend URL   asks a running backend for its groups and plugins, as whoever the token in the variable
                  ${TOKEN_VARIABLE} is of
  --json          the same for machines

Exit code 0: no error (there may be warnings), 1: an error, 2: a mistake, or the command was not understood.
`,
  options: {
    config: { type: 'string', multiple: true },
    catalog: { type: 'string', multiple: true },
    backend: { type: 'string' },
    json: { type: 'boolean' },
  },
  async run(given, { out, complain }) {
    const asked = understood(given);
    try {
      const findings = await diagnose(asked);
      out(given.values.json ? doctorJson(findings) : doctorText(findings));
      return worstOf(findings) === 'error' ? 1 : 0;
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      complain(`${plain(error.message)}\n`);
      return MISTAKE;
    }
  },
};

interface Asked {
  config: string[];
  catalog?: string[];
  backend?: RunningBackend;
}

function understood({ positionals: [word], values }: Arguments): Asked {
  if (word !== undefined) throw new UsageError('files are named by --config and --catalog');
  const config = texts(values.config);
  if (config.length === 0) throw new UsageError('--config is missing: it says what is to be checked');
  const backend = values.backend === undefined ? undefined : backendAt(String(values.backend));
  const catalog = values.catalog === undefined ? undefined : texts(values.catalog);
  if (backend && catalog) throw new UsageError('--catalog and --backend both tell the groups: give one of them');
  return { config, catalog, backend };
}

/** What asks it is loaded only here */
function backendAt(address: string): RunningBackend {
  const token = process.env[TOKEN_VARIABLE]?.trim();
  if (!token) throw new UsageError(`--backend needs a token in the variable ${TOKEN_VARIABLE}`);
  const running: typeof import('./runningBackend') = require('./runningBackend');
  return new running.RunningBackend(address, token);
}

async function diagnose({ config: files, catalog, backend }: Asked): Promise<Finding[]> {
  const config = await openConfiguration(files);
  const entities = catalog && (await Promise.all(catalog.map(readEntities))).flat();
  let core: EntraCore | undefined;
  try {
    const configuration = readAll(config, files);
    core = coreOf(configuration);
    const subject = subjectOf({
      config,
      configuration,
      core,
      graphClients: clientsOf(configuration, core),
      policy: configuration.policy.json,
      catalog: async () => (backend ? backend.catalog() : entities ? catalogOf(configuration, entities) : NO_CATALOG),
      review: async () => (backend ? backend.review(configuration.policy) : NO_PLUGINS),
    });
    return [readWell, ...(await examine(subject))];
  } catch (error) {
    // What keeps the backend from starting is what the doctor is asked for.
    if (!(error instanceof ConfigurationError)) throw error;
    return [misread(error)];
  } finally {
    core?.close();
  }
}

/** Also what Backstage's own readers refuse, such as a location without a type, is a mistake with a place */
function readAll(config: Awaited<ReturnType<typeof openConfiguration>>, files: readonly string[]): Configuration {
  try {
    return readConfiguration(config, argumentsOf(files));
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw new ConfigurationError({ path: files.join(' '), message: firstLine(error) });
  }
}

const NO_CATALOG: CatalogLook = {
  known: false,
  why: 'the groups of the catalog are not known here',
  fix: 'name their files by --catalog, or a running backend by --backend',
};
const NO_PLUGINS: PolicyReview = {
  known: false,
  why: 'which permissions the plugins declare is not known here',
  fix: 'name a running backend by --backend; its `status` tells it, too',
};
const QUIET = { error() {}, warn() {}, info() {}, debug() {}, child: () => QUIET };

/** With nobody in it */
function coreOf({ json, policy, staticLocations }: Configuration): EntraCore {
  const core = new EntraCore({ configuration: json, staticLocations, logger: QUIET });
  try {
    setPolicy(core, policy);
    return core;
  } catch (error) {
    core.close();
    throw error;
  }
}

function clientsOf({ graph }: Configuration, { issuers }: EntraCore): GroupResolver['clients'] {
  return graph ? new GroupResolver({ issuers, settings: graph, logger: QUIET }).clients : [];
}

/** As a backend would judge them in whose `catalog.locations` the files stand */
function catalogOf({ json }: Configuration, entities: Awaited<ReturnType<typeof readEntities>>): CatalogLook {
  const staticLocations = entities.map(({ file }) => locationOf(file));
  const core = new EntraCore({ configuration: json, staticLocations, logger: QUIET });
  try {
    const groups = entities
      .filter(({ entity }) => entity.kind === 'Group')
      .map(({ entity, file }) => ({ ...catalogGroup(entity), ...locationOf(file) }));
    const outcome = core.setDirectory({ groups });
    if (outcome.ok) return { known: true, groups, problems: outcome.value.problems };
    return { known: false, why: `the groups are refused: ${outcome.error}`, fix: 'correct the files of --catalog' };
  } finally {
    core.close();
  }
}
