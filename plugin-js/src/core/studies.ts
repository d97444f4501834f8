import type { Fact, ForeignRule, Ownership, PermissionInput, Remedies, ResourceInput, Study, Withheld } from './types';

/** As the core writes it: short words, which cost little to make */
interface WrittenStudy {
  explanation: Study['explanation'] & { conditions?: { criteria?: unknown } };
  rules: Array<Omit<Study['rules'][number], 'clause'> & { clause: string }>;
  asks: string[];
  owned: 'yes' | 'no' | 'unknown';
  /** Entity refs, and behind them ids of Entra groups, with spaces between */
  path: string;
  /**
   * JSON text of `string[][]`: id of the rule, and then of each fact the word and what it is about; an empty one at the end: there may be
   * more. An empty text where the reader may not know any
   */
  ways: string;
  /** Bits: 1 groups, 2 rules */
  withheld: number;
}

const WITHHELD: readonly Withheld[] = ['groups', 'rules'];
const OWNED = { yes: true, no: false, unknown: null } as const;

/** Reads what the core has studied; `brief`: it was not asked what it would take */
export function readStudy(
  json: string,
  { resource, permission, brief }: { resource?: ResourceInput; permission: PermissionInput; brief: boolean },
): Study | undefined {
  const written = JSON.parse(json) as WrittenStudy | null;
  if (written === null) return undefined;
  const { explanation, asks, withheld } = written;
  // A condition comes as the text that it is.
  const { conditions } = explanation;
  if (typeof conditions?.criteria === 'string') conditions.criteria = JSON.parse(conditions.criteria);
  const rules = written.rules.map(rule => ({ ...rule, clause: rule.clause || null })) as Study['rules'];
  const ownable = resource && permission.resourceType === 'catalog-entity';
  return {
    explanation,
    rules,
    asks,
    ...(ownable ? { ownership: readOwnership(written, resource) } : {}),
    ...(explanation.result === 'DENY' && !brief && written.ways !== ''
      ? { wouldAllow: readRemedies(JSON.parse(written.ways) as string[][], rules) }
      : {}),
    withheld: WITHHELD.filter((_, at) => (withheld >>> at) & 1),
  };
}

function readOwnership({ owned, path }: WrittenStudy, { owners }: ResourceInput): Ownership {
  const isRef = (step: string) => step.includes(':');
  const all = path.split(' ').filter(Boolean);
  const steps = { owners: all.filter(isRef), groups: all.filter(step => !isRef(step)) };
  return { owners, owned: OWNED[owned], path: all.length > 0 ? steps : null };
}

function readRemedies(ways: readonly string[][], rules: Study['rules']): Remedies {
  const found = ways.filter(way => way.length > 0);
  const denying = rules.filter(({ effect, outcome }) => effect === 'deny' && outcome === 'applies');
  const told = found.map(([rule, ...facts]) => ({ rule: rule || null, facts: readFacts(facts) }));
  // Of those that are equally short first what says more.
  const rank = ({ rule, facts }: Remedies['ways'][number]) => facts.length * 2 + (rule === null ? 1 : 0);
  return {
    ways: told.sort((one, other) => rank(one) - rank(other)),
    // One that applies is about the principal, so that whoever asks may know it.
    blockedBy: [...new Set(denying.flatMap(({ rule }) => rule ?? []))],
    complete: found.length === ways.length,
  };
}

function readFacts(texts: readonly string[]): Fact[] {
  const words = texts.filter((_, at) => at % 2 === 0);
  return words.map((word, at) => readFact(word, texts[at * 2 + 1] ?? ''));
}

/** A word and what it is about; nothing where the reader may not know it */
function readFact(word: string, about: string): Fact {
  switch (word) {
    case 'groupsKnown':
      return { fact: 'groupsKnown' };
    case 'group': {
      const [group, owner] = about.split(' ');
      return { fact: 'group', ...(group ? { group } : {}), ...(owner ? { owner } : {}) };
    }
    case 'role':
      return { fact: 'role', ...(about ? { role: about } : {}) };
    case 'authContext':
      return { fact: 'signIn', ...(about ? { authContext: about } : {}) };
    case 'mfa':
      return { fact: 'signIn', mfa: true };
    case 'signedInWithin':
      return { fact: 'signIn', ...(about ? { signedInWithin: Number(about) } : {}) };
    case 'owned':
    case 'notOwned':
      return { fact: 'owned', holds: word === 'owned' };
    case 'rule':
    case 'notRule':
      return { fact: 'rule', holds: word === 'rule', ...(about ? (JSON.parse(about) as ForeignRule) : {}) };
    default:
      throw new TypeError(`not a fact of the core: ${word}`);
  }
}
