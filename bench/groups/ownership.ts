/** Whether an entity is somebody's, as the catalog asks for each of them: with all that Backstage does around it, and alone. */
import { applyCase, authorizerCase, loadedPlugin, ourRule, setCase, stockRule } from '../cases/ownership/contenders';
import { ownerIn, ownershipScene, type OwnershipScene } from '../cases/ownership/scene';
import type { EntraAccess } from '../../plugin-js/src/service/entraAccess';
import type { GroupPlan } from '../harness';
import type { Effort } from '../sampling';

const CLAIMS = [1, 20, 200, 1_000, 5_000];
const ENTITIES = 100_000;
/** Few enough to stay in a cache of the processor: so few are on a page */
const OF_A_REQUEST = 2_000;
const ROUNDS = 21;

interface Scene extends OwnershipScene {
  entraAccess: EntraAccess;
}

let made: { effort: Effort; scene: Scene } | undefined;

function sceneOf(effort: Effort): Scene {
  if (made?.effort === effort) return made.scene;
  const scene = ownershipScene(effort.distinct < 100 ? 3_000 : ENTITIES);
  made = { effort, scene: { ...scene, entraAccess: loadedPlugin(scene) } };
  return made.scene;
}

const number = (count: number) => count.toLocaleString('en');

const authorizer = (claims: number): GroupPlan => ({
  name: `condition authorizer, one entity, ${number(claims)} claims`,
  make: effort => {
    const { entities, entraAccess, ...scene } = sceneOf(effort);
    const some = entities.slice(0, OF_A_REQUEST);
    const owner = ownerIn({ entities, ...scene }, claims);
    return {
      reference: 'IS_ENTITY_OWNER',
      maxRounds: ROUNDS,
      cases: [
        authorizerCase(stockRule(owner), some, owner),
        authorizerCase(ourRule(entraAccess, owner), some, owner),
        setCase(some, owner),
      ],
      notes: [
        `${some.length} entities in turn; the Set is asked without Backstage's authorizer, and never expires`,
        'Backstage validates the params of the condition for each entity: the claims, or principal and epoch',
      ],
    };
  },
});

const apply = (claims: number): GroupPlan => ({
  name: `apply alone, ${number(claims)} claims`,
  make: effort => {
    const { entities, entraAccess, ...scene } = sceneOf(effort);
    const owner = ownerIn({ entities, ...scene }, claims);
    return {
      reference: 'IS_ENTITY_OWNER',
      maxRounds: ROUNDS,
      cases: [
        applyCase(stockRule(owner), entities, owner),
        applyCase(ourRule(entraAccess, owner), entities, owner),
        setCase(entities, owner),
      ],
      notes: [`${number(entities.length)} entities in turn, most of them in no cache of the processor`],
    };
  },
});

export const plans: GroupPlan[] = [...CLAIMS.map(authorizer), ...CLAIMS.map(apply)];
